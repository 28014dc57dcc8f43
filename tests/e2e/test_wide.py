"""The wide table and the downloads in a real browser."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browsing import START, log
from tests.e2e.conftest import Browsing
from tests.factories import Api, Forge

# One database is enough: what differs between them is below the pages.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
EVIL = "<img src=x onerror=alert(1)>"
LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
    {"color_scheme": "dark", "viewport": {"width": 375, "height": 700}},
]


@pytest.fixture(scope="module")
def api(app: Flask) -> Api:
    """An experiment of sixty candidates with forty columns, one of them hostile."""
    api = Forge(app).developer("public")
    for number in range(60):
        log(
            api,
            EVIL if number == 30 else f"run-{number}",
            start_time=START + number,
            metrics={f"m{key:02}": number / 7 + key for key in range(20)},
            params={f"p{key:02}": EVIL if number == 30 else str(number) for key in range(20)},
            tags={"last": "the end"},
        )
    return api


def drawn(page: Page) -> Page:
    """The page, when its table is drawn."""
    expect(page.locator("#mlops-wide[data-drawn] .tabulator-cell").first).to_be_visible()
    return page


def first_name(page: Page) -> Any:
    return page.locator(".tabulator-row .mlops-name").first


def test_only_what_is_in_sight_is_drawn_up_to_the_last_cell(browsing: Browsing, api: Api) -> None:
    size = {"width": 1280, "height": 900}
    page = drawn(browsing.visit(api, viewport=size).open("experiments/0/wide"))
    expect(page.get_by_role("status")).to_have_text("60 candidates, 45 columns")
    expect(first_name(page)).to_have_text("run-59")
    assert page.locator(".tabulator-row").count() < 60
    assert page.get_by_text("the end").count() == 0
    page.locator(".tabulator-tableholder").evaluate("each => each.scrollTo(1e6, 1e6)")
    expect(page.get_by_text("the end").last).to_be_visible()
    # The name stays.
    expect(page.get_by_role("link", name="run-0", exact=True)).to_be_in_viewport()
    page.get_by_role("link", name="run-0", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("run-0")


def test_sorting_filtering_and_columns_are_in_the_address(browsing: Browsing, api: Api) -> None:
    page = drawn(browsing.visit(api).open("experiments/0/wide"))
    box = page.get_by_role("textbox", name="Filter").or_(
        page.get_by_role("combobox", name="Filter")
    )
    box.fill("metrics.m00 < 4")
    page.get_by_role("button", name="Filter", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("28 candidates")
    page.get_by_role("link", name="Name").click()
    expect(drawn(page).locator("[aria-sort=ascending]")).to_contain_text("Name")
    expect(first_name(page)).to_have_text("run-0")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("button", name="None").click()
    page.get_by_role("checkbox", name="m07").check()
    page.get_by_role("checkbox", name="p03").check()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("status")).to_have_text("28 candidates, 2 columns")
    drawn(page).get_by_role("button", name="Heat map").click()
    expect(page.get_by_role("button", name="Heat map")).to_have_attribute("aria-pressed", "true")
    assert parse_qs(urlsplit(page.url).query) == {
        "filter": ["metrics.m00 < 4"],
        "order_by": ["attributes.run_name ASC"],
        "columns": ["metrics.m07", "params.p03"],
        "heat": ["1"],
    }
    assert "heat=1" in (page.get_by_role("link", name="m07").get_attribute("href") or "")
    colleague = browsing.visit(api).page
    colleague.goto(page.url)
    cells = page.locator(".tabulator-cell").all_inner_texts()
    assert drawn(colleague).locator(".tabulator-cell").all_inner_texts() == cells
    expect(colleague.locator(".mlops-heated")).to_be_visible()


def test_all_columns_need_no_place_in_the_address(browsing: Browsing, api: Api) -> None:
    page = drawn(browsing.visit(api).open("experiments/0/wide?columns=metrics.m01"))
    page.locator("summary", has_text="Columns").click()
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("status")).to_have_text("60 candidates, 45 columns")
    assert "columns" not in page.url


def test_who_sorts_by_a_far_column_sees_it(browsing: Browsing, api: Api) -> None:
    page = drawn(browsing.visit(api).open("experiments/0/wide?order_by=params.p19"))
    expect(page.locator("[aria-sort=ascending]")).to_be_in_viewport()


def test_nothing_that_was_logged_runs(browsing: Browsing, api: Api) -> None:
    page = drawn(
        browsing.visit(api).open(
            "experiments/0/wide?filter=metrics.m00+>+4.2+and+metrics.m00+<+4.3"
        )
    )
    expect(page.get_by_role("link", name=EVIL)).to_be_visible()
    page.locator(".tabulator-tableholder").evaluate("each => each.scrollTo(1e6, 0)")
    expect(page.get_by_text(EVIL).last).to_be_visible()
    assert page.locator(".mlops img").count() == 0


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_wide_table_breaks_no_rule(browsing: Browsing, api: Api, look: dict[str, Any]) -> None:
    visit = browsing.visit(api, bypass_csp=True, **look)
    page = drawn(visit.open("experiments/0/wide?heat=1&order_by=metrics.m03+DESC"))
    assert not visit.overflows()
    page.get_by_text("Columns", exact=True).click()
    expect(page.get_by_role("button", name="Show these")).to_be_visible()
    assert not visit.overflows()
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run('.mlops')")["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_rows_that_cannot_be_loaded_are_no_empty_table(browsing: Browsing, api: Api) -> None:
    visit = browsing.visit(api)
    visit.page.route("**/rows.json*", lambda route: route.fulfill(status=503, body="<h1>No</h1>"))
    page = visit.open("experiments/0/wide")
    expect(page.get_by_role("status")).to_contain_text("could not be loaded")
    page.goto("about:blank")
    # That is told on the console too, by whoever waited for the rows, and no surprise here.
    assert set(visit.complaints) == {"script: The server answered 503."}
    visit.complaints.clear()


def test_what_is_filtered_is_downloaded(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    page = browsing.visit(api).open(
        "experiments/0?filter=metrics.m00+<+1&order_by=attributes.run_name"
    )
    for suffix, link in (("csv", "CSV"), ("json", "JSON")):
        with page.expect_download() as waiting:
            page.get_by_role("link", name=link, exact=True).click()
        assert waiting.value.suggested_filename == f"vision-Default-candidates.{suffix}"
        waiting.value.save_as(tmp_path / f"file.{suffix}")
    names = [f"run-{number}" for number in range(7)]
    with (tmp_path / "file.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == names
    assert rows[3]["metrics.m01"] == repr(3 / 7 + 1)
    objects = json.loads((tmp_path / "file.json").read_bytes())
    assert [each["name"] for each in objects] == names
