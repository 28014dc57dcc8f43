"""Two forges that differ in everything pass the suite that authors of adapters run."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from gitlab_mlops import Ability, Credential, Project, Source, migrations
from gitlab_mlops.testing import AdapterConformance, Forge, unsupported
from gitlab_mlops.testing.forge import Scheme, Visibility
from host_stub import (
    create_app,
    issuables,
    issues,
    merge_requests,
    pipelines,
    projects,
    repositories,
    statuses,
    tokens,
    users,
)
from host_stub.database import db
from host_stub.projects import Role
from tests import other_forge
from tests.postgresql import new_postgresql_database

ROLES = {
    Ability.READ: Role.REPORTER,
    Ability.WRITE: Role.DEVELOPER,
    Ability.MAINTAIN: Role.MAINTAINER,
}
PASSWORD = "correct horse battery"


class StubForge(Forge):
    """host_stub. Users are their ids."""

    schemes = ("bearer", "basic", "private-token")
    mark = "host_stub"

    def __init__(self, folder: Path, database_url: str) -> None:
        self.app = create_app(
            {
                "DATABASE_URL": database_url,
                "INSTANCE_PATH": str(folder),
                "MLOPS_ARTIFACTS_URL": str(folder / "artifacts"),
                "MLOPS_WEBHOOKS_THREAD": False,
                "SECRET_KEY": secrets.token_hex(),
                "TESTING": True,
            }
        )
        with self.app.app_context():
            db.create_all()
            migrations.upgrade(db.engine)

    @contextmanager
    def stored(self) -> Iterator[None]:
        """An application context whose changes are committed."""
        with self.app.test_request_context("/"):
            yield
            db.session.commit()

    def add_user(self, password: str | None = PASSWORD) -> int:
        with self.stored():
            return users.create_user(f"user-{secrets.token_hex(6)}", password).id

    def block_user(self, user: int) -> None:
        with self.stored():
            _user(user).is_blocked = True

    def add_project(self, visibility: Visibility) -> Project:
        owner = self.add_user(password=None)
        with self.stored():
            return projects.create_project(_user(owner), "trees", visibility=visibility).value

    def rename_project(self, project: Project) -> Project:
        with self.stored():
            found = _project(project)
            projects.rename_project(found, "forest")
            return found.value

    def delete_project(self, project: Project) -> None:
        with self.stored():
            projects.delete_project(_project(project))

    def add_member(self, project: Project, user: int, ability: Ability) -> None:
        with self.stored():
            projects.add_member(_project(project), _user(user), ROLES[ability])

    def remove_member(self, project: Project, user: int) -> None:
        with self.stored():
            projects.remove_member(_project(project), user)

    def add_token(
        self, user: int, scheme: Scheme, scope: str | None, *, expired: bool = False
    ) -> Credential:
        ends = int(time.time()) - 1 if expired else None
        with self.stored():
            _, secret = tokens.create_token(_user(user), "suite", [scope or ""], expires_at=ends)
            return Credential(scheme, secret, _user(user).username if scheme == "basic" else "")

    def revoke_token(self, credential: Credential) -> None:
        with self.stored():
            digest = tokens.digest_of(credential.secret)
            tokens.revoke_token(db.session.query(tokens.Token).filter_by(digest=digest).one())

    def sign_in(self, client: FlaskClient, user: int) -> None:
        with self.stored():
            username = _user(user).username
        client.get("/users/sign_in")
        with client.session_transaction() as session:
            form = {"username": username, "password": PASSWORD, "csrf_token": session["csrf"]}
        assert client.post("/users/sign_in", data=form).status_code == 303

    def add_project_token(self, project: Project, ability: Ability) -> Credential:
        with self.stored():
            _, secret = tokens.create_project_token(
                _project(project), "suite", ["api"], ROLES[ability]
            )
            return Credential("bearer", secret)

    def start_job(self, project: Project, user: int) -> tuple[str, Credential]:
        with self.stored():
            pipeline = pipelines.create_pipeline(_project(project), _user(user))
            job, secret = pipelines.start_job(pipeline, "train")
            return str(job.id), Credential("job-token", secret)

    def finish_job(self, project: Project, job_id: str) -> None:
        with self.stored():
            pipelines.finish_job(db.session.get_one(pipelines.Job, int(job_id)))

    def save_text(
        self, project: Project, user: int, text: str, source: Source | None = None
    ) -> Source:
        with self.stored():
            if source is None:
                issue = issues.create_issue(_project(project), _user(user), "Title", text)
                return issue.source
            issuables.edit(_issue(source), _user(user), title="Title", description=text)
            return source

    def delete_text(self, project: Project, source: Source) -> None:
        with self.stored():
            issuables.delete_issuable(_issue(source))

    def commit(
        self, project: Project, user: int, files: Mapping[str, bytes], *, branch: str | None = None
    ) -> str:
        with self.stored():
            name = branch or repositories.DEFAULT_BRANCH
            return repositories.commit(_project(project), name, files, "Work", _user(user))

    def fork(self, project: Project, user: int) -> Project:
        with self.stored():
            return projects.fork(_project(project), _user(user), _user(user)).value

    def open_merge_request(
        self, project: Project, user: int, branch: str, *, source_project: Project | None = None
    ) -> str:
        with self.stored():
            source = source_project and _project(source_project)
            made = merge_requests.create_merge_request(
                _project(project), _user(user), "Title", source_branch=branch, source_project=source
            )
            return str(made.iid)

    def merge(self, project: Project, merge_request: str, user: int) -> None:
        with self.stored():
            number = int(merge_request)
            found = issuables.find(merge_requests.MergeRequest, project.id, number)
            assert isinstance(found, merge_requests.MergeRequest)
            merge_requests.merge(found, _user(user))

    def commit_statuses(self, project: Project, sha: str) -> Mapping[str, str]:
        with self.stored():
            return {one.name: one.state for one in statuses.statuses(_project(project), sha)}


def _user(user_id: int) -> users.User:
    return db.session.get_one(users.User, user_id)


def _project(project: Project) -> projects.Project:
    return db.session.get_one(projects.Project, project.id)


def _issue(source: Source) -> issuables.Issuable:
    found = issuables.find(issues.Issue, source.project_id, int(source.id))
    assert found is not None
    return found


class SmallForge(Forge):
    """tests/other_forge.py. Users are their ids."""

    schemes = ("basic",)
    visibilities = ("private", "public")
    scopes = None
    mark = "<h1>Other forge:"
    texts = False

    def __init__(self, folder: Path, database_url: str) -> None:
        artifacts = (folder / "artifacts").as_uri()
        self.app = other_forge.create_app(database_url, artifacts, texts=self.texts)
        self.db = self.app.extensions["other_forge"][0]
        with self.app.app_context():
            migrations.upgrade(self.db.get_bind())

    def stored(self, row: Any) -> Any:
        """Store a row; its id."""
        with self.app.app_context():
            self.db.add(row)
            self.db.commit()
            return row.id if hasattr(row, "id") else None

    def add_user(self) -> int:
        return int(self.stored(other_forge.User(user=f"user{secrets.token_hex(6)}")))

    def add_project(self, visibility: Visibility, path: str = "") -> Project:
        path = (path or "{}").format(f"repo{secrets.token_hex(6)}")
        repo = other_forge.Repo(path=path, private=visibility == "private")
        return Project(self.stored(repo), path)

    def projects_by_prefix(self) -> dict[str, Project]:
        paths = ("{}", "plants/{}", "fork/ada/{}")
        return {
            prefix: self.add_project("public", path)
            for prefix, path in zip(other_forge.PREFIXES, paths, strict=True)
        }

    def rename_project(self, project: Project) -> Project:
        renamed = Project(project.id, f"plants/{project.path}")
        with self.app.app_context():
            self.db.get_one(other_forge.Repo, project.id).path = renamed.path
            self.db.commit()
        return renamed

    def delete_project(self, project: Project) -> None:
        other_forge.delete_repo(self.app, project.id)

    def add_member(self, project: Project, user: int, ability: Ability) -> None:
        levels = {Ability.READ: "ticket", Ability.WRITE: "commit", Ability.MAINTAIN: "admin"}
        row = other_forge.Access(repo_id=project.id, user_id=user, level=levels[ability])
        self.stored(row)

    def remove_member(self, project: Project, user: int) -> None:
        with self.app.app_context():
            self.db.delete(self.db.get_one(other_forge.Access, (project.id, user)))
            self.db.commit()

    def add_token(
        self, user: int, scheme: Scheme, scope: str | None, *, expired: bool = False
    ) -> Credential:
        if expired:
            unsupported("tokens do not expire")
        secret = secrets.token_urlsafe()
        digest = other_forge.digest_of(secret)
        self.stored(other_forge.Token(digest=digest, user_id=user))
        return Credential(scheme, secret, self.name(user))

    def revoke_token(self, credential: Credential) -> None:
        with self.app.app_context():
            digest = other_forge.digest_of(credential.secret)
            self.db.delete(self.db.get_one(other_forge.Token, digest))
            self.db.commit()

    def sign_in(self, client: FlaskClient, user: int) -> None:
        form = {"user": self.name(user), "_token": client.get("/login/").text}
        assert client.post("/login/", data=form).text == "Welcome"

    def name(self, user: int) -> str:
        """The name of a user."""
        with self.app.app_context():
            return str(self.db.get_one(other_forge.User, user).user)


class SmallForgeWithTexts(SmallForge):
    """The same forge, with tickets that a worker saves."""

    texts = True

    def save_text(
        self, project: Project, user: int, text: str, source: Source | None = None
    ) -> Source:
        number = int(source.id) if source else 0
        number = other_forge.save_ticket(self.app, project.id, user, number, text)
        return Source(project.id, "ticket", str(number))


class TestHostStub(AdapterConformance):
    def make_forge(self, folder: Path) -> StubForge:
        return StubForge(folder, f"sqlite:///{folder / 'forge.sqlite3'}")


class TestSmallForge(AdapterConformance):
    def make_forge(self, folder: Path) -> SmallForge:
        return SmallForge(folder, f"sqlite:///{folder / 'forge.sqlite3'}")


class TestSmallForgeWithTextsOnPostgreSQL(AdapterConformance):
    @pytest.fixture(autouse=True)
    def _server(self, postgresql_url: str) -> None:
        self.server = postgresql_url

    def make_forge(self, folder: Path) -> SmallForgeWithTexts:
        return SmallForgeWithTexts(folder, new_postgresql_database(self.server))
