"""What is done with the candidates that are ticked: compare, tag, trash, restore, delete."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from gitlab_mlops.hooks import signals
from tests.browsing import Browser, Page, log, words
from tests.factories import Api, Forge


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    """A developer, on an experiment with five candidates."""
    for number in range(5):
        log(api, f"run-{number}", metrics={"m": number})
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "developer"))


def names(page: Page) -> list[str]:
    return [words(each.text) for each in page.all("a", class_="mlops-name")]


def act(browser: Browser, action: str, *iids: int, back: str = "", **more: str) -> TestResponse:
    data: dict[str, Any] = {"csrf_token": "token-of-the-session", "candidates": list(iids)}
    url = f"{browser.base}/experiments/0/{action}-candidates"
    return browser.client.post(url, data=data | {"back": back} | more)


def follow(browser: Browser, answer: TestResponse) -> Page:
    assert answer.status_code == 303
    assert answer.location.startswith(f"{browser.base}/experiments/0")
    return browser.get(answer.location)


def buttons(page: Page) -> list[str]:
    """Those of the form of the selection, which is the last on the page."""
    start = page.elements.index(page.one("form", id="mlops-selection"))
    found = [each for each in page.elements[start:] if each.name == "button"]
    return [words(each.text) for each in found if "hidden" not in each.attributes]


def test_candidates_go_to_the_trash_and_come_back_together(browser: Browser) -> None:
    page = follow(browser, act(browser, "trash", 2, 4, back="order_by=metrics.m+ASC"))
    assert names(page) == ["run-0", "run-2", "run-4"]
    assert (
        "2 candidates moved to the trash"
        in page.one("p", role="status", class_="mlops-notice").text
    )
    trash = browser.get(page.link("Look there"))
    assert sorted(names(trash)) == ["run-1", "run-3"]
    back = follow(browser, act(browser, "restore", 2, 4, back="view=deleted"))
    assert "2 candidates restored" in back.text
    assert "The trash is empty" in back.text


def test_a_form_leads_back_to_the_same_state_of_the_table(browser: Browser) -> None:
    query = {
        "filter": ["metrics.m >= 0"],
        "order_by": ["metrics.m DESC"],
        "columns": ["metrics.m", "author"],
        "rows": ["flat"],
        "selected": ["1,2"],
    }
    page = browser.get("experiments/0", query_string=query)
    (button,) = (
        each for each in page.all("button") if "trash" in each.attributes.get("formaction", "")
    )
    assert button["name"] == "csrf_token"
    answer = browser.client.post(
        button["formaction"], data={button["name"]: button["value"], "candidates": ["1", "2"]}
    )
    assert parse_qs(urlsplit(answer.location).query) == {
        **{name: value for name, value in query.items() if name != "selected"},
        "done": ["trashed-2"],
    }


@pytest.mark.parametrize(
    "back",
    [
        "https://evil.example/",
        "//evil.example/",
        "?x=1#y",
        "\r\nX: y",
        "done=x&freed=9",
        "a" * 9000,
    ],
)
def test_back_is_only_ever_a_state_of_the_table(browser: Browser, back: str) -> None:
    answer = act(browser, "restore", 1, back=back)
    assert answer.status_code == 303
    assert answer.location == f"{browser.base}/experiments/0?done=restored-0"


@pytest.mark.parametrize("action", ["trash", "restore", "tag"])
def test_all_are_changed_or_none(forge: Forge, api: Api, browser: Browser, action: str) -> None:
    other = api.post("experiments/create", name="other")["experiment_id"]
    log(api, experiment_id=other)
    before = names(browser.get("experiments/0"))
    for missing in (6, 77):
        assert act(browser, action, 1, missing, key="k", value="v").status_code == 404
    assert names(browser.get("experiments/0")) == before
    assert "tags.k" not in browser.get("experiments/0").html


def test_what_is_there_already_is_not_moved_again(browser: Browser) -> None:
    act(browser, "trash", 1)
    page = follow(browser, act(browser, "trash", 1, 2))
    assert "1 candidate moved to the trash" in page.text


@pytest.mark.parametrize("action", ["trash", "restore", "tag", "delete"])
def test_nothing_ticked_is_said(forge: Forge, api: Api, browser: Browser, action: str) -> None:
    user = forge.member(api.project_id, "maintainer")
    maintainer = Browser.open(forge, api.project_id, user)
    assert "Tick the candidates first" in follow(maintainer, act(maintainer, action)).text


@pytest.mark.parametrize("iids", [range(201), [2**31], ["x"], [-1], ["1 or 1"]])
def test_bad_lists_of_candidates_are_refused(browser: Browser, iids: list[int]) -> None:
    assert act(browser, "trash", *iids).status_code == 400


def test_what_was_done_is_told_to_those_who_listen(browser: Browser) -> None:
    heard: list[tuple[str, int]] = []

    def trashed(_sender: object, iid: int, **_more: object) -> None:
        heard.append(("trashed", iid))

    def restored(_sender: object, iid: int, **_more: object) -> None:
        heard.append(("restored", iid))

    with (
        signals.candidate_trashed.connected_to(trashed),
        signals.candidate_restored.connected_to(restored),
    ):
        act(browser, "trash", 1, 3)
        act(browser, "trash", 1)
        act(browser, "restore", 1)
    assert heard == [("trashed", 1), ("trashed", 3), ("restored", 1)]


# Tags


def test_a_tag_is_asked_for_and_set(api: Api, browser: Browser) -> None:
    ask = browser.get("experiments/0/tag-candidates?candidates=1&candidates=3&back=rows%3Dflat")
    assert words(ask.one("h2").text) == "Tag 2 candidates"
    assert [each["value"] for each in ask.all("input", name="candidates")] == ["1", "3"]
    assert ask.one("input", name="back")["value"] == "rows=flat"
    page = follow(
        browser, act(browser, "tag", 1, 3, key="team", value="<b>red</b>", back="rows=flat")
    )
    assert "2 candidates tagged" in page.text
    found = browser.get("experiments/0", query_string={"filter": "tags.team = '<b>red</b>'"})
    assert sorted(names(found)) == ["run-0", "run-2"]


@pytest.mark.parametrize(
    ("key", "value"),
    [("", "x"), ("  ", "x"), ("a#b", "x"), ("k" * 251, "x"), ("mlflow.runName", "x"), ("k", "\0")],
)
def test_bad_tags_are_refused_in_words(browser: Browser, key: str, value: str) -> None:
    answer = act(browser, "tag", 1, key=key, value=value)
    assert answer.status_code == 400
    assert Page(answer).one("h1").text == "That does not work"


def test_what_is_in_the_trash_gets_no_tag(browser: Browser) -> None:
    act(browser, "trash", 1)
    assert act(browser, "tag", 2, 1, key="k", value="v").status_code == 400
    assert "tags.k" not in browser.get("experiments/0").html


# Deleting for ever


def test_deleting_for_ever_asks_and_says_what_it_frees(forge: Forge, api: Api) -> None:
    run_id = log(api, "old")
    path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/a.bin"
    assert api.call("PUT", path, data=b"x" * 3000).status_code == 200
    log(api, "kept")
    user = forge.member(api.project_id, "maintainer")
    browser = Browser.open(forge, api.project_id, user)
    act(browser, "trash", 1)
    ask = browser.get("experiments/0/delete-candidates?candidates=1")
    assert words(ask.one("h2").text) == "Delete 1 candidate for ever?"
    assert "2.9 KiB in 1 file" in ask.text
    page = follow(browser, act(browser, "delete", 1))
    assert "1 candidate deleted for ever. That freed 2.9 KiB." in page.text
    assert "The trash is empty" in page.text
    assert names(browser.get("experiments/0")) == ["kept"]
    assert browser.raw("candidates/1").status_code == 404


def test_only_what_is_in_the_trash_of_this_experiment_is_deleted(forge: Forge, api: Api) -> None:
    log(api, "active")
    other = api.post("experiments/create", name="other")["experiment_id"]
    api.post("runs/delete", run_id=log(api, experiment_id=other))
    user = forge.member(api.project_id, "maintainer")
    browser = Browser.open(forge, api.project_id, user)
    for iid, status in ((1, 400), (2, 404), (3, 404)):
        query = f"experiments/0/delete-candidates?candidates={iid}"
        assert browser.raw(query).status_code == status
        assert act(browser, "delete", iid).status_code == status
    assert browser.raw("candidates/2").status_code == 200


# Who may


def test_everybody_sees_what_they_may_do(forge: Forge, api: Api, browser: Browser) -> None:
    act(browser, "trash", 1)
    may_write = ["Compare", "Tag…", "Move to trash"]
    expected = {
        "anonymous": (["Compare"], ["Compare"]),
        "reporter": (["Compare"], ["Compare"]),
        "developer": (may_write, ["Compare", "Restore"]),
        "maintainer": (may_write, ["Compare", "Restore", "Delete for ever…"]),
    }
    for role, (active, deleted) in expected.items():
        user = None if role == "anonymous" else forge.member(api.project_id, role)
        reader = Browser.open(forge, api.project_id, user)
        for query, wanted in (("", active), ("?view=deleted", deleted)):
            assert buttons(reader.get(f"experiments/0{query}")) == wanted, role


def test_forms_need_their_token_and_no_address_has_it(browser: Browser) -> None:
    answer = act(browser, "trash", 1, csrf_token="wrong")
    assert answer.status_code == 403
    page = browser.get("experiments/0")
    assert page.one("form", id="mlops-selection")["method"] == "get"
    assert len(page.all("input", name="csrf_token")) == len(page.all("form", method="post"))


# The selection in the address


def test_what_is_ticked_is_in_the_address(browser: Browser) -> None:
    page = browser.get("experiments/0?selected=2,77,4&filter=metrics.m+>+1")
    ticks = {
        each["value"]: "checked" in each.attributes for each in page.all("input", name="candidates")
    }
    # run-0 and run-1 do not match; the second is ticked all the same, and so is who is gone.
    assert ticks == {"5": False, "4": True, "3": False, "2": True, "77": True}
    assert "selected=2%2C77%2C4" in page.link("m")


def test_comparing_takes_what_the_form_sends(browser: Browser) -> None:
    page = browser.get("experiments/0")
    form = page.one("form", id="mlops-selection")
    answer = browser.raw(form["action"], query_string={"candidates": ["1", "3"]})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "done=trashed-x",
        "done=<b>-1",
        "done=trashed-99999",
        "deleted=1&freed=x",
        "deleted=-1&freed=1",
    ],
)
def test_made_up_notices_are_not_shown(browser: Browser, query: str) -> None:
    page = browser.get(f"experiments/0?{query}")
    assert page.status == 200
    assert not page.all("p", class_="mlops-notice")
