"""A candidate from the comment that mentions it to its page and back, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from host_stub import issues
from host_stub.database import db
from host_stub.projects import Project
from host_stub.users import User
from tests.browsing import log
from tests.e2e.conftest import Browsing, Visit
from tests.factories import Api, Forge

# One database is enough: what differs between them is below the pages.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

TITLE = "Which model do we ship?"


@pytest.fixture
def hidden(forge: Forge) -> Api:
    """A private project with a candidate."""
    api = forge.developer()
    log(api, "bright-owl", metrics={"auc": 0.875})
    return api


@pytest.fixture
def author(forge: Forge, hidden: Api) -> int:
    return forge.member(hidden.project_id, "developer")


@pytest.fixture
def public(forge: Forge, author: int) -> Api:
    """A public project with an issue, to which the author writes, too."""
    project_id = forge.project("public")
    forge.add_member(project_id, author, "developer")
    with forge.stored():
        project, user = db.session.get_one(Project, project_id), db.session.get_one(User, author)
        issues.create_issue(project, user, TITLE, "Say what you think.")
    return forge.api(project_id, forge.token(author))


def open_issue(visit: Visit) -> Page:
    visit.page.goto(f"{visit.url.removesuffix('/-/ml')}/-/issues/1")
    return visit.page


def comment(page: Page, path: str) -> None:
    """Mention the candidate, by what completion offers, and send it."""
    box = page.get_by_label("Comment", exact=True)
    box.click()
    page.keyboard.type(f"I would take [candidate:{path}/bri")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(box).to_have_value(f"I would take [candidate:{path}/1]")
    page.get_by_role("button", name="Comment").click()


def test_a_comment_leads_to_the_candidate_and_back(
    browsing: Browsing, forge: Forge, public: Api, hidden: Api, author: int
) -> None:
    page = open_issue(browsing.visit(public, author))
    comment(page, forge.path(hidden.project_id))
    mention = page.locator(".comment a.mlops-reference")
    expect(mention).to_contain_text("bright-owl")
    mention.hover()
    expect(page.locator("#mlops-card")).to_contain_text("0.875")
    mention.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("bright-owl")
    page.get_by_role("link", name=TITLE).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(TITLE)


def test_an_outsider_sees_what_was_typed_and_nothing_else(
    browsing: Browsing, forge: Forge, public: Api, hidden: Api, author: int
) -> None:
    path = forge.path(hidden.project_id)
    comment(open_issue(browsing.visit(public, author)), path)
    page = open_issue(browsing.visit(public, forge.user()))
    expect(page.locator(".comment")).to_contain_text(f"I would take [candidate:{path}/1]")
    assert page.locator("a.mlops-reference, .mlops-listed").count() == 0
    assert "bright-owl" not in page.content()
    # A reporter of the public project may comment, and is offered nothing of the private one.
    helper = forge.member(public.project_id, "reporter")
    page = open_issue(browsing.visit(public, helper))
    page.get_by_label("Comment", exact=True).click()
    with page.expect_response(lambda answer: "/suggestions" in answer.url) as answered:
        page.keyboard.type(f"[candidate:{path}/")
    assert answered.value.json() == {"suggestions": []}
