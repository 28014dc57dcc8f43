"""Access tokens and job tokens: who stands behind one, and when nobody does any more."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select, update

from gitlab_mlops import Actor, Credential
from host_stub.database import db, now
from host_stub.pipelines import Job, finish_job
from host_stub.tokens import LAST_USED_EVERY, Token, digest_of
from host_stub.users import User
from tests.factories import Forge
from tests.host_stub.conftest import Browser

OWN = "/-/user_settings/personal_access_tokens"


def actor_of(app: Flask, secret: str, scheme: str = "bearer") -> Actor | None:
    with app.app_context():
        credential = Credential(scheme, secret)  # type: ignore[arg-type]
        found: Actor | None = app.extensions["mlops"].host.identity.authenticate(credential)
        return found


@pytest.mark.parametrize("scheme", ["bearer", "basic", "private-token"])
def test_token_stands_for_its_user_with_its_scopes(app: Flask, forge: Forge, scheme: str) -> None:
    user_id = forge.user()
    actor = actor_of(app, forge.token(user_id, "read_api", "mlops:write"), scheme)
    assert actor is not None
    assert actor.id == str(user_id)
    assert actor.scopes == {"read_api", "mlops:write"}
    assert actor.project_id is None


def test_expired_token_is_nobody(app: Flask, forge: Forge) -> None:
    assert actor_of(app, forge.token(forge.user(), expired=True)) is None


def test_revoked_token_is_nobody(app: Flask, forge: Forge) -> None:
    assert actor_of(app, forge.token(forge.user(), revoked=True)) is None


def test_token_of_a_blocked_user_is_nobody(app: Flask, forge: Forge) -> None:
    assert actor_of(app, forge.token(forge.user(blocked=True))) is None


@pytest.mark.parametrize("secret", ["", "glpat-", "glpat-x", "glcbt-x", "\0", "\udc80", "x" * 9999])
def test_unknown_secret_is_nobody(app: Flask, secret: str) -> None:
    assert actor_of(app, secret) is None


def test_database_does_not_hold_the_secret(app: Flask, forge: Forge) -> None:
    secret = forge.token(forge.user())
    with app.app_context():
        row = db.session.scalars(select(Token).where(Token.digest == digest_of(secret))).one()
        assert secret not in str([getattr(row, c.key) for c in Token.__table__.columns])


def test_project_token_is_a_bot_bound_to_the_project(app: Flask, forge: Forge) -> None:
    project_id = forge.project()
    actor = actor_of(app, forge.project_token(project_id, "developer", "api"))
    assert actor is not None
    assert actor.project_id == project_id
    with app.app_context():
        assert db.session.get_one(User, int(actor.id)).is_bot


def test_job_token_is_the_user_in_the_job_while_it_runs(app: Flask, forge: Forge) -> None:
    project_id, user_id = forge.project(), forge.user()
    secret = forge.job_token(project_id, user_id)
    actor = actor_of(app, secret, "job-token")
    assert actor is not None
    assert actor.job is not None
    assert (actor.id, actor.project_id, actor.scopes) == (str(user_id), project_id, None)
    assert (actor.job.project_id, actor.job.ref, actor.job.sha) == (project_id, "main", "0" * 40)
    with forge.stored():
        finish_job(db.session.get_one(Job, int(actor.job.id)))
    assert actor_of(app, secret, "job-token") is None


def test_job_token_of_a_blocked_user_is_nobody(app: Flask, forge: Forge) -> None:
    assert actor_of(app, forge.job_token(forge.project(), forge.user(blocked=True))) is None


def test_job_token_header_takes_job_tokens_only(app: Flask, forge: Forge) -> None:
    assert actor_of(app, forge.token(forge.user()), "job-token") is None


def test_last_use_is_written_at_most_once_an_hour(app: Flask, forge: Forge) -> None:
    secret = forge.token(forge.user())
    mine = Token.digest == digest_of(secret)

    def last_use_after(moment: int | None) -> int | None:
        with forge.stored():
            db.session.execute(update(Token).where(mine).values(last_used_at=moment))
        actor_of(app, secret)
        with app.app_context():
            return db.session.scalar(select(Token.last_used_at).where(mine))

    assert last_use_after(None) is not None
    lately = now() - LAST_USED_EVERY + 60
    assert last_use_after(lately) == lately
    long_ago = now() - LAST_USED_EVERY - 60
    assert (last_use_after(long_ago) or 0) > lately


def test_page_shows_the_secret_of_a_new_token_once(
    app: Flask, forge: Forge, signed_in: Callable[[int], Browser]
) -> None:
    user_id = forge.user()
    browser = signed_in(user_id)
    page = browser.post(OWN, {"name": "laptop", "scopes": "api"}).get_data(as_text=True)
    secret = re.findall(r'value="(glpat-[^"]+)"', page)[0]
    actor = actor_of(app, secret)
    assert actor is not None
    assert actor.id == str(user_id)
    assert "glpat-" not in browser.get(OWN).get_data(as_text=True)


@pytest.mark.parametrize(
    "form",
    [
        {"name": "", "scopes": "api"},
        {"name": "x"},
        {"name": "x", "scopes": "sudo"},
        {"name": "x", "scopes": "api", "expires_on": "2001-01-01"},
        {"name": "x", "scopes": "api", "expires_on": "soon"},
    ],
)
def test_page_refuses_a_token_that_makes_no_sense(
    forge: Forge, signed_in: Callable[[int], Browser], form: dict[str, str]
) -> None:
    response = signed_in(forge.user()).post(OWN, form)
    assert response.status_code == 422
    assert "glpat-" not in response.get_data(as_text=True)


def test_only_the_owner_of_a_token_revokes_it(
    app: Flask, forge: Forge, signed_in: Callable[[int], Browser]
) -> None:
    user_id = forge.user()
    secret = forge.token(user_id)
    with app.app_context():
        token_id = db.session.scalar(select(Token.id).where(Token.digest == digest_of(secret)))
    assert signed_in(forge.user()).post(f"{OWN}/{token_id}/revoke").status_code == 404
    assert actor_of(app, secret) is not None
    assert signed_in(user_id).post(f"{OWN}/{token_id}/revoke").status_code == 303
    assert actor_of(app, secret) is None


def test_maintainer_cannot_make_an_owner_token(
    forge: Forge, signed_in: Callable[[int], Browser]
) -> None:
    project_id = forge.project()
    browser = signed_in(forge.member(project_id, "maintainer"))
    page = f"/{forge.path(project_id)}/-/settings/access_tokens"
    form = {"name": "x", "scopes": "api"}
    assert browser.post(page, {**form, "role": "50"}).status_code == 422
    assert "glpat-" in browser.post(page, {**form, "role": "40"}).get_data(as_text=True)
