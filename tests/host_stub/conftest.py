"""Fixtures of the forge's own tests: people with browsers, and what the forge announced."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from host_stub.database import db
from host_stub.users import create_user
from tests.factories import Forge

PASSWORD = "correct horse battery staple"


@dataclass
class Browser:
    """Somebody's browser: it keeps cookies, and sends the CSRF token of the page it was on."""

    client: FlaskClient
    username: str = ""

    def get(self, path: str) -> TestResponse:
        """Open a page."""
        return self.client.get(path)

    def post(self, path: str, form: dict[str, Any] | None = None) -> TestResponse:
        """Send a form."""
        return self.client.post(path, data={"csrf_token": self.csrf_token(), **(form or {})})

    def csrf_token(self) -> str:
        """The token in the forms of this session."""
        page = self.client.get("/users/sign_in", follow_redirects=True).get_data(as_text=True)
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found
        return found[1]

    def sign_in(self, username: str, password: str = PASSWORD, next_url: str = "") -> TestResponse:
        """Fill in the sign-in form."""
        form = {"username": username, "password": password, "next": next_url}
        return self.post("/users/sign_in", form)


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
