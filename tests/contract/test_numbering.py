"""What fails spends no number, and nobody is answered before the disk has what was numbered."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from gitlab_mlops.hooks import signals
from gitlab_mlops.models import Candidate
from gitlab_mlops.services import durability
from host_stub.database import db
from tests.factories import Api, Forge

EXISTS = (400, "RESOURCE_ALREADY_EXISTS")
LOST = (503, "TEMPORARILY_UNAVAILABLE")


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


def numbers(api: Api) -> list[int]:
    mine = select(Candidate.iid).where(Candidate.project_id == api.project_id)
    with api.app.app_context():
        return sorted(db.session.scalars(mine))


def test_a_taken_name_spends_no_number(api: Api) -> None:
    assert api.post("experiments/create", name="one") == {"experiment_id": "1"}
    for _ in range(3):
        assert api.refused("POST", "experiments/create", json={"name": "one"}) == EXISTS
    assert api.post("experiments/create", name="two") == {"experiment_id": "2"}


def test_a_receiver_that_refuses_a_candidate_spends_no_number(app: Flask, api: Api) -> None:
    def refuse(_sender: object, **_more: Any) -> None:
        raise ValueError("not today")

    api.create_run()
    with signals.candidate_created.connected_to(refuse, sender=app):
        assert api.refused("POST", "runs/create", json={"experiment_id": "0"})[0] == 500
    api.create_run()
    assert numbers(api) == [1, 2]


@pytest.fixture
def _commits_are_synchronous(app: Flask) -> Iterator[None]:
    """As PostgreSQL is; that of the tests is told to be hasty."""
    with app.app_context():
        engine = db.engine
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has one writer, and no locks of rows")
    _set_default(engine, "TO on")
    yield
    _set_default(engine, "TO DEFAULT")


def _set_default(engine: Engine, value: str) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        name = connection.engine.url.database
        connection.execute(text(f"ALTER DATABASE {name} SET synchronous_commit {value}"))
    engine.dispose()  # new connections have it


def commits_seen(app: Flask, api: Api) -> list[str]:
    """How a transaction that makes a candidate will be committed, and one after it."""
    seen = []
    how = text("SHOW synchronous_commit")

    def look(_sender: object, session: Session, **_more: Any) -> None:
        seen.append(session.scalar(how))

    with signals.candidate_created.connected_to(look, sender=app):
        api.create_run()
    with app.app_context():
        seen.append(db.session.scalar(how))
    return seen


@pytest.mark.usefixtures("_commits_are_synchronous")
def test_only_the_transaction_that_numbers_gives_its_locks_back_early(app: Flask, api: Api) -> None:
    assert commits_seen(app, api) == ["off", "on"]


@pytest.mark.usefixtures("_commits_are_synchronous")
def test_who_cannot_write_without_a_table_commits_as_always(
    app: Flask, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        monkeypatch.setitem(durability._may_write, db.engine, False)  # type: ignore[arg-type]
    assert commits_seen(app, api) == ["on", "on"]


@pytest.mark.usefixtures("_commits_are_synchronous")
@pytest.mark.parametrize("server", ["threads", "gevent"])
def test_nobody_is_answered_before_the_disk_has_it(
    app: Flask, api: Api, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write-ahead log is on the disk as far as it had been written when the answer came."""
    monkeypatch.setitem(sys.modules, server, sys)
    at = text("SELECT pg_current_wal_insert_lsn()")
    behind = text("SELECT pg_current_wal_flush_lsn() < CAST(:end AS pg_lsn)")
    ends = []

    def look(_sender: object, session: Session, **_more: Any) -> None:
        ends.append(session.scalar(at))

    with signals.candidate_created.connected_to(look, sender=app):
        api.create_run()
    with app.app_context():
        assert db.session.scalar(behind, {"end": ends[0]}) is False


@pytest.mark.usefixtures("_commits_are_synchronous")
@pytest.mark.parametrize("server", ["threads", "gevent"])
def test_who_loses_the_database_between_is_told(
    api: Api, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, server, sys)
    api.create_run()
    monkeypatch.setattr(durability, "_WRITE", "SELECT 1 FROM nowhere")
    assert api.refused("POST", "runs/create", json={"experiment_id": "0"}) == LOST
    monkeypatch.undo()
    with api.app.app_context():
        connection = db.session.connection().connection.dbapi_connection
        assert connection.autocommit is False  # of the same connection
    api.create_run()
    assert numbers(api) == [1, 2, 3]  # stored, although nobody could say so
