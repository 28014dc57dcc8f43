"""The migrations make what the models say, can be interrupted, go down, and respect the host."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from gitlab_mlops import migrations
from gitlab_mlops.models import Base
from tests.postgresql import new_postgresql_database

OURS = set(Base.metadata.tables)
NewDatabase = Callable[[], sa.Engine]


@pytest.fixture(params=["sqlite", "postgresql"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """Makes empty databases of one kind."""
    engines: list[sa.Engine] = []

    def make() -> sa.Engine:
        url = f"sqlite:///{tmp_path / 'database'}"
        if request.param == "postgresql":
            url = new_postgresql_database(request.getfixturevalue("postgresql_url"))
        engines.append(sa.create_engine(url))
        return engines[-1]

    yield make
    for engine in engines:
        engine.dispose()


@pytest.fixture
def engine(new_database: NewDatabase) -> sa.Engine:
    """One empty database."""
    return new_database()


def tables(engine: sa.Engine) -> set[str]:
    """Names of all tables, the version table included."""
    return set(sa.inspect(engine).get_table_names())


def add_host_tables(engine: sa.Engine) -> None:
    """What a forge with Alembic of its own has: a table with a row, and its version table."""
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE projects (id INTEGER PRIMARY KEY, name TEXT)")
        connection.exec_driver_sql("CREATE TABLE alembic_version (version_num VARCHAR(32))")
        connection.exec_driver_sql("INSERT INTO projects VALUES (1, 'kept')")
        connection.exec_driver_sql("INSERT INTO alembic_version VALUES ('host')")


def assert_host_tables_are_untouched(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT name FROM projects").scalars().all()
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()
        assert (rows, version.all()) == (["kept"], ["host"])


def test_upgrade_makes_what_the_models_say(engine: sa.Engine) -> None:
    migrations.upgrade(engine)
    assert tables(engine) == OURS | {migrations.VERSION_TABLE}
    assert migrations.differences(engine) == []
    assert migrations.check(engine) == []


def test_sqlite_gets_the_very_statements_of_the_models() -> None:
    """`compare_metadata` sees neither WITHOUT ROWID nor ON DELETE of a key in SQLite."""

    def parts(sql: str) -> list[str]:
        # The order is another one, because a column that is added comes last.
        head, _, rest = sql.partition("(")
        body, _, tail = rest.rpartition(")")
        columns = re.split(r",\s+(?![^(]*\))", body)
        return [head.strip(), tail.strip(), *sorted(each.strip() for each in columns)]

    def statements(make: Callable[[sa.Engine], None]) -> dict[str, list[str]]:
        engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
        make(engine)
        with engine.connect() as connection:
            rows = connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master"
                f" WHERE sql IS NOT NULL AND tbl_name <> '{migrations.VERSION_TABLE}'"
            )
            made = {row.name: parts(row.sql) for row in rows}
        engine.dispose()
        return made

    by_models = statements(Base.metadata.create_all)
    assert "WITHOUT ROWID" in "".join(by_models["mlops_metric_points"])
    assert statements(migrations.upgrade) == by_models


def test_upgrading_again_changes_nothing(engine: sa.Engine) -> None:
    migrations.upgrade(engine)
    migrations.upgrade(engine)
    assert migrations.check(engine) == []


def test_current_is_none_before_and_head_after(engine: sa.Engine) -> None:
    assert migrations.current(engine) is None
    migrations.upgrade(engine)
    assert migrations.current(engine) == migrations.head()


def test_reading_the_revision_creates_nothing(engine: sa.Engine) -> None:
    migrations.current(engine)
    assert tables(engine) == set()


def test_down_and_up_again_works_and_leaves_the_hosts_tables_alone(engine: sa.Engine) -> None:
    add_host_tables(engine)
    migrations.upgrade(engine)
    assert_host_tables_are_untouched(engine)
    migrations.downgrade(engine, "base")
    assert tables(engine) - {migrations.VERSION_TABLE} == {"projects", "alembic_version"}
    assert_host_tables_are_untouched(engine)
    migrations.upgrade(engine)
    assert migrations.check(engine) == []


def test_autogenerate_does_not_see_the_hosts_tables(engine: sa.Engine) -> None:
    add_host_tables(engine)
    migrations.upgrade(engine)
    assert migrations.differences(engine) == []


def test_check_says_to_upgrade_an_empty_database(engine: sa.Engine) -> None:
    (problem,) = migrations.check(engine)
    assert "flask mlops db upgrade" in problem


def test_check_finds_a_table_that_was_changed_by_hand(engine: sa.Engine) -> None:
    migrations.upgrade(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP INDEX ix_mlops_metric_series_value")
    (problem,) = migrations.check(engine)
    assert "ix_mlops_metric_series_value" in problem


def test_an_unsupported_database_is_named() -> None:
    engine = sa.create_mock_engine("mssql+pymssql://", lambda *_: None)
    with pytest.raises(ValueError, match="mssql is not supported: use PostgreSQL or SQLite"):
        migrations.upgrade(engine)  # type: ignore[arg-type]
    assert migrations.check(engine) == [  # type: ignore[arg-type]
        "mssql is not supported: use PostgreSQL or SQLite."
    ]


def test_an_upgrade_that_fails_anywhere_leaves_nothing_and_runs_again(engine: sa.Engine) -> None:
    add_host_tables(engine)
    failures = 0
    while True:
        remaining = failures + 1

        def fail(*_: object) -> None:
            nonlocal remaining
            remaining -= 1
            if remaining == 0:
                raise InterruptedError

        sa.event.listen(engine, "before_cursor_execute", fail)
        try:
            migrations.upgrade(engine)
            break
        except InterruptedError:
            failures += 1
        finally:
            sa.event.remove(engine, "before_cursor_execute", fail)
        assert tables(engine) == {"projects", "alembic_version"}
    assert failures > len(OURS)
    assert migrations.check(engine) == []
    assert_host_tables_are_untouched(engine)


KILLED_UPGRADE = """
import os, signal, sys
import sqlalchemy as sa
from gitlab_mlops import migrations

engine = sa.create_engine(sys.argv[1])

@sa.event.listens_for(engine, "before_cursor_execute")
def kill(_connection, _cursor, statement, *_):
    if "CREATE TABLE mlops_params" in statement:
        os.kill(os.getpid(), signal.SIGKILL)

migrations.upgrade(engine)
"""


def test_an_upgrade_whose_process_is_killed_runs_again(engine: sa.Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    killed = subprocess.run([sys.executable, "-c", KILLED_UPGRADE, url], check=False, timeout=60)
    assert killed.returncode == -9
    assert tables(engine) == set()
    migrations.upgrade(engine)
    assert migrations.check(engine) == []


def test_what_was_logged_before_gets_its_extremes(engine: sa.Engine) -> None:
    migrations.upgrade(engine, "0001")
    points = [(1, 0.5), (1, -2.0), (1, "NaN"), (2, "NaN"), (3, 7.0)]
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO mlops_experiments (id, project_id, iid, name, created_at, updated_at)"
            " VALUES (1, 1, 0, 'Default', 0, 0)"
        )
        connection.exec_driver_sql(
            "INSERT INTO mlops_candidates (id, project_id, experiment_id, iid, eid, name, status,"
            " user_id, created_at) VALUES (1, 1, 1, 1, 'e', 'n', 1, '', 0)"
        )
        for number in (1, 2, 3):
            connection.exec_driver_sql(
                "INSERT INTO mlops_metric_series (id, candidate_id, experiment_id, key_id, step,"
                f" timestamp, value) VALUES ({number}, 1, 1, {number}, 0, 0, 0)"
            )
        for step, (series, value) in enumerate(points):
            connection.exec_driver_sql(
                "INSERT INTO mlops_metric_points (series_id, timestamp, step, value)"
                f" VALUES ({series}, 0, {step}, '{value}')"
            )
    migrations.upgrade(engine)
    assert migrations.check(engine) == []
    query = "SELECT lowest, highest FROM mlops_metric_series ORDER BY id"
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.exec_driver_sql(query)]
    assert found == [(-2.0, 0.5), (None, None), (7.0, 7.0)]
    migrations.downgrade(engine, "0001")
    migrations.upgrade(engine)
    assert migrations.check(engine) == []


def test_candidates_of_ci_learn_the_commit_of_their_stamp(engine: sa.Engine) -> None:
    migrations.upgrade(engine, "0004")
    with engine.begin() as connection:
        for statement in (
            "INSERT INTO mlops_experiments (id, project_id, iid, name, created_at, updated_at)"
            " VALUES (1, 1, 0, 'Default', 0, 0)",
            "INSERT INTO mlops_candidates (id, project_id, experiment_id, iid, eid, name, status,"
            " user_id, created_at) VALUES (1, 1, 1, 1, 'e', 'n', 1, '', 0),"
            " (2, 1, 1, 2, 'f', 'n', 1, '', 0)",
            "INSERT INTO mlops_job_stamps (candidate_id, project_id, source_project_id, job_id,"
            " pipeline_id, sha, ref, merge_request, url) VALUES (2, 1, 1, '7', '', 'abc', '', '',"
            " '')",
        ):
            connection.exec_driver_sql(statement)
    migrations.upgrade(engine)
    query = (
        "SELECT stamped_sha, altered_at FROM mlops_candidates"
        " LEFT JOIN mlops_job_stamps ON candidate_id = id ORDER BY id"
    )
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.exec_driver_sql(query)]
    assert found == [(None, None), ("abc", None)]
    migrations.downgrade(engine, "0004")
    migrations.upgrade(engine)
    assert migrations.check(engine) == []


def test_nodes_that_upgrade_at_once_all_succeed(new_database: NewDatabase) -> None:
    url = new_database().url
    failures: list[BaseException] = []
    start = threading.Barrier(4)

    def node() -> None:
        engine = sa.create_engine(url)
        try:
            start.wait()
            migrations.upgrade(engine)
        except BaseException as error:
            failures.append(error)
        finally:
            engine.dispose()

    nodes = [threading.Thread(target=node) for _ in range(4)]
    for thread in nodes:
        thread.start()
    for thread in nodes:
        thread.join()
    assert failures == []
    engine = sa.create_engine(url)
    assert migrations.check(engine) == []
    engine.dispose()


@pytest.mark.parametrize("enforced", [0, 1])
def test_sqlite_keeps_the_forges_setting_of_foreign_keys(tmp_path: Path, enforced: int) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'db'}", poolclass=sa.StaticPool)
    seen: list[int] = []
    with engine.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA foreign_keys = {enforced}")

    @sa.event.listens_for(engine, "before_cursor_execute")
    def look(_connection: object, cursor: object, statement: str, *_: object) -> None:
        if "CREATE TABLE mlops_params" in statement:
            seen.append(cursor.connection.execute("PRAGMA foreign_keys").fetchone()[0])  # type: ignore[attr-defined]

    migrations.upgrade(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == enforced
    assert set(seen) == {0}
    engine.dispose()


def test_sqlite_engine_that_begins_transactions_by_itself_is_upgraded_whole(
    tmp_path: Path,
) -> None:
    """The recipe of SQLAlchemy's manual for SQLite: no implicit BEGIN of the driver, an own one."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'db'}")

    @sa.event.listens_for(engine, "connect")
    def connect(connection: object, _record: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    migrations.upgrade(engine)
    assert migrations.check(engine) == []
    engine.dispose()


def test_serving_processes_do_not_import_alembic() -> None:
    code = "import host_stub.app, sys; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_index_that_the_operator_made_before_the_upgrade_is_kept(engine: sa.Engine) -> None:
    migrations.upgrade(engine, "0009")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE INDEX ix_mlops_candidates_active ON mlops_candidates"
            " (project_id, experiment_id, created_at) WHERE deleted_at IS NULL"
        )
    migrations.upgrade(engine)
    assert migrations.check(engine) == []
    migrations.downgrade(engine, "0009")
    migrations.upgrade(engine)
    assert migrations.check(engine) == []
