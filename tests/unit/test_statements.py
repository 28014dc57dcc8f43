"""Statements that the driver runs itself are told of and fail as all others do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gitlab_mlops.services import statements
from gitlab_mlops.services.statements import Hot

PAIR = Hot("SELECT 1 AS one, %(two)s AS two UNION ALL SELECT 3, %(four)s")
WRITE = Hot("UPDATE mlops_projects SET candidates = 1 WHERE project_id = %(id)s")
WRONG = Hot("SELECT no_such_column FROM mlops_projects WHERE project_id = %(id)s")


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Session]:
    """A session that nobody listens to."""
    with Session(engine) as session:
        yield session
        session.rollback()


def test_rows_are_tuples(session: Session) -> None:
    assert [tuple(row) for row in PAIR.rows(session, {"two": 2, "four": 4})] == [(1, 2), (3, 4)]
    found = PAIR.row(session, {"two": 2, "four": 4})
    assert found is not None
    assert tuple(found) == (1, 2)


def test_what_was_written_is_counted(session: Session) -> None:
    session.execute(sa.text("INSERT INTO mlops_projects VALUES (4711, 0, 0)"))
    assert WRITE.count(session, {"id": 4711}) == 1
    assert WRITE.count(session, {"id": 4712}) == 0
    assert WRITE.count(session, [{"id": 4711}, {"id": 4712}]) == 1


def test_a_wrong_statement_fails_as_sqlalchemys_do(session: Session) -> None:
    with pytest.raises(sa.exc.DBAPIError) as failure:
        WRONG.rows(session, {"id": 1})
    assert "no_such_column" in str(failure.value)
    assert not failure.value.connection_invalidated
    session.rollback()
    assert PAIR.row(session, {"two": 2, "four": 4}) is not None


def test_who_listens_hears_of_it(session: Session, engine: sa.Engine) -> None:
    heard: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        heard.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        PAIR.rows(session, {"two": 2, "four": 4})
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
    assert len(heard) == 1


def test_a_lost_connection_is_given_up(engine: sa.Engine) -> None:
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite is a file; there is no connection to lose")
    # A fresh engine: whoever listened to the other one once is remembered there.
    quiet = sa.create_engine(engine.url)
    with Session(quiet) as session, engine.connect() as other:
        assert statements._is_direct(session.connection())
        (number,) = session.execute(sa.text("SELECT pg_backend_pid()")).one()
        other.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": number})
        with pytest.raises(sa.exc.OperationalError) as failure:
            PAIR.rows(session, {"two": 2, "four": 4})
        assert failure.value.connection_invalidated
        session.rollback()
        assert PAIR.row(session, {"two": 2, "four": 4}) is not None
    quiet.dispose()
