"""The end of an account: nobody can come back as it, and what it wrote stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from host_stub.accounts import remove_user
from host_stub.database import db
from host_stub.issuables import find
from host_stub.issues import Issue, create_issue
from host_stub.projects import Member
from host_stub.users import User, create_user, find_user
from tests.factories import Forge
from tests.host_stub.conftest import Announced, Browser, Code

SignedIn = Callable[[int], Browser]


def test_removed_user_is_gone_and_the_texts_stay(
    app: Flask, code: Code, forge: Forge, told: list[Announced], signed_in: SignedIn
) -> None:
    user = code.developer()
    username, user_id = user.username, user.id
    create_issue(code.project, user, "Still here")
    db.session.commit()
    secret, browser = forge.token(user_id), signed_in(user_id)
    assert forge.api(code.project.id, secret).create_run()
    assert username in browser.get("/").get_data(as_text=True)
    remove_user(user)
    db.session.commit()
    last = told[-1]
    assert (last.name, last.values["actor"].username) == ("user_removed", username)
    assert find_user(username) is None
    assert forge.api(code.project.id, secret).call("GET", "experiments/get").status_code == 401
    assert "Sign in" in browser.get("/").get_data(as_text=True)
    assert db.session.query(Member).filter_by(user_id=user_id).count() == 0
    issue = find(Issue, code.project.id, 1)
    assert issue is not None
    assert (issue.title, issue.author.name) == ("Still here", "Deleted user")
    identity = app.extensions["mlops"].host.identity
    with app.test_request_context():
        assert identity.actors([str(user_id), str(code.user.id)]).keys() == {str(code.user.id)}
    assert create_user(username).id > user_id  # the name is free again, for somebody else


def test_user_with_projects_is_not_removed(code: Code) -> None:
    with pytest.raises(ValueError, match="first"):
        remove_user(code.user)
    assert db.session.get_one(User, code.user.id).removed_at is None
