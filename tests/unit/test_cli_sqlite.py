"""What `flask mlops doctor` says about SQLite, and that docs/operations.md tells how to mend it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError

from gitlab_mlops.cli import sqlite
from gitlab_mlops.cli.findings import Finding, Level

OPERATIONS = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
RECIPE = re.split(r"^## SQLite$", OPERATIONS, flags=re.MULTILINE)[1]
MakeEngine = Callable[..., Engine]


@pytest.fixture
def make_engine(tmp_path: Path) -> Iterator[MakeEngine]:
    """Makes engines of one file, set up as the document says."""
    engines: list[Engine] = []

    def make(**options: Any) -> Engine:
        engine = create_engine(f"sqlite:///{tmp_path / 'forge.sqlite3'}", **options)
        code = re.search(r"```python\n(.*?)```", RECIPE, re.DOTALL)
        assert code is not None
        exec(code[1], {"engine": engine})
        engines.append(engine)
        return engine

    yield make
    for engine in engines:
        engine.dispose()


def begins(engine: Engine, statement: str) -> Engine:
    """Let SQLAlchemy begin transactions by hand, as in its documentation."""

    def stop_the_driver(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    event.listen(engine, "connect", stop_the_driver)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(statement))
    return engine


def warnings(engine: Engine) -> list[str]:
    """What there is to be done."""
    found: list[Finding] = list(sqlite.examine(engine))
    assert found
    return [each.text for each in found if each.level is Level.WARNING]


def test_an_engine_as_in_the_document_is_well(make_engine: MakeEngine) -> None:
    assert warnings(make_engine()) == []


def test_an_engine_without_any_of_it_is_told_what_to_set(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'plain.sqlite3'}", connect_args={"timeout": 1})
    found = warnings(engine)
    assert [each.split()[0] for each in found] == ["journal_mode", "busy_timeout", "foreign_keys"]
    assert all("docs/operations.md#sqlite" in each for each in found)
    engine.dispose()


def test_reads_that_begin_a_transaction_are_found(make_engine: MakeEngine) -> None:
    (found,) = warnings(begins(make_engine(), "BEGIN"))
    assert found.startswith(sqlite.HINDERS)
    (found,) = warnings(begins(make_engine(), "BEGIN IMMEDIATE"))
    assert found.startswith(sqlite.BLOCKS)


def test_such_a_read_does_hinder_the_write_after_it(make_engine: MakeEngine) -> None:
    """Were it otherwise, the doctor would warn of nothing."""
    for engine, is_hindered in ((make_engine(), False), (begins(make_engine(), "BEGIN"), True)):
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS t (a)"))
        with engine.connect() as first, engine.connect() as second:
            first.execute(text("SELECT count(*) FROM t")).scalar_one()
            second.execute(text("INSERT INTO t VALUES (1)"))
            second.commit()
            if is_hindered:
                with pytest.raises(OperationalError, match="database is locked"):
                    first.execute(text("INSERT INTO t VALUES (2)"))
            else:
                first.execute(text("INSERT INTO t VALUES (2)"))


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "postgresql+psycopg://a/b"])
def test_other_databases_are_not_looked_at(url: str) -> None:
    assert list(sqlite.examine(create_engine(url))) == []
