"""The pages in a real browser: they look, sort, filter, copy, download and restore."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browsing import START, log
from tests.e2e.conftest import Browsing
from tests.factories import Api, Forge

# One database is enough: what differs between them is below the pages.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"


@pytest.fixture
def api(forge: Forge) -> Api:
    """A project with an experiment of six candidates, one of them hostile."""
    api = forge.developer("public")
    for number in range(5):
        run_id = log(
            api,
            f"run-{number}",
            start_time=START + number * 60_000,
            metrics={"auc": number / 7, "loss": 1 / (number + 1), "val loss": number},
            params={"depth": str(number), "optimizer with a rather long name": "adam" * 20},
            tags={"stage": "search", "mlflow.source.name": "train.py"},
        )
    parent = {"mlflow.parentRunId": run_id, "mlflow.note.content": EVIL}
    log(api, EVIL, params={"x": EVIL}, tags={"a": EVIL, **parent}, user_id=EVIL)
    for name in ("report.html", "model/data.bin", "a-very-long-name-" * 8 + ".txt"):
        path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/{name}"
        assert api.call("PUT", path, data=b"<script>alert(1)</script>").status_code == 200
    return api


@pytest.fixture
def developer(forge: Forge, api: Api) -> int:
    return forge.member(api.project_id, "developer")


def test_a_newcomer_copies_the_snippet(browsing: Browsing, forge: Forge) -> None:
    api = forge.developer("public")
    visit = browsing.visit(api, permissions=["clipboard-read", "clipboard-write"])
    page = visit.open("experiments")
    page.get_by_role("button", name="Copy the shell commands").click()
    expect(page.get_by_role("button", name="Copy the shell commands")).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert f"MLFLOW_TRACKING_URI={browsing.live_url}{api.base}\n" in copied


def test_everything_works_without_scripts(browsing: Browsing, api: Api, developer: int) -> None:
    visit = browsing.visit(api, developer, java_script_enabled=False)
    page = visit.open("experiments")
    page.get_by_role("link", name="Default").click()
    page.get_by_role("link", name="auc").click()
    expect(page.locator("tbody tr").first).to_contain_text("run-4")
    page.get_by_role("textbox", name="Filter").fill("params.depth = '2'")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="run-2").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("run-2")
    expect(page.get_by_role("button", name="Copy the run ID")).to_be_hidden()


def test_sorting_and_filtering_end_in_an_address_to_share(browsing: Browsing, api: Api) -> None:
    visit = browsing.visit(api)
    page = visit.open("experiments/0")
    page.get_by_role("link", name="auc").click()
    expect(page.get_by_role("columnheader", name="auc")).to_have_attribute(
        "aria-sort", "descending"
    )
    box = page.get_by_label("Filter", exact=True)
    box.fill("metrics.auc >> 0.2")
    box.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("character 13")
    expect(page.locator("mark")).to_have_text(">")
    box.fill("metrics.auc > 0.2")
    box.press("Enter")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    colleague = browsing.visit(api)
    colleague.page.goto(page.url)
    assert colleague.page.locator("tbody tr").all_inner_texts() == rows.all_inner_texts()


def test_a_candidate_goes_into_the_trash_and_back(
    browsing: Browsing, api: Api, developer: int
) -> None:
    page = browsing.visit(api, developer).open("candidates/2")
    page.get_by_role("button", name="Move to trash").click()
    expect(page.get_by_role("status")).to_contain_text("in the trash since")
    page.get_by_role("link", name="Default").first.click()
    page.get_by_role("link", name=re.compile("Trash")).click()
    page.get_by_role("link", name="run-1").click()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("button", name="Move to trash")).to_be_visible()


def test_the_keyboard_reaches_everything(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api).open("experiments/0")
    wanted = page.locator(".mlops :is(a, button, input, summary, [tabindex='0']):visible")
    reached = set()
    page.locator(".mlops a").first.focus()
    for _ in range(wanted.count() + 5):
        reached.add(
            page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)")
        )
        page.keyboard.press("Tab")
    all_of_them = page.evaluate(
        """() => [...document.querySelectorAll('.mlops :is(a, button, input, summary, [tabindex])')]
        .filter(each => each.checkVisibility() && each.type !== 'hidden')
        .map(each => [...document.querySelectorAll('*')].indexOf(each))"""
    )
    assert set(all_of_them) <= reached


def test_the_link_that_mlflow_prints_leads_to_the_candidate(
    browsing: Browsing, api: Api, live_url: str
) -> None:
    run_id = log(api, "printed")
    page = browsing.visit(api).page
    page.goto(f"{live_url}{api.base}/#/experiments/0/runs/{run_id}")
    expect(page.get_by_role("heading", name="printed")).to_be_visible()
    page.goto("about:blank")
    page.goto(f"{live_url}{api.base}/#/experiments/0")
    expect(page.get_by_role("heading", name="Default")).to_be_visible()


def test_nothing_that_was_logged_runs(browsing: Browsing, api: Api) -> None:
    visit = browsing.visit(api)
    for path in ("experiments/0?rows=flat", "candidates/6"):
        page = visit.open(path)
        expect(page.get_by_text(EVIL).first).to_be_visible()
        assert page.locator(".mlops :is(img, script)").count() == 0
