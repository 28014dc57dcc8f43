"""Signals say who did what where, and cost nothing if nobody listens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from blinker import Signal
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.hooks import signals
from gitlab_mlops.host import Project
from tests.fakes import actor


@pytest.fixture
def access(session: Session) -> ReadAccess:
    return ReadAccess(actor("ada"), Project(1, "group/project"), session)


@pytest.fixture(autouse=True)
def _same_application_afterwards() -> Iterator[None]:
    before = signals._application
    yield
    signals.use_application(before)


def test_an_announcement_says_who_did_what_where(access: ReadAccess) -> None:
    signal, heard = Signal(), []

    def hear(sender: object, **facts: Any) -> None:
        heard.append((sender, facts))

    signal.connect(hear)
    signals.use_application(lambda: "the application")
    signals.announce(signal, access, 42, more="facts")
    facts = {"project": access.project, "iid": 42, "actor": access.actor}
    assert heard == [("the application", {**facts, "session": access.session, "more": "facts"})]


def test_nothing_is_looked_up_if_nobody_listens(access: ReadAccess) -> None:
    def current() -> object:
        raise AssertionError("nobody listens")

    signals.use_application(current)
    signals.announce(Signal(), access, 42)


def test_what_a_receiver_raises_makes_the_change_fail(access: ReadAccess) -> None:
    signal = Signal()

    def refuse(_sender: object, **_facts: Any) -> None:
        raise ValueError("not today")

    signal.connect(refuse)
    with pytest.raises(ValueError, match="not today"):
        signals.announce(signal, access, 42)
