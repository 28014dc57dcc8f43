"""What waits for the commit is done once, before it, and only if there is one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from gitlab_mlops.services.transactions import before_commit


@pytest.fixture
def own(engine: Engine) -> Iterator[Session]:
    """A session whose transactions are its own."""
    with Session(engine) as session:
        session.execute(text("SELECT 1"))
        yield session


@pytest.fixture
def done() -> list[list[object]]:
    return []


def test_things_of_one_name_are_done_at_once_in_their_order(
    own: Session, done: list[list[object]]
) -> None:
    before_commit(own, "a", [2, 1], done.append)
    before_commit(own, "a", [1, 3], done.append)
    before_commit(own, "b", [1], done.append)
    assert done == []
    own.commit()
    assert done == [[2, 1, 3], [1]]
    own.execute(text("SELECT 1"))
    own.commit()
    assert len(done) == 2


def test_nothing_is_done_after_a_rollback(own: Session, done: list[list[object]]) -> None:
    before_commit(own, "a", [1], done.append)
    own.rollback()
    own.execute(text("SELECT 1"))
    own.commit()
    assert done == []


def test_a_savepoint_is_no_commit(own: Session, done: list[list[object]]) -> None:
    with own.begin_nested():
        before_commit(own, "a", [1], done.append)
    assert done == []
    own.commit()
    assert done == [[1]]


def test_what_is_raised_makes_the_commit_fail(own: Session) -> None:
    def refuse(_things: list[object]) -> None:
        raise ValueError("not today")

    before_commit(own, "a", [1], refuse)
    with pytest.raises(ValueError, match="not today"):
        own.commit()
    own.rollback()
    own.commit()


def test_what_is_done_may_ask_for_more(own: Session, done: list[list[object]]) -> None:
    before_commit(own, "a", [1], lambda _: before_commit(own, "b", [2], done.append))
    own.commit()
    assert done == [[2]]


def test_a_scoped_session_is_this_threads_own(engine: Engine, done: list[list[object]]) -> None:
    scope = scoped_session(sessionmaker(engine))
    scope.execute(text("SELECT 1"))
    before_commit(scope, "a", [1], done.append)
    scope.commit()
    assert done == [[1]]
    scope.remove()
