"""A forge to test against: host_stub with the plugin, and short ways to people it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from host_stub import merge_requests, pipelines, projects, tokens, users
from host_stub.database import db

ROLES = {"guest": 10, "reporter": 20, "developer": 30, "maintainer": 40, "owner": 50}


@dataclass
class Api:
    """MLflow's API of one project, as one holder of a credential sees it, in process."""

    app: Flask
    project_id: int
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The tracking URI's path."""
        return f"/api/v4/projects/{self.project_id}/ml/mlflow"

    def call(self, method: str, path: str, **options: Any) -> TestResponse:
        """Send a request; `path` is below the tracking URI, or below `/api/2.0/mlflow/`."""
        full = path if path.startswith("/") else f"/api/2.0/mlflow/{path}"
        options["headers"] = {**self.headers, **options.get("headers", {})}
        return self.app.test_client().open(self.base + full, method=method, **options)

    def post(self, path: str, /, **body: Any) -> dict[str, Any]:
        """POST that must succeed; the answer's JSON."""
        return _good(self.call("POST", path, json=body))

    def get(self, path: str, /, **query: Any) -> dict[str, Any]:
        """GET that must succeed; the answer's JSON."""
        return _good(self.call("GET", path, query_string=query))

    def refused(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """(status, error_code) of a request that must fail."""
        response = self.call(method, path, **options)
        assert response.status_code >= 400, response.get_data(as_text=True)
        return response.status_code, response.get_json()["error_code"]

    def create_run(self, experiment_id: str = "0", **fields: Any) -> str:
        """Start a run; its id."""
        fields = {"start_time": 1_700_000_000_000, **fields, "experiment_id": experiment_id}
        run_id: str = self.post("runs/create", **fields)["run"]["info"]["run_id"]
        return run_id


def _good(response: TestResponse) -> dict[str, Any]:
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: dict[str, Any] = response.get_json()
    return answer


@dataclass
class Forge:
    """Makes users, projects and tokens under random names, and calls the API as them."""

    app: Flask

    @contextmanager
    def stored(self) -> Iterator[None]:
        """An application context whose changes are committed."""
        with self.app.app_context():
            yield
            db.session.commit()

    def user(self, *, blocked: bool = False) -> int:
        """A user; the id."""
        with self.stored():
            user = users.create_user(f"user-{secrets.token_hex(6)}")
            user.is_blocked = blocked
            return int(user.id)

    def project(self, visibility: str = "private") -> int:
        """A project in a namespace of its own owner; the id."""
        with self.stored():
            owner = users.create_user(f"owner-{secrets.token_hex(6)}")
            return int(projects.create_project(owner, "vision", visibility=visibility).id)

    def path(self, project_id: int) -> str:
        """The full path of a project."""
        with self.stored():
            project = db.session.get(projects.Project, project_id)
            assert project is not None
            return str(project.full_path)

    def add_member(self, project_id: int, user_id: int, role: str) -> None:
        """Give a user a role in a project."""
        with self.stored():
            project = db.session.get(projects.Project, project_id)
            user = db.session.get(users.User, user_id)
            assert project is not None
            assert user is not None
            projects.add_member(project, user, ROLES[role])

    def member(self, project_id: int, role: str) -> int:
        """A new user with a role in a project; the id."""
        user_id = self.user()
        self.add_member(project_id, user_id, role)
        return user_id

    def merge_request(self, project_id: int) -> int:
        """A merge request of branches that do not exist; its number in the project."""
        with self.stored():
            project = db.session.get_one(projects.Project, project_id)
            author = users.create_user(f"author-{secrets.token_hex(6)}")
            return int(merge_requests.create_merge_request(project, author, "A change").iid)

    def token(
        self, user_id: int, *scopes: str, expired: bool = False, revoked: bool = False
    ) -> str:
        """A personal access token; the secret."""
        with self.stored():
            user = db.session.get(users.User, user_id)
            assert user is not None
            ends = int(time.time()) - 60 if expired else None
            token, secret = tokens.create_token(user, "test", scopes or ("api",), expires_at=ends)
            if revoked:
                tokens.revoke_token(token)
            return secret

    def project_token(self, project_id: int, role: str, *scopes: str) -> str:
        """A project access token; the secret."""
        with self.stored():
            project = db.session.get(projects.Project, project_id)
            assert project is not None
            return tokens.create_project_token(project, "test", scopes or ("api",), ROLES[role])[1]

    def job_token(self, project_id: int, user_id: int, *, finished: bool = False) -> str:
        """The token of a CI job that a user started; the secret."""
        with self.stored():
            project = db.session.get(projects.Project, project_id)
            user = db.session.get(users.User, user_id)
            assert project is not None
            assert user is not None
            pipeline = pipelines.create_pipeline(project, user, ref="main", sha="0" * 40)
            job, secret = pipelines.start_job(pipeline, "train")
            if finished:
                pipelines.finish_job(job)
            return secret

    def api(self, project_id: int, secret: str | None) -> Api:
        """The API of a project with a token."""
        return Api(self.app, project_id, bearer(secret))

    def developer(self, visibility: str = "private") -> Api:
        """The API of a fresh project as one of its developers."""
        project_id = self.project(visibility)
        return self.api(project_id, self.token(self.member(project_id, "developer")))

    def maintainer(self, visibility: str = "private") -> Api:
        """The API of a fresh project as one of its maintainers."""
        project_id = self.project(visibility)
        return self.api(project_id, self.token(self.member(project_id, "maintainer")))


def bearer(secret: str | None) -> dict[str, str]:
    """The header that MLflow's client sends for MLFLOW_TRACKING_TOKEN."""
    return {} if secret is None else {"Authorization": f"Bearer {secret}"}
