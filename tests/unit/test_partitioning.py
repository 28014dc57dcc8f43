"""The very SQL of `docs/scale.md`: the history in parts, and all that the plugin does on it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from gitlab_mlops import migrations
from gitlab_mlops.services.purge import purge_project
from host_stub import create_app
from host_stub.database import db
from tests.browsing import Browser
from tests.factories import Api, Forge
from tests.postgresql import new_postgresql_database

DOCUMENT = Path(__file__).parents[2] / "docs" / "scale.md"
BOUNDS = (20_000_000, 40_000_000, 60_000_000)
"""Where the parts of the document end."""


def blocks(heading: str) -> list[str]:
    """The SQL below a heading of the document, block by block."""
    body = re.split(rf"^## {heading}$", DOCUMENT.read_text(), flags=re.M)[1]
    return re.findall(r"^```sql\n(.*?)^```", re.split(r"^## ", body, flags=re.M)[0], re.M | re.S)


@dataclass
class Database:
    """The forge on a PostgreSQL of its own."""

    app: Flask

    def run(self, script: str) -> None:
        """Run statements as an operator does in psql: one after another, each by itself."""
        with self.app.app_context():
            engine = db.engine.execution_options(isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                for statement in filter(str.strip, script.split(";")):
                    connection.exec_driver_sql(statement)

    def ask(self, query: str) -> Any:
        """The first column of the rows of a query."""
        with self.app.app_context(), db.engine.connect() as connection:
            return connection.exec_driver_sql(query).scalars().all()

    def number_series_from(self, number: int) -> None:
        """Let the next series get this id, as if all before it were taken."""
        name = "pg_get_serial_sequence('mlops_metric_series', 'id')"
        self.run(f"SELECT setval({name}, {number}, false)")


@pytest.fixture
def database(postgresql_url: str, tmp_path: Path) -> Iterator[Database]:
    """The forge with its tables, in one part yet."""
    config = {
        "DATABASE_URL": new_postgresql_database(postgresql_url),
        "SECRET_KEY": secrets.token_hex(32),
        "INSTANCE_PATH": str(tmp_path),
        "MLOPS_WEBHOOKS_THREAD": False,
    }
    app = create_app(config)
    with app.app_context():
        db.create_all()
        migrations.upgrade(db.engine)
    yield Database(app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def log(api: Api, run_id: str, key: str, points: int) -> None:
    metrics = [
        {"key": key, "value": step / 7, "timestamp": 1000 + step, "step": step}
        for step in range(points)
    ]
    api.post("runs/log-batch", run_id=run_id, metrics=metrics)
    api.post("runs/log-metric", run_id=run_id, **metrics[-1])


def steps(api: Api, run_id: str, key: str) -> list[int]:
    """The steps of a history, read in pages of two."""
    found, token = list[int](), ""
    while True:
        query = {"run_id": run_id, "metric_key": key, "max_results": 2, "page_token": token}
        answer = api.get("metrics/get-history", **query)
        found += [int(each["step"]) for each in answer.get("metrics", ())]
        token = answer.get("next_page_token", "")
        if not token:
            return found


def test_a_history_in_parts_is_logged_read_and_purged_as_in_one(database: Database) -> None:
    forge = Forge(database.app)
    api, other = forge.developer(), forge.developer()
    runs = [api.create_run(), other.create_run()]
    for each, run_id in zip((api, other), runs, strict=True):
        log(each, run_id, "before", 5)
    prepared, switched, extended = blocks("Partition the history")
    database.run(prepared)
    log(api, runs[0], "between", 3)
    database.run(switched)
    database.run(extended)
    for number, bound in enumerate(BOUNDS):
        database.number_series_from(bound)
        log(api, runs[0], f"after{number}", 4)
    # Sent again: the same points, into a part that was there before, and into a new one.
    log(api, runs[0], "before", 5)
    log(api, runs[0], "after0", 4)

    parts = "SELECT tableoid::regclass::text FROM mlops_metric_points ORDER BY 1"
    assert database.ask(parts) == [
        *["mlops_history.points_0"] * 13,
        *["mlops_history.points_1"] * 4,
        *["mlops_history.points_2"] * 4,
        *["mlops_history.points_others"] * 4,
    ]
    assert steps(api, runs[0], "before") == [0, 1, 2, 3, 4]
    assert steps(api, runs[0], "between") == [0, 1, 2]
    for number in range(len(BOUNDS)):
        assert steps(api, runs[0], f"after{number}") == [0, 1, 2, 3]
    browser = Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))
    curves = browser.raw("curves?candidates=1&metrics=before&metrics=after1").get_json()["curves"]
    assert [(each["metric"], each["total"]) for each in curves] == [("before", 5), ("after1", 4)]

    with database.app.app_context():
        assert migrations.check(db.engine) == []
        purge_project(db.session(), api.project_id, lambda project_id: None)
        db.session.commit()
    assert database.ask("SELECT count(*) FROM mlops_metric_points") == [5]
    assert steps(other, runs[1], "before") == [0, 1, 2, 3, 4]


def test_a_history_reads_one_part_only_and_its_index_alone(database: Database) -> None:
    prepared, switched, extended = blocks("Partition the history")
    database.run(prepared + switched + extended)
    database.run(
        "INSERT INTO mlops_metric_points SELECT series, step, step, 0.5"
        " FROM generate_series(19999990, 20000009) series, generate_series(1, 2000) step"
    )
    database.run("VACUUM ANALYZE mlops_metric_points")
    plan = "\n".join(database.ask(
        "EXPLAIN SELECT value, timestamp, step FROM mlops_metric_points"
        " WHERE series_id = 20000003 ORDER BY timestamp, step, value LIMIT 100"
    ))  # fmt: skip
    assert "Index Only Scan using points_1_pkey on points_1" in plan
    assert "points_0" not in plan


def test_the_advice_on_vacuum_and_indexes_can_be_followed(database: Database) -> None:
    for heading in ("Bytes per point", "Vacuum"):
        for block in blocks(heading):
            database.run(block)
    options = "SELECT unnest(reloptions) FROM pg_class WHERE relname = 'mlops_metric_points'"
    assert "autovacuum_vacuum_insert_scale_factor=0.01" in database.ask(options)
    for block in blocks("Partition the history"):
        database.run(block)
    database.run("REINDEX INDEX CONCURRENTLY mlops_history.pk_points_0")
    database.run("REINDEX INDEX CONCURRENTLY mlops_history.points_1_pkey")
    with database.app.app_context():
        assert migrations.check(db.engine) == []


def test_indexes_that_were_made_before_an_upgrade_are_those_that_it_wants(
    database: Database,
) -> None:
    (indexes,) = blocks("Upgrades of a large database")
    with database.app.app_context():
        migrations.downgrade(db.engine, "0009")
        database.run(indexes)
        migrations.upgrade(db.engine)
        assert migrations.check(db.engine) == []


def test_tables_in_parts_can_be_taken_down(database: Database) -> None:
    for block in blocks("Partition the history"):
        database.run(block)
    with database.app.app_context():
        migrations.downgrade(db.engine, "base")
    assert database.ask(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relname ~ 'points'"
    ) == []  # fmt: skip
