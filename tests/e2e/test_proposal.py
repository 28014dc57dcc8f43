"""The section about candidates on the page of a merge request, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.accessibility import AXE, BAD, examine
from tests.e2e.conftest import Browsing, Visit
from tests.factories import Forge
from tests.proposing import Work

# One database is enough: what differs between them is below the pages.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

POLICY = """
gate:
  - {metric: accuracy, better: higher, floor: 0.9}
  - {metric: loss, better: lower, largest_drop: 5%, on_fail: warn}
"""
MANY = {f"recall of {number}": 0.9 for number in range(9)}


@pytest.fixture
def work(forge: Forge) -> Work:
    """A project with a gate, and a candidate on `main`."""
    work = Work.begin(forge)
    base = work.commit("main", {".mlops.yml": POLICY})
    work.log(base, {"accuracy": 0.9, "loss": 0.3, **MANY}, ref="main", name="baseline")
    return work


def open_page(browsing: Browsing, work: Work, merge_request: str, **options: object) -> Visit:
    visit = browsing.visit(work.api(), work.user_id, **options)
    visit.page.clock.install()
    visit.page.goto(f"{browsing.live_url}/{work.path()}/-/merge_requests/{merge_request}")
    return visit


def rows(page: Page) -> list[str]:
    return page.locator(".mlops-standing").first.locator("tbody th .mlops-name").all_text_contents()


def test_section_is_brought_up_to_date_in_place(browsing: Browsing, work: Work) -> None:
    head = work.commit("feature")
    work.log(head, {"accuracy": 0.5, "loss": 0.2, **MANY}, name="first")
    page = open_page(browsing, work, work.merge_request()).page
    expect(page.locator("#mlops-gate")).to_contain_text("Gate failed")
    page.get_by_text("5 more metrics").click()
    page.get_by_role("link", name="first").first.focus()
    page.evaluate("window.seen = document.activeElement")
    work.log(head, {"accuracy": 0.95, "loss": 0.2, **MANY}, name="second")
    page.clock.fast_forward(11_000)
    expect(page.locator("#mlops-gate")).to_contain_text("Gate passed")
    assert rows(page) == ["second", "first", "baseline"]
    assert page.evaluate("window.seen === document.activeElement")
    expect(page.locator("details[open]").get_by_role("table")).to_be_visible()
    run_id = work.log(head, {"accuracy": 0.97}, name="third")
    work.api().post("runs/delete", run_id=run_id)
    page.clock.fast_forward(11_000)
    assert rows(page) == ["second", "first", "baseline"]


def test_section_that_cannot_change_is_not_asked_for(browsing: Browsing, work: Work) -> None:
    work.log(work.commit("feature"), {"accuracy": 0.95})
    merge_request = work.merge_request()
    page = open_page(browsing, work, merge_request).page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Close merge request").click()
    expect(page.get_by_text("Closed").first).to_be_visible()
    asked.clear()
    page.clock.fast_forward(30_000)
    assert [each for each in asked if "candidates" in each] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_section_can_be_read_by_everybody(
    browsing: Browsing, work: Work, scheme: str, width: int
) -> None:
    head = work.commit("feature")
    work.log(head, {"accuracy": 0.5, "loss": 0.2, **MANY}, name="a" * 100)
    work.claim(head, {"accuracy": 0.95, "loss": 0.9})
    visit = browsing.visit(
        work.api(),
        work.user_id,
        color_scheme=scheme,
        bypass_csp=True,
        viewport={"width": width, "height": 800},
    )
    visit.context.add_init_script(path=AXE)
    for path in (f"merge_requests/{work.merge_request()}", f"commit/{head}"):
        visit.page.goto(f"{browsing.live_url}/{work.path()}/-/{path}")
        expect(visit.page.locator(".mlops table").first).to_be_visible()
        assert not visit.overflows()
        assert [str(each) for each in examine(visit.page) if each.impact in BAD] == []
