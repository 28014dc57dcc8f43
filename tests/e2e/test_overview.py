"""A candidate's page in a real browser: it follows a running candidate, is edited and deleted."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import START, log
from tests.e2e.conftest import Browsing
from tests.factories import Api, Forge

# One database is enough: what differs between them is below the pages.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SOON = 15_000
"""Milliseconds until a page has asked again for sure; it does so every five seconds."""


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


def log_point(api: Api, run_id: str, key: str, value: float, step: int) -> None:
    point = {"key": key, "value": value, "timestamp": START + step, "step": step}
    api.post("runs/log-batch", run_id=run_id, metrics=[point])


def row_of(page: Page, name: str) -> str:
    return page.get_by_role("row", name=re.compile(name)).inner_text()


def test_a_newcomer_sees_the_first_candidate_arrive(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api).open("experiments")
    expect(page.get_by_text("Waiting for the first candidate")).to_be_visible()
    log(api, metrics={"auc": 0.5})
    expect(page.get_by_role("link", name="Default")).to_be_visible(timeout=SOON)
    expect(page.get_by_role("link", name=re.compile("^0.5 by"))).to_be_visible()


def test_the_page_of_a_running_candidate_follows_it(browsing: Browsing, api: Api) -> None:
    run_id = log(api, metrics={"auc": 0.5, "system/cpu": 3}, params={"depth": "3"})
    page = browsing.visit(api).open("candidates/1")
    page.locator("summary", has_text="System metrics").click()
    link = page.get_by_role("link", name="auc")
    link.focus()
    log_point(api, run_id, "auc", 0.75, 9)
    log_point(api, run_id, "system/cpu", 42, 9)
    expect(page.get_by_role("row", name=re.compile("auc"))).to_contain_text("0.75", timeout=SOON)
    expect(page.get_by_role("row", name="cpu")).to_contain_text("42")
    expect(link).to_be_focused()
    api.post("runs/update", run_id=run_id, status="FINISHED", end_time=START + 95_000)
    expect(page.locator("#mlops-status")).to_have_text("Finished", timeout=SOON)
    expect(page.locator("#mlops-duration")).to_have_text("took 1 min 35 s")
    expect(page.locator("#mlops-live")).to_have_count(0)


def test_nothing_is_asked_for_while_the_page_is_hidden(browsing: Browsing, api: Api) -> None:
    log(api)
    page = browsing.visit(api).open("candidates/1")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/ml/" in request.url else None)
    page.evaluate(
        """() => {
          Object.defineProperty(document, "hidden", {configurable: true, value: true});
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    page.wait_for_timeout(200)
    assert asked == []
    page.evaluate(
        """() => {
          delete document.hidden;
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    page.wait_for_timeout(500)
    assert len(asked) == 1, "who comes back sees the news at once"


def test_a_name_is_found_while_typing_and_stays_in_the_address(
    browsing: Browsing, api: Api
) -> None:
    log(api, metrics={f"layer_{n}/norm": n for n in range(20)}, params={"layers": "20"})
    page = browsing.visit(api).open("candidates/1")
    page.get_by_role("searchbox", name="Name of a metric or parameter").fill("layer_1")
    expect(page.locator("#mlops-metrics-part tbody tr")).to_have_count(11)
    expect(page.get_by_text("No parameter’s name contains")).to_be_visible()
    expect(page).to_have_url(re.compile(r"find=layer_1$"))
    page.reload()
    expect(page.locator("#mlops-metrics-part tbody tr")).to_have_count(11)


def test_name_note_and_tags_are_edited(browsing: Browsing, api: Api, forge: Forge) -> None:
    run_id = log(api, "old", tags={"stage": "search", "odd": "\r\na\rb"})
    page = browsing.visit(api, forge.member(api.project_id, "developer")).open("candidates/1")
    page.get_by_role("link", name="Edit").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("new")
    page.get_by_role("textbox", name="Note").fill("# Why\n\nbecause of *this*")
    page.get_by_role("textbox", name="stage").fill("final")
    page.get_by_role("textbox", name="Name of a new tag").fill("champion")
    page.get_by_role("textbox", name="Its value").fill("yes")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("new")
    expect(page.locator("em")).to_have_text("this")
    assert "final" in row_of(page, "stage")
    assert "yes" in row_of(page, "champion")
    tags = api.get("runs/get", run_id=run_id)["run"]["data"]["tags"]
    assert {"key": "odd", "value": "\r\na\rb"} in tags, "nobody touched it"


def test_two_people_edit_a_note(browsing: Browsing, api: Api, forge: Forge) -> None:
    log(api, tags={"mlflow.note.content": "first"})
    ann, ben = (
        browsing.visit(api, forge.member(api.project_id, "developer")).open("candidates/1/edit")
        for _ in range(2)
    )
    for page, text in ((ann, "of ann"), (ben, "of ben")):
        page.get_by_role("textbox", name="Note").fill(text)
        page.get_by_role("button", name="Save").click()
    expect(ben.get_by_role("alert")).to_contain_text("Nothing was stored yet.")
    expect(ben.get_by_label("What it says now")).to_have_text("of ann")
    expect(ben.get_by_role("textbox", name="Note")).to_have_value("of ben")
    ben.get_by_role("button", name="Save").click()
    expect(ben.locator(".mlops-document")).to_have_text("of ben")


def test_a_candidate_is_restored_from_the_trash_or_deleted_for_ever(
    browsing: Browsing, api: Api, forge: Forge
) -> None:
    run_id = log(api, "gone")
    path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/a.bin"
    assert api.call("PUT", path, data=b"x" * 2048).status_code == 200
    page = browsing.visit(api, forge.member(api.project_id, "maintainer")).open("candidates/1")
    page.get_by_role("button", name="Move to trash").click()
    expect(page.get_by_role("status")).to_contain_text("in the trash since")
    page.get_by_role("button", name="Restore").click()
    page.get_by_role("button", name="Move to trash").click()
    page.get_by_role("link", name="Delete for ever").click()
    expect(page.get_by_text("This frees 2.0 KiB in 1 file.")).to_be_visible()
    page.get_by_role("button", name="Delete for ever").click()
    expect(page.get_by_role("status").first).to_contain_text("That freed 2.0 KiB.")


def test_an_experiment_is_restored_from_the_trash_or_deleted_for_ever(
    browsing: Browsing, api: Api, forge: Forge
) -> None:
    iid = api.post("experiments/create", name="old")["experiment_id"]
    log(api, experiment_id=iid)
    visit = browsing.visit(api, forge.member(api.project_id, "maintainer"))
    page = visit.open(f"experiments/{iid}")
    page.get_by_role("button", name="Move to trash").first.click()
    expect(page.get_by_role("status").first).to_contain_text("in the trash since")
    visit.open("experiments?view=deleted").get_by_role("button", name="Restore old").click()
    page.get_by_role("button", name="Move to trash").first.click()
    visit.open("experiments?view=deleted").get_by_role("link", name="Delete for ever… old").click()
    page.get_by_role("button", name="Delete for ever").click()
    expect(page.get_by_role("status")).to_contain_text("1 experiment deleted for ever.")
    expect(page.get_by_text("The trash is empty.")).to_be_visible()
