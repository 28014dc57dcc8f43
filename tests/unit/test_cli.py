"""`flask mlops ...`: migrations, the doctor's findings, purging and sweeping."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from jinja2 import DictLoader
from sqlalchemy.orm import Session

from gitlab_mlops import Host, MLOps, migrations
from gitlab_mlops.host_check import OPTIONAL_PARTS
from gitlab_mlops.models import Candidate, Experiment, Webhook, WebhookDelivery
from gitlab_mlops.storage import Storage
from tests.fakes import FakeChrome, FakeForge, FakeIdentity, FakeProjects

LONG_SECRET = "a secret that is long enough"
MakeApp = Callable[..., Flask]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """An empty SQLite database."""
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'forge.sqlite3'}")
    yield engine
    engine.dispose()


@pytest.fixture
def forge(engine: sa.Engine) -> Iterator[FakeForge]:
    """A forge in memory over the database."""
    with Session(engine) as session:
        yield FakeForge(session=lambda project: session)


@pytest.fixture
def make_app(forge: FakeForge, engine: sa.Engine, tmp_path: Path) -> MakeApp:
    """Makes applications with the plugin; `config` and parts of the host can be chosen."""

    def make(config: dict[str, Any] | None = None, **parts: Any) -> Flask:
        app = Flask("forge", instance_path=str(tmp_path))
        app.jinja_loader = DictLoader({"base.html": ""})  # type: ignore[assignment]
        app.config.update({"SECRET_KEY": LONG_SECRET, **(config or {})})
        host: Host = forge.host(**{"engines": lambda: [engine], **parts})
        MLOps().init_app(app, host=host)
        return app

    return make


def run(app: Flask, *arguments: str, **more: Any) -> Result:
    """Run `flask mlops` with these arguments."""
    return app.test_cli_runner().invoke(args=["mlops", *arguments], **more)


def test_upgrade_then_current_and_check(make_app: MakeApp, engine: sa.Engine) -> None:
    app, head = make_app(), migrations.head()
    assert run(app, "db", "current").output == "base\n"
    assert run(app, "db", "upgrade").output == f"The database is at revision {head}.\n"
    assert run(app, "db", "current").output == f"{head} (head)\n"
    assert run(app, "db", "check").exit_code == 0
    assert migrations.check(engine) == []


def test_check_fails_and_says_what_to_do(make_app: MakeApp) -> None:
    result = run(make_app(), "db", "check")
    assert result.exit_code == 1
    assert "flask mlops db upgrade" in result.output


def test_downgrade_asks_first(make_app: MakeApp, engine: sa.Engine) -> None:
    app = make_app()
    run(app, "db", "upgrade")
    assert run(app, "db", "downgrade", "base", input="n\n").exit_code == 1
    assert migrations.current(engine) == migrations.head()
    assert run(app, "db", "downgrade", "base", input="y\n").exit_code == 0
    assert migrations.current(engine) is None


def test_every_database_of_the_forge_is_upgraded_and_named(
    make_app: MakeApp, engine: sa.Engine, tmp_path: Path
) -> None:
    second = sa.create_engine(f"sqlite:///{tmp_path / 'second.sqlite3'}")
    app = make_app(engines=lambda: [engine, second])
    output = run(app, "db", "upgrade").output
    assert [migrations.check(each) for each in (engine, second)] == [[], []]
    assert "forge.sqlite3:" in output
    assert "second.sqlite3:" in output
    second.dispose()


def finding(app: Flask, subject: str) -> str:
    """The doctor's line about `subject`."""
    lines = run(app, "doctor").output.splitlines()
    (line,) = [line for line in lines if line.split(None, 1)[1].startswith(subject)]
    return line


def test_the_doctor_finds_nothing_wrong(make_app: MakeApp, engine: sa.Engine) -> None:
    migrations.upgrade(engine)
    sa.event.listen(engine, "connect", set_up)
    engine.dispose()
    result = run(make_app(), "doctor")
    assert result.exit_code == 0
    assert "FAILED" not in result.output
    assert "warning" not in result.output


def set_up(connection: Any, _record: object) -> None:
    """As docs/operations.md wants it."""
    for pragma in ("journal_mode=WAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def test_the_doctor_says_to_upgrade(make_app: MakeApp) -> None:
    app = make_app()
    assert finding(app, "database").startswith("FAILED")
    assert "flask mlops db upgrade" in finding(app, "database")
    assert run(app, "doctor").exit_code == 1


def test_the_doctor_says_that_the_database_does_not_answer_and_keeps_its_password(
    make_app: MakeApp,
) -> None:
    dead = sa.create_engine("postgresql+psycopg://forge:hunter2@127.0.0.1:1/forge")
    result = run(make_app(engines=lambda: [dead]), "doctor")
    assert result.exit_code == 1
    assert "does not answer" in result.output
    assert "hunter2" not in result.output


def test_the_doctor_says_that_artifacts_cannot_be_stored(
    make_app: MakeApp, engine: sa.Engine, tmp_path: Path
) -> None:
    migrations.upgrade(engine)
    (tmp_path / "file").write_text("no folder")
    app = make_app({"MLOPS_ARTIFACTS_URL": str(tmp_path / "file" / "artifacts")})
    assert finding(app, "artifacts").startswith("FAILED")
    assert "MLOPS_ARTIFACTS_URL" in finding(app, "artifacts")
    assert run(app, "doctor").exit_code == 1


def test_the_doctor_leaves_no_file_behind(make_app: MakeApp, tmp_path: Path) -> None:
    folder = tmp_path / "artifacts"
    run(make_app({"MLOPS_ARTIFACTS_URL": str(folder)}), "doctor")
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("secret", [None, ""])
def test_nothing_starts_without_a_secret_key(make_app: MakeApp, secret: str | None) -> None:
    with pytest.raises(ValueError, match="SECRET_KEY is not set"):
        make_app({"SECRET_KEY": secret})


@pytest.mark.parametrize(("secret", "level"), [("dev", "warning"), (LONG_SECRET, "ok")])
def test_the_doctor_looks_at_the_secret_key(make_app: MakeApp, secret: str, level: str) -> None:
    assert finding(make_app({"SECRET_KEY": secret}), "SECRET_KEY").startswith(level)


def test_the_doctor_names_settings_and_keeps_their_values(make_app: MakeApp) -> None:
    app = make_app({"MLOPS_ARTIFACTS_OPTIONS": {"secret_access_key": "hunter2"}})
    output = run(app, "doctor").output
    assert "MLOPS_ARTIFACTS_OPTIONS" in output
    assert "hunter2" not in output


def test_the_doctor_finds_a_route_of_the_forge_in_the_way(make_app: MakeApp) -> None:
    app = make_app()
    path = "/api/v4/projects/1/ml/mlflow/api/2.0/mlflow/runs/get"
    app.add_url_rule(path, "catch_all", lambda: "")
    assert "catch_all" in finding(app, "routes")
    assert finding(app, "routes").startswith("FAILED")


def test_the_doctor_asks_the_adapter(make_app: MakeApp, forge: FakeForge) -> None:
    class Raises(FakeProjects):
        def by_id(self, project_id: int) -> Any:
            raise LookupError("no such project")

    class KnowsEverybody(FakeIdentity):
        def authenticate(self, credential: Any) -> Any:
            return "root"

    class Frameless(FakeChrome):
        def base_template(self) -> str:
            return "gone.html"

    app = make_app(projects=Raises(forge), identity=KnowsEverybody(forge), chrome=Frameless(forge))
    assert "raises LookupError: no such project" in finding(app, "host.projects")
    assert "gives 'root'" in finding(app, "host.identity")
    assert "'gone.html'" in finding(app, "host.chrome")


def test_the_doctor_names_the_parts_that_are_there_and_that_are_not(
    make_app: MakeApp, forge: FakeForge
) -> None:
    with_references, bare = make_app(), make_app(references=None)
    assert finding(with_references, "host.references").startswith("ok")
    for part in OPTIONAL_PARTS:
        assert finding(bare, f"host.{part}").startswith("--")


def add_candidate(session: Session, storage: Storage, project_id: int) -> None:
    """A candidate with a file, in a project."""
    experiment = Experiment(
        project_id=project_id, iid=0, name="Default", created_at=1, updated_at=1
    )
    session.add(experiment)
    session.flush()
    eid = f"{project_id:032}"
    session.add(
        Candidate(
            project_id=project_id,
            experiment_id=experiment.id,
            iid=1,
            eid=eid,
            name="oak",
            status=1,
            created_at=1,
        )
    )
    session.commit()
    storage.put(f"{project_id}/0/{eid}/artifacts/model.bin", [b"bytes"])


def test_purge_project_deletes_that_project_only_and_its_files(
    make_app: MakeApp, forge: FakeForge, engine: sa.Engine, tmp_path: Path
) -> None:
    migrations.upgrade(engine)
    app = make_app()
    storage: Storage = app.extensions["mlops"].storage
    with Session(engine) as session:
        add_candidate(session, storage, 7)
        add_candidate(session, storage, 8)
    assert run(app, "purge-project", "7", input="n\n").exit_code == 1
    assert storage.has_below("7")
    assert run(app, "purge-project", "7", "--yes").output == "Deleted: 1 candidates, 1 files.\n"
    with Session(engine) as session:
        assert session.scalars(sa.select(Candidate.project_id)).all() == [8]
    assert (storage.has_below("7"), storage.has_below("8")) == (False, True)


def test_purge_project_names_a_project_that_still_exists(
    make_app: MakeApp, forge: FakeForge, engine: sa.Engine
) -> None:
    migrations.upgrade(engine)
    project = forge.add_project("plants/trees")
    result = run(make_app(), "purge-project", str(project.id), input="n\n")
    assert "plants/trees" in result.output


def test_the_doctor_says_when_nobody_sends_messages(make_app: MakeApp, engine: sa.Engine) -> None:
    migrations.upgrade(engine)
    assert "ok" in finding(make_app(), "webhooks")
    with Session(engine) as session:
        texts = dict.fromkeys(("webhook_id", "name", "url", "events"), "x")
        times = dict.fromkeys(("created_at", "updated_at"), 1)
        session.add(hook := Webhook(project_id=1, is_active=True, **texts, **times))
        session.flush()
        texts = dict.fromkeys(("delivery_id", "event", "origin", "body"), "x")
        session.add(WebhookDelivery(webhook_id=hook.id, created_at=1, due_at=1, **texts))
        session.commit()
    line = finding(make_app(), "webhooks")
    assert line.startswith("warning")
    assert "no process sends them" in line


def test_purge_project_fails_if_files_stay(
    make_app: MakeApp, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations.upgrade(engine)

    def fail(storage: Storage, prefix: str) -> int:
        raise OSError("disk on fire")

    monkeypatch.setattr(Storage, "delete_below", fail)
    result = run(make_app(), "purge-project", "7", "--yes")
    assert result.exit_code == 1
    assert "the log says why" in result.output


def test_sweep_uploads_deletes_old_uploads_and_no_artifact(
    make_app: MakeApp, tmp_path: Path
) -> None:
    folder = tmp_path / "artifacts"
    app = make_app({"MLOPS_ARTIFACTS_URL": str(folder)})
    storage: Storage = app.extensions["mlops"].storage
    keys = ("7/.uploads/old/1", "7/.uploads/new/1", "7/0/eid/artifacts/model.bin")
    for key in keys:
        storage.put(key, [b"bytes"])
    for key in (keys[0], keys[2]):
        os.utime(folder / key, (1, 1))
    result = run(app, "sweep-uploads")
    assert result.output.startswith("Deleted: 1 multipart uploads,")
    assert [storage.exists(key) for key in keys] == [False, True, True]


def test_sweep_uploads_refuses_to_cut_off_living_uploads(make_app: MakeApp) -> None:
    app = make_app({"MLOPS_UPLOAD_URL_SECONDS": 7200})
    assert run(app, "sweep-uploads", "--hours", "1").exit_code == 2
    assert run(app, "sweep-uploads", "--hours", "2").exit_code == 0
