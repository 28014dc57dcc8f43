"""What anybody may ask of the server: whether it is alive, and whether it can serve."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, create_engine, text
from werkzeug.test import TestResponse

from gitlab_mlops import migrations
from gitlab_mlops.blueprints.health import READINESS
from gitlab_mlops.services import readiness
from gitlab_mlops.services.readiness import Readiness
from gitlab_mlops.storage import Storage
from host_stub.database import db
from tests.s3 import serve

WELL = {"database": "ok", "schema": "ok", "artifacts": "ok"}


@dataclass
class Store:
    """An artifact store that counts who asks, and answers when it is told to."""

    asked: int = 0
    may_answer: threading.Event = field(default_factory=threading.Event)

    def ping(self) -> None:
        self.asked += 1
        self.may_answer.wait(30)


@pytest.fixture
def engine(app: Flask) -> Engine:
    """The forge's database."""
    with app.app_context():
        return db.engine


@pytest.fixture(autouse=True)
def _fresh(app: Flask) -> Iterator[None]:
    """Let each test ask anew, and forget what its parts were."""
    before = app.extensions[READINESS]
    mount = app.extensions["mlops"]

    def engines() -> list[Engine]:
        with app.app_context():
            return [db.engine]

    app.extensions[READINESS] = Readiness(engines, mount.storage)
    yield
    app.extensions[READINESS] = before


def ask(app: Flask, what: str = "readiness") -> TestResponse:
    """Ask as a stranger, without any credential."""
    return app.test_client().get(f"/-/mlops/{what}")


def asked_of(app: Flask, engines: list[Engine], storage: Any) -> TestResponse:
    """Ask a forge of these parts."""
    app.extensions[READINESS] = Readiness(lambda: engines, storage)
    return ask(app)


def test_a_forge_that_is_well_says_so(app: Flask) -> None:
    response = ask(app)
    assert (response.status_code, response.get_json()) == (200, {"status": "ok", **WELL})
    assert response.headers["Cache-Control"] == "no-store"
    assert response.mimetype == "application/json"


def test_a_database_that_is_away_is_named_and_nothing_more(
    app: Flask, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = create_engine("postgresql+psycopg://someone:secret@127.0.0.1:1/nothing")
    response = asked_of(app, [gone], Storage("", default_folder=tmp_path))
    assert response.status_code == 503
    wrong = {"database": "failed", "schema": "failed"}
    assert response.get_json() == {"status": "failed", **WELL, **wrong}
    assert "Not ready: database: OperationalError" in caplog.text
    # Whoever restarts processes because of a dead database makes it worse.
    alive = ask(app, "liveness")
    assert (alive.status_code, alive.get_json()) == (200, {"status": "ok"})


def test_tables_that_were_not_upgraded_are_not_ready(app: Flask, tmp_path: Path) -> None:
    old = create_engine(f"sqlite:///{tmp_path / 'old.sqlite3'}")
    storage = Storage("", default_folder=tmp_path)
    schema_failed = {"status": "failed", **WELL, "schema": "failed"}
    assert asked_of(app, [old], storage).get_json() == schema_failed
    migrations.upgrade(old, migrations.revisions()[-2])
    assert asked_of(app, [old], storage).get_json() == schema_failed
    migrations.upgrade(old)
    assert asked_of(app, [old], storage).get_json() == {"status": "ok", **WELL}
    old.dispose()


def test_one_of_several_databases_does_not_take_the_others_away(
    app: Flask, engine: Engine, tmp_path: Path
) -> None:
    gone = create_engine("postgresql+psycopg://someone@127.0.0.1:1/nothing")
    storage = Storage("", default_folder=tmp_path)
    response = asked_of(app, [engine, gone], storage)
    degraded = {"database": "degraded", "schema": "degraded", "artifacts": "ok"}
    assert (response.status_code, response.get_json()) == (200, {"status": "degraded", **degraded})
    assert asked_of(app, [gone], storage).status_code == 503


def test_old_processes_stay_ready_while_an_upgrade_goes_on(app: Flask, tmp_path: Path) -> None:
    """The tables come first; were the old processes not ready then, nobody would serve."""
    new = create_engine(f"sqlite:///{tmp_path / 'new.sqlite3'}")
    migrations.upgrade(new)
    with new.begin() as connection:
        connection.execute(text(f"UPDATE {migrations.VERSION_TABLE} SET version_num = '9999'"))
    assert asked_of(app, [new], Storage("", default_folder=tmp_path)).status_code == 200
    new.dispose()


def test_a_store_that_is_away_is_named(app: Flask, engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for storage in (
        Storage(str(file / "folder"), default_folder=tmp_path),
        Storage(
            "s3://artifacts",
            {"endpoint": "http://127.0.0.1:1", "region": "x", "skip_signature": "true"},
            default_folder=tmp_path,
        ),
    ):
        response = asked_of(app, [engine], storage)
        assert response.get_json() == {"status": "failed", **WELL, "artifacts": "failed"}


def test_a_bucket_that_does_not_exist_is_named(app: Flask, engine: Engine, tmp_path: Path) -> None:
    with serve(tmp_path / "s3") as bucket:
        there = Storage(bucket.url, bucket.options, default_folder=tmp_path)
        assert asked_of(app, [engine], there).get_json()["artifacts"] == "ok"
        missing = Storage("s3://missing", bucket.options, default_folder=tmp_path)
        assert asked_of(app, [engine], missing).get_json()["artifacts"] == "failed"


def test_a_folder_that_was_taken_away_is_named(app: Flask, engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "artifacts"
    storage = Storage(str(folder), default_folder=tmp_path)
    assert asked_of(app, [engine], storage).status_code == 200
    folder.rmdir()
    assert asked_of(app, [engine], storage).get_json()["artifacts"] == "failed"


def test_whoever_asks_often_asks_the_parts_once(app: Flask, engine: Engine) -> None:
    store = Store()
    store.may_answer.set()
    assert asked_of(app, [engine], store).status_code == 200
    for _ in range(20):
        assert ask(app).status_code == 200
    assert store.asked == 1


def test_a_part_that_hangs_holds_one_thread_and_nobody_for_long(
    app: Flask, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "PATIENCE", 0.05)
    monkeypatch.setattr(readiness, "KEPT", 0)
    store = Store()
    app.extensions[READINESS] = Readiness(lambda: [engine], store)  # type: ignore[arg-type]
    for _ in range(5):
        assert ask(app).get_json()["artifacts"] == "failed"
    assert store.asked == 1
    store.may_answer.set()
    monkeypatch.setattr(readiness, "PATIENCE", 30)
    assert ask(app).get_json()["artifacts"] == "ok"


def test_every_address_of_ours_outside_of_projects_is_known(app: Flask) -> None:
    """These ask for no credential, so a new one must be looked at."""
    mine = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/-/")}
    assert {rule for rule in mine if "mlops" in rule} == {
        "/-/mlops/static/<path:filename>",
        "/-/mlops/liveness",
        "/-/mlops/readiness",
    }


@pytest.mark.parametrize("what", ["liveness", "readiness"])
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed_there(app: Flask, what: str, method: str) -> None:
    assert app.test_client().open(f"/-/mlops/{what}", method=method).status_code in (403, 405)


def test_the_newest_revision_is_known_without_alembic() -> None:
    assert migrations.revisions()[-1] == migrations.head()
    assert list(migrations.revisions()) == sorted(migrations.revisions())
