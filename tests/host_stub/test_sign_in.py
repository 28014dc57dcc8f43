"""Signing in and out, and the guard of forms."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from host_stub.database import db
from host_stub.users import find_user, local_url
from tests.factories import Forge
from tests.host_stub.conftest import PASSWORD, Browser

Person = Callable[[], str]


def test_name_and_password_open_a_session(browser: Browser, person: Person) -> None:
    username = person()
    assert browser.sign_in(username, next_url="/projects/new").location == "/projects/new"
    assert f"@{username}" in browser.get("/").get_data(as_text=True)


@pytest.mark.parametrize("password", ["", "wrong", PASSWORD + " ", PASSWORD.upper()])
def test_wrong_password_is_refused(browser: Browser, person: Person, password: str) -> None:
    username = person()
    response = browser.sign_in(username, password)
    assert response.status_code == 401
    assert "Wrong username or password." in response.get_data(as_text=True)
    assert browser.get("/projects/new").status_code == 302


def test_unknown_user_gets_the_same_answer_as_a_wrong_password(
    browser: Browser, person: Person
) -> None:
    username = person()
    known = browser.sign_in(username, "wrong").get_data(as_text=True)
    unknown = browser.sign_in("nobody-at-all", "wrong").get_data(as_text=True)
    assert unknown.replace("nobody-at-all", username) == known


def test_user_without_a_password_cannot_sign_in(browser: Browser, forge: Forge) -> None:
    user_id = forge.user()
    with forge.stored():
        from host_stub.users import User

        username = db.session.get_one(User, user_id).username
    assert browser.sign_in(username, "").status_code == 401


def test_blocked_user_cannot_sign_in_and_loses_the_session(
    browser: Browser, person: Person, forge: Forge
) -> None:
    username = person()
    browser.sign_in(username)
    assert browser.get("/projects/new").status_code == 200
    with forge.stored():
        user = find_user(username)
        assert user is not None
        user.is_blocked = True
    assert browser.get("/projects/new").status_code == 302
    assert "blocked" in browser.sign_in(username).get_data(as_text=True)


def test_signing_out_ends_the_session(browser: Browser, person: Person) -> None:
    browser.sign_in(person())
    browser.post("/users/sign_out")
    assert browser.get("/projects/new").status_code == 302


def test_signing_in_starts_a_new_csrf_token(browser: Browser, person: Person) -> None:
    before = browser.csrf_token()
    browser.sign_in(person())
    assert browser.csrf_token() != before


@pytest.mark.parametrize(
    "url", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil", "", None]
)
def test_signing_in_never_leads_to_another_host(url: str | None) -> None:
    assert local_url(url) == "/"


@pytest.mark.parametrize("form", [{}, {"csrf_token": ""}, {"csrf_token": "é"}])
def test_form_without_the_right_csrf_token_is_refused(
    browser: Browser, person: Person, form: dict[str, str]
) -> None:
    browser.sign_in(person())
    data = {"name": "x", "scopes": "api", **form}
    response = browser.client.post("/-/user_settings/personal_access_tokens", data=data)
    assert response.status_code == 403
    assert "glpat-" not in response.get_data(as_text=True)


def test_csrf_token_of_another_session_is_refused(
    app: Flask, browser: Browser, person: Person
) -> None:
    browser.sign_in(person())
    other = Browser(app.test_client()).csrf_token()
    response = browser.post("/users/sign_out", {"csrf_token": other})
    assert response.status_code == 403
    assert browser.get("/projects/new").status_code == 200


def test_csrf_token_may_come_in_a_header(browser: Browser, person: Person) -> None:
    browser.sign_in(person())
    header = {"X-CSRF-Token": browser.csrf_token()}
    assert browser.client.post("/users/sign_out", headers=header).status_code == 303
