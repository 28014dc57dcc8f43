"""Issues and merge requests: numbers, rights, and what the plugin hears of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from gitlab_mlops import Actor, Source
from host_stub.database import db
from host_stub.issuables import Comment, delete_issuable, find
from host_stub.issues import Issue, create_issue
from host_stub.merge_requests import create_merge_request
from host_stub.projects import Project
from host_stub.users import User
from tests.factories import Forge
from tests.host_stub.conftest import Announced, Browser

SignedIn = Callable[[int], Browser]
KINDS = [("issues", "issue"), ("merge_requests", "merge_request")]


@pytest.mark.parametrize(("page", "kind"), KINDS)
def test_each_change_of_a_text_is_announced_whole(
    forge: Forge, signed_in: SignedIn, announced: list[Announced], page: str, kind: str
) -> None:
    project_id = forge.project()
    browser = signed_in(forge.member(project_id, "owner"))
    base = f"/{forge.path(project_id)}/-/{page}"

    def texts(path: str, form: dict[str, Any] | None = None) -> list[str]:
        """Send a form; what was announced to be said now."""
        announced.clear()
        assert browser.post(base + path, form).status_code == 303
        assert all(one.in_transaction for one in announced)
        assert {one.values["source"] for one in announced} <= {Source(project_id, kind, "1")}
        return [one.values.get("html", one.name) for one in announced]

    assert texts("/new", {"title": "T", "description": "one"}) == ["<p>one</p>\n"]
    assert texts("/1/comments", {"text": "two"}) == ["<p>one</p>\n<p>two</p>\n"]
    comment_id = announced_comment(forge, project_id)
    assert texts(f"/1/comments/{comment_id}/edit", {"text": "three"}) == [
        "<p>one</p>\n<p>three</p>\n"
    ]
    assert texts("/1/edit", {"title": "T", "description": ""}) == ["<p>three</p>\n"]
    assert texts("/1/state", {"state": "closed"}) == []
    assert texts(f"/1/comments/{comment_id}/delete") == [""]
    assert texts("/1/delete") == ["text_deleted"]


def test_an_unclosed_fence_hides_nothing_of_another_comment(
    forge: Forge, signed_in: SignedIn, announced: list[Announced]
) -> None:
    project_id = forge.project()
    browser = signed_in(forge.member(project_id, "owner"))
    page = f"/{forge.path(project_id)}/-/issues"
    browser.post(f"{page}/new", {"title": "T", "description": "```\nnever closed"})
    browser.post(f"{page}/1/comments", {"text": "two"})
    assert announced[-1].values["html"].endswith("</pre>\n<p>two</p>\n")


def announced_comment(forge: Forge, project_id: int) -> int:
    with forge.stored():
        newest = (
            select(Comment.id)
            .join(Comment.issuable)
            .where(Comment.issuable.property.mapper.class_.project_id == project_id)
        )
        return int(db.session.scalars(newest.order_by(Comment.id.desc())).first() or 0)


def test_announcement_names_who_wrote(
    forge: Forge, signed_in: SignedIn, announced: list[Announced]
) -> None:
    project_id = forge.project("public")
    user_id = forge.user()
    path = forge.path(project_id)
    signed_in(user_id).post(f"/{path}/-/issues/new", {"title": "T", "description": "x"})
    assert announced[0].values["actor"].id == str(user_id)
    assert announced[0].values["project"].path == path


def test_numbers_count_per_project_and_kind_and_are_not_given_again(forge: Forge) -> None:
    first, second = forge.project(), forge.project()
    with forge.stored():
        a, b = (db.session.get_one(Project, id_) for id_ in (first, second))
        user = db.session.get_one(User, forge_user(a))
        issues = [create_issue(a, user, "T") for _ in range(3)]
        assert [issue.iid for issue in issues] == [1, 2, 3]
        assert create_merge_request(a, user, "T").iid == 1
        assert create_issue(b, user, "T").iid == 1
        delete_issuable(issues[2])
        assert create_issue(a, user, "T").iid == 4


def forge_user(project: Project) -> int:
    return project.namespace.owner_id


@pytest.mark.parametrize(
    "form", [{"title": " "}, {"title": "x" * 256}, {"title": "T", "description": "x" * 100_001}]
)
def test_text_that_is_empty_or_too_long_is_refused(
    forge: Forge, signed_in: SignedIn, announced: list[Announced], form: dict[str, str]
) -> None:
    project_id = forge.project()
    browser = signed_in(forge.member(project_id, "reporter"))
    assert browser.post(f"/{forge.path(project_id)}/-/issues/new", form).status_code == 422
    assert announced == []
    with forge.stored():
        assert find(Issue, project_id, 1) is None


def test_nul_in_a_text_is_dropped(forge: Forge, signed_in: SignedIn) -> None:
    project_id = forge.project()
    browser = signed_in(forge.member(project_id, "reporter"))
    browser.post(f"/{forge.path(project_id)}/-/issues/new", {"title": "a\0b", "description": "\0"})
    with forge.stored():
        issue = find(Issue, project_id, 1)
        assert issue is not None
        assert (issue.title, issue.description) == ("ab", "")


@pytest.mark.parametrize("who", ["outsider", "reporter", "developer"])
def test_only_the_author_and_maintainers_change_a_text(
    forge: Forge, signed_in: SignedIn, who: str
) -> None:
    project_id = forge.project("public")
    base = f"/{forge.path(project_id)}/-/issues"
    signed_in(forge.user()).post(f"{base}/new", {"title": "T", "description": "mine"})
    other = forge.user() if who == "outsider" else forge.member(project_id, who)
    form = {"title": "T", "description": "changed"}
    assert signed_in(other).post(f"{base}/1/edit", form).status_code == 403
    maintainer = signed_in(forge.member(project_id, "maintainer"))
    assert maintainer.post(f"{base}/1/edit", form).status_code == 303


def test_comment_of_another_project_cannot_be_reached_through_ones_own(
    forge: Forge, signed_in: SignedIn
) -> None:
    victim, own = forge.project(), forge.project()
    author = signed_in(forge.member(victim, "reporter"))
    author.post(f"/{forge.path(victim)}/-/issues/new", {"title": "T"})
    author.post(f"/{forge.path(victim)}/-/issues/1/comments", {"text": "secret"})
    comment_id = announced_comment(forge, victim)
    thief = signed_in(forge.member(own, "owner"))
    thief.post(f"/{forge.path(own)}/-/issues/new", {"title": "T"})
    page = f"/{forge.path(own)}/-/issues/1/comments/{comment_id}"
    assert thief.get(f"{page}/edit").status_code == 404
    assert thief.post(f"{page}/edit", {"text": "stolen"}).status_code == 404
    assert thief.post(f"{page}/delete").status_code == 404


def test_merged_stays_merged(forge: Forge, signed_in: SignedIn) -> None:
    project_id = forge.project()
    browser = signed_in(forge.member(project_id, "developer"))
    page = f"/{forge.path(project_id)}/-/merge_requests"
    browser.post(f"{page}/new", {"title": "T"})
    browser.post(f"{page}/1/state", {"state": "merged"})
    browser.post(f"{page}/1/state", {"state": "opened"})
    assert "merged this" in browser.get(f"{page}/1").get_data(as_text=True)
    assert "reopened this" not in browser.get(f"{page}/1").get_data(as_text=True)


def test_system_note_shows_and_is_not_announced_as_text(
    app: Flask, forge: Forge, signed_in: SignedIn, announced: list[Announced]
) -> None:
    project_id = forge.project("public")
    user_id = forge.user()
    page = f"/{forge.path(project_id)}/-/issues"
    browser = signed_in(user_id)
    browser.post(f"{page}/new", {"title": "T", "description": "text"})
    with forge.stored():
        app.extensions["mlops"].host.references.post_system_note(
            Actor(str(user_id), "x"), Source(project_id, "issue", "1"), "mentioned in a test"
        )
    announced.clear()
    browser.post(f"{page}/1/comments", {"text": "more"})
    assert "mentioned in a test" in browser.get(f"{page}/1").get_data(as_text=True)
    assert announced[0].values["html"] == "<p>text</p>\n<p>more</p>\n"
