"""The application as a whole: configuration, headers, limits, and the command line."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import inspect

from gitlab_mlops import Ability, Actor, Source, migrations
from host_stub import create_app
from host_stub.database import create_tables, db
from host_stub.issues import create_issue
from host_stub.merge_requests import create_merge_request
from host_stub.projects import Project, create_project
from host_stub.statuses import set_status
from host_stub.users import User, create_user
from tests.factories import Forge, bearer
from tests.host_stub.conftest import Browser


@contextmanager
def made(folder: Path, **config: object) -> Iterator[Flask]:
    app = create_app({"INSTANCE_PATH": str(folder), **config})
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_secret_is_made_once_and_for_the_owner_of_the_process_only(tmp_path: Path) -> None:
    with made(tmp_path / "one") as first, made(tmp_path / "one") as again:
        assert first.config["SECRET_KEY"] == again.config["SECRET_KEY"]
        assert len(first.config["SECRET_KEY"]) == 64
    with made(tmp_path / "two") as other:
        assert other.config["SECRET_KEY"] != first.config["SECRET_KEY"]
    assert stat.S_IMODE((tmp_path / "one" / "secret_key").stat().st_mode) == 0o600


def test_configuration_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST_STUB_SECRET_KEY", "12345678")
    monkeypatch.setenv("HOST_STUB_MLOPS_MAX_ARTIFACT_BYTES", "1000")
    monkeypatch.setenv("HOST_STUB_SESSION_COOKIE_SECURE", "true")
    with made(tmp_path) as app:
        assert app.config["SECRET_KEY"] == "12345678"
        assert app.config["SESSION_COOKIE_SECURE"] is True
        assert app.extensions["mlops"].settings.max_artifact_bytes == 1000
        assert not (tmp_path / "secret_key").exists()


def test_sqlite_is_set_up_for_several_writers(tmp_path: Path) -> None:
    with made(tmp_path) as app, app.app_context():
        names = ("journal_mode", "synchronous", "busy_timeout", "foreign_keys")
        found = [db.session.execute(db.text(f"PRAGMA {name}")).scalar() for name in names]
        assert found == ["wal", 1, 10000, 1]


def test_tables_of_an_earlier_version_get_what_they_lack(tmp_path: Path) -> None:
    later = {"projects": "forked_from_id", "issuables": "source_project_id", "jobs": "log"}
    with made(tmp_path) as app, app.app_context():
        db.create_all()
        migrations.upgrade(db.engine)
        create_user("alice", "long enough")
        db.session.commit()
        db.session.execute(db.text("DROP INDEX ix_projects_forked_from_id"))
        for table, column in later.items():
            db.session.execute(db.text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        db.session.execute(db.text("DROP TABLE commit_statuses"))
        db.session.commit()
        create_tables()
        create_tables()
        user = db.session.query(User).one()
        project = create_project(user, "after")
        assert create_merge_request(project, user, "M").source_project_id == project.id
        assert set_status(project, "a" * 40, "gate", "success").id
        known = inspect(db.engine)
        for table, column in later.items():
            assert column in {found["name"] for found in known.get_columns(table)}
        indexes = {found["name"] for found in known.get_indexes("projects")}
        assert "ix_projects_forked_from_id" in indexes


def test_two_applications_in_one_process_have_their_own_events(tmp_path: Path) -> None:
    with made(tmp_path / "one") as one, made(tmp_path / "two") as two:
        hosts = [app.extensions["mlops"].host for app in (one, two)]
        assert hosts[0].events.text_saved is not hosts[1].events.text_saved


def test_every_page_has_a_policy_with_a_fresh_nonce(browser: Browser) -> None:
    policies = [browser.get("/").headers["Content-Security-Policy"] for _ in range(2)]
    assert all("default-src 'none'" in policy for policy in policies)
    assert "unsafe" not in policies[0]
    nonces = [re.findall(r"nonce-([\w-]{20,})", policy)[0] for policy in policies]
    assert nonces[0] != nonces[1]
    assert browser.get("/").headers["X-Content-Type-Options"] == "nosniff"


def test_pages_hold_no_inline_style_or_script(browser: Browser) -> None:
    for page in ("/", "/explore", "/users/sign_in", "/no-such-page"):
        text = browser.client.get(page, follow_redirects=True).get_data(as_text=True)
        assert not re.search(r"\sstyle=|\son\w+=|<script>|<style", text), page


def test_form_over_four_megabytes_is_refused_and_the_api_is_not(
    browser: Browser, forge: Forge
) -> None:
    body = b"x" * (4 * 1024 * 1024 + 1)
    form = "application/x-www-form-urlencoded"
    refused = browser.client.post("/users/sign_in", data=body, content_type=form)
    assert refused.status_code == 413
    api = forge.developer()
    run_id = api.create_run()
    path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/big.bin"
    sent = api.call("PUT", path, data=body, content_type=form)
    assert sent.status_code == 200, sent.get_data(as_text=True)


def test_unknown_page_below_a_number_that_no_database_holds_is_not_found(
    forge: Forge, browser: Browser
) -> None:
    path = forge.path(forge.project("public"))
    for number in ("99999999999999999999", "0", "2147483647"):
        for page in ("issues", "merge_requests", "pipelines", "jobs"):
            assert browser.get(f"/{path}/-/{page}/{number}").status_code == 404
    assert browser.get(f"/{path}/-/issues?page=99999999999999999999").status_code == 200
    assert browser.get(f"/{path}/-/issues?page=99999").status_code == 200


def test_links_to_places_are_for_those_who_may_see_them(app: Flask, forge: Forge) -> None:
    sources, projects = [], [forge.project(v) for v in ("private", "internal", "public")]
    with forge.stored():
        for project_id in projects:
            project = db.session.get_one(Project, project_id)
            owner = project.namespace.owner
            sources += [create_issue(project, owner, "I").source]
            sources += [create_merge_request(project, owner, "M").source]
    missing = [Source(projects[0], "issue", i) for i in ("2", "x", "0", "9" * 30, "-1")]
    guest = forge.member(projects[0], "guest")
    people = {
        None: [4, 5],
        Actor(str(forge.user()), "outsider"): [2, 3, 4, 5],
        Actor(str(guest), "guest"): [0, 2, 3, 4, 5],
        Actor(str(forge.member(projects[0], "reporter")), "reporter"): [0, 1, 2, 3, 4, 5],
        Actor(str(guest), "bound", project_id=projects[0]): [0],
    }
    references = app.extensions["mlops"].host.references
    for actor, indexes in people.items():
        with app.app_context():
            links = references.links(actor, sources + missing)
        assert set(links) == {sources[i] for i in indexes}, actor
        assert all(link.url.startswith("/") and link.state == "opened" for link in links.values())


def test_ids_that_are_no_ids_are_nobody_and_nothing(app: Flask, forge: Forge) -> None:
    host = app.extensions["mlops"].host
    user_id, project_id = forge.user(), forge.project()
    with app.test_request_context():
        assert list(host.identity.actors(["x", "", "²", "9" * 40, str(user_id)])) == [str(user_id)]
        project = host.projects.by_id(project_id)
        assert host.projects.by_path(project.path) == project
        assert host.projects.by_path("a\0b") is None
        assert [host.projects.by_id(i) for i in (0, -1, 2**63)] == [None] * 3
        assert host.ci.job(project, "x") is None
        assert not host.permissions.can(None, Ability.READ, project)


def test_command_line_peoples_a_forge(tmp_path: Path) -> None:
    with made(tmp_path) as app:
        runner = app.test_cli_runner()

        def run(*words: str, ok: bool = True) -> str:
            result = runner.invoke(args=list(words))
            assert (result.exit_code == 0) == ok, result.output
            return result.output.strip()

        run("init-db")
        run("mlops", "db", "upgrade")
        run("create-user", "alice", "--password", "long enough")
        run("create-user", "bob", "--password", "long enough")
        assert "taken" in run("create-user", "bob", "--password", "long enough", ok=False)
        run("create-group", "research", "--owner", "alice")
        project_id = run("create-project", "research/churn", "--visibility", "internal")
        run("add-member", "research/churn", "bob", "developer")
        secret = run("create-token", "--user", "bob", "--scope", "api")
        job_id, job_secret = run("start-job", "research/churn", "--user", "bob").split()
        url = f"/api/v4/projects/{project_id}/ml/mlflow/api/2.0/mlflow/experiments/get"
        query = {"experiment_id": "0"}

        def status(token: str) -> int:
            client = app.test_client()
            return client.get(url, query_string=query, headers=bearer(token)).status_code

        assert [status(secret), status(job_secret)] == [200, 200]
        run("finish-job", job_id)
        assert [status(secret), status(job_secret)] == [200, 401]
        run("block-user", "bob")
        assert status(secret) == 401
        assert status(run("create-token", "--project", "research/churn")) == 200
        assert "no project" in run("create-token", "--project", "research/no", ok=False)


def test_seed_peoples_a_forge_once(tmp_path: Path) -> None:
    with made(tmp_path) as app:
        runner = app.test_cli_runner()
        for words in (["init-db"], ["mlops", "db", "upgrade"]):
            assert runner.invoke(args=words).exit_code == 0
        output = runner.invoke(args=["seed"]).output
        passwords = dict(line.split() for line in output.splitlines())
        browser = Browser(app.test_client())
        assert browser.sign_in("carol", passwords["carol"]).status_code == 303
        assert browser.get("/research/churn/-/issues/1").status_code == 200
        again = runner.invoke(args=["seed"])
        assert again.exit_code == 1
        assert "taken" in again.output
