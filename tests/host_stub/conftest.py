"""Fixtures of the forge's own tests: people with browsers, and what the forge announced."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from contextvars import Context
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gitlab_mlops import Events
from host_stub import repositories
from host_stub.database import db
from host_stub.projects import Project, Role, add_member, create_project
from host_stub.users import User, create_user
from tests.factories import Forge

PASSWORD = "correct horse battery staple"


@dataclass
class Browser:
    """Somebody's browser: it keeps cookies, and sends the CSRF token of the page it was on."""

    client: FlaskClient
    username: str = ""

    def get(self, path: str) -> TestResponse:
        """Open a page."""
        return self._send(self.client.get, path)

    def post(self, path: str, form: dict[str, Any] | None = None) -> TestResponse:
        """Send a form."""
        data = {"csrf_token": self.csrf_token(), **(form or {})}
        return self._send(self.client.post, path, data=data)

    def csrf_token(self) -> str:
        """The token in the forms of this session."""
        answer = self._send(self.client.get, "/users/sign_in", follow_redirects=True)
        page = answer.get_data(as_text=True)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found
        return found[1]

    def sign_in(self, username: str, password: str = PASSWORD, next_url: str = "") -> TestResponse:
        """Fill in the sign-in form."""
        form = {"username": username, "password": password, "next": next_url}
        return self.post("/users/sign_in", form)

    def _send(self, call: Callable[..., TestResponse], path: str, **options: Any) -> TestResponse:
        """Send a request, without the application context that the test may be in: Flask would
        take it for the request's, and remember who was signed in before."""
        return Context().run(call, path, **options)


@pytest.fixture
def browser(app: Flask) -> Browser:
    """The browser of somebody who is not signed in."""
    return Browser(app.test_client())


@pytest.fixture
def person(forge: Forge) -> Callable[[], str]:
    """Make a person with a password; the username."""

    def make() -> str:
        with forge.stored():
            return str(create_user(f"person-{secrets.token_hex(6)}", PASSWORD).username)

    return make


@pytest.fixture
def signed_in(app: Flask, forge: Forge) -> Callable[[int], Browser]:
    """The browser of a user, by id, without the slow check of a password."""

    def make(user_id: int) -> Browser:
        client = app.test_client()
        with client.session_transaction() as session:
            session["_user_id"] = str(user_id)
        return Browser(client)

    return make


@dataclass
class Announced:
    """A signal that was sent, and whether it was before the change was committed."""

    name: str
    values: dict[str, Any]
    in_transaction: bool


@pytest.fixture
def announced(app: Flask) -> Iterator[list[Announced]]:
    """What the forge announces during the test, in order."""
    heard: list[Announced] = []

    def listener(name: str) -> Callable[..., None]:
        def hear(_sender: Flask, **values: Any) -> None:
            heard.append(Announced(name, values, db.session().in_transaction()))

        return hear

    events = app.extensions["mlops"].host.events
    listeners = {name: listener(name) for name in ("text_saved", "text_deleted", "project_deleted")}
    for name, hear in listeners.items():
        getattr(events, name).connect(hear, sender=app)
    yield heard
    for name, hear in listeners.items():
        getattr(events, name).disconnect(hear, sender=app)


OTHERS = ("project_renamed", "state_changed", "branch_moved", "pipeline_finished", "user_removed")


@pytest.fixture
def told(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[Announced]:
    """What is announced beside texts during the test, in order; the plugin hears none of it."""
    heard: list[Announced] = []
    events = Events()

    def listener(name: str) -> Callable[..., None]:
        def hear(_sender: Flask, **values: Any) -> None:
            heard.append(Announced(name, values, db.session().in_transaction()))

        return hear

    for name in OTHERS:
        getattr(events, name).connect(listener(name), sender=app, weak=False)
    monkeypatch.setitem(app.extensions, "host_stub", events)
    return heard


@dataclass
class Code:
    """A public project whose repository is worked on by its owner, in an application context."""

    project: Project
    user: User

    def commit(
        self, branch: str = "main", files: dict[str, Any] | None = None, **options: Any
    ) -> str:
        """Commit; without `files`, a file that no other commit has. The sha."""
        files = {f"{secrets.token_hex(6)}.txt": "x"} if files is None else files
        options = {"message": "Change something", "author": self.user, **options}
        return repositories.commit(self.project, branch, files, **options)

    def developer(self) -> User:
        """Somebody else who may write to the project."""
        user = create_user(f"developer-{secrets.token_hex(6)}")
        add_member(self.project, user, Role.DEVELOPER)
        return user


@pytest.fixture
def code(app: Flask) -> Iterator[Code]:
    """A project without commits."""
    with app.app_context():
        user = create_user(f"coder-{secrets.token_hex(6)}", name="Cora Coder")
        project = create_project(user, "model", visibility="public")
        db.session.commit()
        yield Code(project, user)
        db.session.rollback()
