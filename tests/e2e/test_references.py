"""References in a real browser: the card by mouse and keyboard, completion by keyboard."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from host_stub import issues
from host_stub.database import db
from host_stub.projects import Project
from host_stub.users import User
from tests.browsing import log, upload
from tests.e2e.accessibility import AXE, examine, report
from tests.e2e.conftest import Browsing, Visit
from tests.factories import Api, Forge

# One database is enough: what differs between them is below the pages.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SMALL = {"width": 375, "height": 640}
TEXT = "Take [candidate:2] instead of [candidate:1], both are of [experiment:1]."
CARD = "#mlops-card"


@pytest.fixture
def api(forge: Forge) -> Api:
    api = forge.developer("public")
    at = api.post("experiments/create", name="digits")["experiment_id"]
    log(api, "grey-cat", experiment_id=at, metrics={"auc": 0.5})
    log(api, "bright-owl", experiment_id=at, metrics={"auc": 0.875, "loss": 1})
    return api


@pytest.fixture
def user(forge: Forge, api: Api) -> int:
    return forge.member(api.project_id, "developer")


@pytest.fixture
def issue(forge: Forge, api: Api, user: int) -> str:
    """The path of an issue's page."""
    with forge.stored():
        project, author = db.session.get(Project, api.project_id), db.session.get(User, user)
        assert project is not None
        assert author is not None
        made = issues.create_issue(project, author, "Which one?", TEXT)
        return f"/{project.full_path}/-/issues/{made.iid}"


def link_path(api: Api, browsing: Browsing) -> str:
    return f"/{browsing.forge.path(api.project_id)}/-/ml"


def open_issue(browsing: Browsing, visit: Visit, issue: str) -> Page:
    visit.page.goto(browsing.live_url + issue)
    return visit.page


def reference(page: Page, name: str) -> Locator:
    return page.locator("a.mlops-reference", has_text=name)


def load_scripts_again(page: Page) -> None:
    """As where the forge's base template and a page of the plugin both load them."""
    for script in page.locator("script[src*='/-/mlops/static/']").all():
        page.add_script_tag(url=script.get_attribute("src"))


def test_what_somebody_uploaded_is_no_card(browsing: Browsing, api: Api, issue: str) -> None:
    upload(api, log(api), "card.html", b"<p>evil</p>")
    page = open_issue(browsing, browsing.visit(api), issue)
    # As a forge would let it through whose sanitizer keeps `data-` attributes.
    url = f"{link_path(api, browsing)}/candidates/3/artifacts/card.html"
    link = reference(page, "bright-owl")
    link.evaluate("(link, url) => link.dataset.mlopsCard = url", url)
    with page.expect_response(lambda answer: "card.html" in answer.url) as heard:
        link.hover()
    assert heard.value.ok
    page.wait_for_timeout(100)
    expect(page.locator(CARD)).to_have_count(0)


def test_pointing_at_a_reference_shows_its_card(browsing: Browsing, api: Api, issue: str) -> None:
    page = open_issue(browsing, browsing.visit(api), issue)
    link, card = reference(page, "bright-owl"), page.locator(CARD)
    load_scripts_again(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    link.hover()
    expect(card).to_contain_text("0.875")
    assert link.get_attribute("aria-describedby") == "mlops-card"
    card.hover()  # it stays while somebody reads it
    page.wait_for_timeout(400)
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    reference(page, "grey-cat").hover()
    expect(card).to_contain_text("0.5")
    page.mouse.move(0, 0)
    expect(card).to_be_hidden()
    link.hover()
    expect(card).to_contain_text("0.875")
    page.keyboard.press("Escape")
    link.locator("small").hover()  # closed, it stays closed until the mouse was elsewhere
    page.wait_for_timeout(400)
    expect(card).to_be_hidden()
    assert len(asked) == len(set(asked)) == 2
    link.click()
    expect(page).to_have_url(f"{browsing.live_url}{link_path(api, browsing)}/candidates/2")


def test_the_focus_shows_a_card_too(browsing: Browsing, api: Api, issue: str) -> None:
    visit = browsing.visit(api, viewport=SMALL)
    page = open_issue(browsing, visit, issue)
    card = page.locator(CARD)
    while not page.evaluate("document.activeElement.matches('.mlops-reference')"):
        page.keyboard.press("Tab")
    expect(card).to_contain_text("bright-owl")
    box = card.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= SMALL["width"]
    assert not visit.overflows()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    page.keyboard.press("Tab")
    expect(card).to_contain_text("grey-cat")
    page.keyboard.press("Tab")
    expect(card).to_contain_text("2 candidates")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{browsing.live_url}{link_path(api, browsing)}/experiments/1")


def test_references_are_completed_while_typing(
    browsing: Browsing, api: Api, user: int, issue: str
) -> None:
    visit = browsing.visit(api, user)
    page = open_issue(browsing, visit, issue)
    box, options = page.get_by_label("Comment"), page.get_by_role("option")
    load_scripts_again(page)
    box.click()
    page.keyboard.type("- [x] I say [c")
    expect(options).to_have_count(2)
    expect(options.first).to_contain_text("bright-owl")
    chosen = page.locator("[role=option][aria-selected=true]")
    expect(chosen).to_contain_text("bright-owl")
    page.keyboard.type("andi", delay=150)  # slower than it waits, while the list is open
    expect(options).to_have_count(2)
    page.keyboard.press("ArrowDown")
    expect(chosen).to_contain_text("grey-cat")
    assert box.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    page.keyboard.press("Enter")
    expect(options).to_have_count(0)
    page.keyboard.type(" not [candidate:")
    expect(options).to_have_count(2)
    page.keyboard.type("7")
    page.keyboard.press("Enter")  # at once, before it is known that there is no such candidate
    page.keyboard.type("] of [experiment:dig")
    expect(options).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#mlops-suggestions")).to_be_hidden()
    page.keyboard.type("i")
    expect(options).to_have_count(1)
    page.keyboard.press("Tab")
    expect(box).to_have_value("- [x] I say [candidate:1] not [candidate:7\n] of [experiment:1]")
    expect(box).to_be_focused()
    page.keyboard.press("Control+z")
    expect(box).to_have_value("- [x] I say [candidate:1] not [candidate:7\n] of [experiment:digi")
    page.keyboard.press("End")
    page.keyboard.type("t")
    expect(options).to_have_count(1)
    options.first.click()
    page.get_by_role("button", name="Comment", exact=True).click()
    links = page.locator(".comment a.mlops-reference")
    expect(links).to_have_count(2)
    expect(links.first).to_contain_text("grey-cat")


def test_another_project_is_asked_only_for_who_may_read_it(
    browsing: Browsing, forge: Forge, api: Api, user: int, issue: str
) -> None:
    hidden = forge.project()
    log(forge.api(hidden, forge.token(forge.member(hidden, "developer"))), "secret-owl")
    reader = forge.member(hidden, "reporter")
    forge.add_member(api.project_id, reader, "reporter")
    path = forge.path(hidden)
    for user_id, count in ((user, 0), (reader, 1)):
        page = open_issue(browsing, browsing.visit(api, user_id), issue)
        page.get_by_label("Comment").click()
        with page.expect_response(lambda answer: "/-/ml/suggestions" in answer.url):
            page.keyboard.insert_text(f"[candidate:{path}/owl")
        expect(page.get_by_role("option")).to_have_count(count)
        if count:
            page.keyboard.press("Enter")
            expect(page.get_by_label("Comment")).to_have_value(f"[candidate:{path}/1]")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_card_and_completion_are_accessible(
    browsing: Browsing, api: Api, user: int, issue: str, scheme: str
) -> None:
    visit = browsing.visit(api, user, bypass_csp=True, color_scheme=scheme, reduced_motion="reduce")
    visit.page.add_init_script(AXE.read_text())
    page = open_issue(browsing, visit, issue)
    reference(page, "bright-owl").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    expect(page.locator(CARD)).to_be_visible()
    findings = {"card": examine(page)}
    page.get_by_label("Comment").click()
    page.keyboard.type("[c")
    expect(page.get_by_role("option")).to_have_count(2)
    findings["completion"] = examine(page)
    assert report(findings) == ""
