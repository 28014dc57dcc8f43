"""The preview of a comment, in a real browser."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Browsing, Visit
from tests.factories import Forge


def commenting(browsing: Browsing, forge: Forge, role: str) -> tuple[Visit, Page]:
    """Somebody at the form of a new issue in a project with a candidate."""
    api = forge.developer("public")
    api.create_run(run_name="owl")
    visit = browsing.visit(api, forge.member(api.project_id, role))
    return visit, visit.open("../issues/new")


def test_text_is_previewed_without_leaving_the_page(browsing: Browsing, forge: Forge) -> None:
    _, page = commenting(browsing, forge, "developer")
    page.fill("[name=title]", "Owls")
    page.fill("[name=description]", "**See** [candidate:1]")
    page.evaluate("window.stays = true")
    page.click("text=Preview")
    preview = page.get_by_role("region", name="Preview")
    expect(preview.get_by_role("link", name="owl")).to_be_visible()
    expect(preview.locator("strong")).to_have_text("See")
    # The card of a reference opens there, too.
    preview.get_by_role("link", name="owl").hover()
    expect(page.locator("#mlops-card")).to_be_visible()
    page.fill("[name=description]", "")
    page.click("text=Preview")
    expect(preview).to_have_text("Nothing to show.")
    assert page.evaluate("window.stays") is True


def test_enter_in_the_title_stores_the_issue(browsing: Browsing, forge: Forge) -> None:
    _, page = commenting(browsing, forge, "guest")
    page.fill("[name=title]", "Owls")
    page.press("[name=title]", "Enter")
    expect(page.get_by_role("heading", name="Owls")).to_be_visible()


def test_preview_works_when_the_session_is_over(browsing: Browsing, forge: Forge) -> None:
    visit, page = commenting(browsing, forge, "guest")
    page.fill("[name=description]", "text")
    visit.context.clear_cookies()
    page.click("text=Preview")
    expect(page.get_by_text("This form has expired")).to_be_visible()
