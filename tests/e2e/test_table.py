"""The table of candidates in a real browser: complete, filter, choose, share, fold, select."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import START, log
from tests.e2e.conftest import Browsing
from tests.factories import Api, Forge

# One database is enough: what differs between them is below the pages.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def api(forge: Forge) -> Api:
    """A project with two parents of two children each."""
    api = forge.developer("public")
    parent = ""
    for number in range(6):
        tags = {"mlflow.parentRunId": parent} if number % 3 else {"team": "red"}
        run_id = log(
            api,
            f"run-{number}",
            start_time=START + number * 60_000,
            metrics={"auc": number / 7, "val/loss": 1 / (number + 1)},
            params={"depth": str(number), "max iterations": "100"},
            tags=tags,
        )
        parent = parent if number % 3 else run_id
    return api


@pytest.fixture
def developer(forge: Forge, api: Api) -> int:
    return forge.member(api.project_id, "developer")


def rows(page: Page) -> list[str]:
    return page.locator("tbody .mlops-name").all_inner_texts()


def test_names_are_completed_by_the_keyboard(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api).open("experiments/0")
    box = page.get_by_label("Filter", exact=True)
    box.focus()
    expect(box).to_have_role("combobox")
    page.keyboard.type("loss")
    expect(page.get_by_role("listbox")).to_be_visible()
    expect(page.get_by_role("option")).to_have_text(["metrics.`val/loss`metric"])
    page.keyboard.press("ArrowDown")
    chosen = page.get_by_role("option", selected=True)
    expect(chosen).to_have_text("metrics.`val/loss`metric")
    expect(box).to_have_attribute("aria-activedescendant", chosen.get_attribute("id") or "")
    page.keyboard.press("Enter")
    expect(box).to_have_value("metrics.`val/loss` ")
    # Metrics compare with numbers only.
    expect(page.get_by_role("option")).to_have_text(["=", "!=", "<", "<=", ">", ">="])
    page.keyboard.type("< 0.3 ")
    expect(page.get_by_role("option")).to_have_text(["AND", "OR"])
    page.keyboard.type("an")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Tab")
    page.keyboard.type("max")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.keyboard.type("= '100'")
    page.keyboard.press("Escape")
    expect(page.get_by_role("listbox")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("#mlops-found")).to_have_text("3 candidates match")
    expect(box).to_have_value("metrics.`val/loss` < 0.3 AND params.`max iterations` = '100'")
    expect(box).to_be_focused()
    assert rows(page) == ["run-5", "run-4", "run-3"]
    expect(page.locator("#mlops-live")).to_have_text("3 candidates match")


def test_what_is_filtered_sorted_and_chosen_is_shared_by_its_address(
    browsing: Browsing, api: Api
) -> None:
    page = browsing.visit(api).open("experiments/0")
    page.evaluate("window.isSame = true")
    box = page.get_by_label("Filter", exact=True)
    box.fill("metrics.auc > 0.2")
    box.press("Enter")
    expect(page.locator("#mlops-found")).to_have_text("4 candidates match")
    page.get_by_role("link", name="auc").click()
    heading = page.get_by_role("columnheader", name="auc")
    expect(heading).to_have_attribute("aria-sort", "descending")
    expect(heading.get_by_role("link")).to_be_focused()
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Search the columns").fill("DEP")
    expect(page.locator(".mlops-panel .mlops-choice:visible")).to_have_text(["depth"])
    page.get_by_label("Search the columns").fill("")
    for name in ("Status", "Created", "Duration", "val/loss"):
        page.locator(".mlops-panel").get_by_label(name, exact=True).uncheck()
    page.locator(".mlops-panel").get_by_label("team", exact=True).check()
    page.get_by_role("button", name="Show these").click()
    expect(page.get_by_role("columnheader", name="team")).to_be_visible()
    assert page.evaluate("window.isSame"), "the page was loaded anew"
    shown = page.locator("table").inner_text()
    assert rows(page) == ["run-5", "run-4", "run-3", "run-2"]
    assert "filter=" in page.url
    assert "rows=" not in page.url

    colleague = browsing.visit(api)
    colleague.page.goto(page.url)
    assert colleague.page.locator("table").inner_text() == shown
    page.go_back()
    expect(page.get_by_role("columnheader", name="Status")).to_be_visible()
    expect(page.get_by_role("columnheader", name="auc")).to_have_attribute(
        "aria-sort", "descending"
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_children_unfold_and_fold(browsing: Browsing, api: Api, scripts: bool) -> None:
    page = browsing.visit(api, java_script_enabled=scripts).open("experiments/0")
    assert rows(page) == ["run-3", "run-0"]
    toggle = page.get_by_role("link", name="Children of run-0")
    expect(toggle).to_have_attribute("aria-expanded", "false")
    toggle.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "true")
    assert rows(page) == ["run-3", "run-0", "run-2", "run-1"]
    if scripts:
        expect(toggle).to_be_focused()
    assert "open=1" in page.url
    toggle.press("Enter")
    expect(toggle).to_have_attribute("aria-expanded", "false")
    page.get_by_role("link", name="Flat").click()
    expect(page.locator("tbody tr")).to_have_count(6)
    expect(page.get_by_role("row", name=re.compile("run-4"))).to_contain_text("child of run-3")


def test_ticked_rows_are_compared_and_stay_ticked(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api).open("experiments/0?rows=flat")
    bar = page.get_by_role("form", name="Selected candidates")
    expect(bar).to_be_hidden()
    page.locator("label", has_text="Select run-4").click()
    page.locator("label", has_text="Select run-1").click()
    expect(bar).to_contain_text("2 selected")
    page.get_by_role("link", name="auc").click()
    expect(page.get_by_role("columnheader", name="auc")).to_have_attribute(
        "aria-sort", "descending"
    )
    expect(bar).to_contain_text("2 selected")
    colleague = browsing.visit(api)
    colleague.page.goto(page.url)
    expect(colleague.page.get_by_label("Select run-1")).to_be_checked()
    page.get_by_role("button", name="Compare").click()
    page.wait_for_url(re.compile(r"/experiments/0/compare\?candidates="))
    assert set(re.findall(r"candidates=(\d+)", page.url)) == {"2", "5"}


def test_a_range_is_ticked_with_the_shift_key_and_all_at_once(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api).open("experiments/0?rows=flat")
    bar = page.locator("[data-mlops-selected]")
    page.get_by_label("Select run-5").focus()
    page.keyboard.press("Space")
    page.locator("label", has_text="Select run-2").click(modifiers=["Shift"])
    expect(bar).to_have_text("4 selected")
    page.get_by_label("Select all on this page").focus()
    page.keyboard.press("Space")
    expect(bar).to_have_text("6 selected")
    page.get_by_role("button", name="Clear").click()
    expect(bar).to_be_hidden()
    assert "selected" not in page.url


def test_two_go_to_the_trash_and_come_back(browsing: Browsing, api: Api, developer: int) -> None:
    page = browsing.visit(api, developer).open("experiments/0?rows=flat&order_by=metrics.auc+ASC")
    for name in ("run-1", "run-5"):
        page.locator("label", has_text=f"Select {name}").click()
    bar = page.get_by_role("form", name="Selected candidates")
    bar.get_by_role("button", name="Move to trash").click()
    expect(page.locator(".mlops-notice")).to_contain_text("2 candidates moved to the trash")
    assert rows(page) == ["run-0", "run-2", "run-3", "run-4"]
    page.get_by_role("link", name="Look there").click()
    page.get_by_label("Select all on this page").focus()
    page.keyboard.press("Space")
    bar.get_by_role("button", name="Restore").click()
    expect(page.locator(".mlops-notice")).to_contain_text("2 candidates restored")
    page.get_by_role("link", name=re.compile("Candidates")).click()
    expect(page.locator("tbody tr")).to_have_count(2)


def test_a_tag_is_set_in_what_is_ticked(browsing: Browsing, api: Api, developer: int) -> None:
    page = browsing.visit(api, developer, java_script_enabled=False).open("experiments/0?rows=flat")
    for name in ("run-1", "run-5"):
        page.locator("label", has_text=f"Select {name}").click()
    page.get_by_role("button", name="Tag…").click()
    page.get_by_label("Name", exact=True).fill("stage")
    page.get_by_label("Value", exact=True).fill("prod")
    page.get_by_role("button", name="Set the tag").click()
    expect(page.locator(".mlops-notice")).to_contain_text("2 candidates tagged")
    page.get_by_label("Filter", exact=True).fill("tags.stage = 'prod'")
    page.get_by_role("button", name="Filter", exact=True).click()
    assert rows(page) == ["run-5", "run-1"]


LOOKS: list[dict[str, Any]] = [
    {"color_scheme": scheme, "viewport": {"width": width, "height": 800}}
    for scheme, width in (("light", 1280), ("dark", 375))
]


@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_the_table_fits_with_everything_open(
    browsing: Browsing, api: Api, developer: int, look: dict[str, Any]
) -> None:
    visit = browsing.visit(api, developer, **look)
    for path in (
        "experiments/0?open=1,4&selected=1,2,99",
        "experiments/0/tag-candidates?candidates=1,2",
    ):
        page = visit.open(path)
        assert not visit.overflows(), path
    page = visit.open("experiments/0")
    page.get_by_text("Columns", exact=True).click()
    expect(page.get_by_role("button", name="Show these")).to_be_visible()
    assert not visit.overflows()
    box = page.get_by_label("Filter", exact=True)
    box.click()
    box.press("ArrowDown")
    expect(page.get_by_role("listbox")).to_be_visible()
    assert not visit.overflows()
