"""The wide table: its frame, and its rows as JSON."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from gitlab_mlops.blueprints.web import wide, wide_columns
from tests.browsing import Browser, counted_statements, log
from tests.factories import Api, Forge

EVIL = '</script><img src=x onerror="alert(1)">'


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id)


def rows(browser: Browser, query: str = "") -> dict[str, Any]:
    response = browser.raw(f"experiments/0/rows.json?{query}")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    found: dict[str, Any] = response.get_json()
    return found


def column(found: dict[str, Any], name: str) -> dict[str, Any]:
    (only,) = (each for each in found["columns"] if each["name"] == name)
    return only


def fill(api: Api, count: int, **more: Any) -> None:
    for number in range(count):
        log(api, f"try-{number}", start_time=1_700_000_000_000 + number, **more)


def test_rows_have_all_that_candidates_logged(forge: Forge, api: Api, browser: Browser) -> None:
    log(api, "a", metrics={"auc": 0.1, "system/cpu": 1}, params={"p": EVIL}, tags={"team": "x"})
    log(api, "", metrics={"auc": "NaN"}, params={"q": "2"}, tags={"mlflow.user": "x"})
    found = rows(browser, "order_by=attributes.start_time")
    assert sorted(found["iids"]) == [1, 2]
    assert [each["name"] for each in found["columns"]] == [
        "status", "created", "author", "duration", "metrics.auc", "metrics.system/cpu", "params.p",
        "params.q", "tags.team",
    ]  # fmt: skip
    first = found["iids"].index(1)
    values = {each["name"]: each["values"][first] for each in found["columns"]}
    assert values["metrics.auc"] == 0.1
    assert values["params.p"] == EVIL
    assert (values["params.q"], values["tags.team"]) == (None, "x")
    assert (values["status"], values["created"]) == ("running", "2023-11-14 22:13")
    assert values["author"].startswith("user-")
    assert column(found, "metrics.auc")["values"][1 - first] == "NaN"
    assert found["names"][first] == "a"
    assert (found["total"], found["next"]) == (2, "")


def test_the_order_is_the_one_of_the_address(api: Api, browser: Browser) -> None:
    for value in (1.0, 3.0, 2.0):
        log(api, metrics={"auc": value})
    found = rows(browser, "order_by=metrics.auc+DESC")
    assert column(found, "metrics.auc")["values"] == [3.0, 2.0, 1.0]
    assert column(found, "metrics.auc")["sorted"] == "descending"
    assert column(found, "metrics.auc")["order_by"] == "metrics.auc ASC"
    assert column(found, "created")["order_by"] == "attributes.start_time DESC"
    assert column(found, "duration")["order_by"] == ""
    assert found["name"]["order_by"] == "attributes.run_name ASC"


@pytest.mark.parametrize("name", ["name", "status", "created", "metrics.auc", "params.p", "tags.t"])
def test_every_head_that_sorts_leads_to_a_table(api: Api, browser: Browser, name: str) -> None:
    log(api, metrics={"auc": 1.0}, params={"p": "x"}, tags={"t": "x"})
    found = rows(browser)
    described = found["name"] if name == "name" else column(found, name)
    turned = rows(browser, f"order_by={quote(described['order_by'])}")
    again = turned["name"] if name == "name" else column(turned, name)
    assert again["sorted"] in ("ascending", "descending")


def test_more_rows_are_on_the_next_page(
    api: Api, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wide, "MAX_ROWS", 2)
    fill(api, 5, metrics={"auc": 1.0})
    names, token = [], ""
    for _ in range(3):
        found = rows(browser, f"filter=metrics.auc+>+0&page_token={token}")
        names += found["names"]
        token = found["next"]
        assert found["total"] is None
    assert names == ["try-4", "try-3", "try-2", "try-1", "try-0"]
    assert token == ""
    assert rows(browser)["total"] == 5
    assert rows(browser, "filter=attributes.run_name+=+'try-1'")["total"] == 1


def test_chosen_columns_alone_are_sent_and_the_others_named(api: Api, browser: Browser) -> None:
    tags = {"mlflow.source.git.commit": "0123456789abcdef", "mlflow.source.git.branch": "main"}
    log(api, metrics={"auc": 1.0}, params={"p": "x"}, tags=tags)
    found = rows(browser, "columns=params.p&columns=source&columns=tags.none")
    assert {each["name"]: each["values"] for each in found["columns"]} == {
        "params.p": ["x"],
        "source": ["01234567 main (claimed)"],
        "tags.none": [None],
    }
    assert [each["name"] for each in found["others"]] == [
        "status", "created", "author", "duration", "metrics.auc",
    ]  # fmt: skip


def test_columns_that_none_of_the_rows_has_are_left_out(api: Api, browser: Browser) -> None:
    log(api, "a", metrics={"auc": 1.0}, params={"p": "x"}, tags={"t": "x"})
    log(api, "b")
    found = rows(browser, "filter=attributes.run_name+=+'b'")
    assert {each["entity"] for each in [*found["columns"], *found["others"]]} == {"attribute"}


def test_too_many_columns_are_offered_and_not_sent(
    api: Api, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wide_columns, "MAX_COLUMNS", 6)
    logged = {f"k{number}": str(number) for number in range(9)}
    log(api, metrics={key: float(value) for key, value in logged.items()}, params=logged)
    found = rows(browser, "order_by=params.k8&order_by=metrics.k8")
    shown = [each["name"] for each in found["columns"] if each["entity"] != "attribute"]
    assert shown == [
        "metrics.k0", "metrics.k1", "metrics.k8", "params.k0", "params.k1", "params.k8",
    ]  # fmt: skip
    assert len(found["others"]) == 12
    assert found["is_limited"]
    assert [each["name"] for each in rows(browser, "columns=params.k7")["columns"]] == ["params.k7"]


def test_long_texts_are_cut(api: Api, browser: Browser) -> None:
    log(api, params={"long": "é" * 5000, "short": "é" * wide_columns.MAX_TEXT})
    found = rows(browser)
    assert column(found, "params.long")["values"] == ["é" * (wide_columns.MAX_TEXT - 1) + "…"]
    assert column(found, "params.short")["values"] == ["é" * wide_columns.MAX_TEXT]


def test_the_trash_has_rows_of_its_own(api: Api, browser: Browser) -> None:
    log(api, "kept")
    api.post("runs/delete", run_id=log(api, "gone"))
    found = rows(browser, "view=deleted")
    assert (found["names"], found["total"]) == (["gone"], 1)


@pytest.mark.parametrize(
    "query", ["filter=metrics.auc+>>+1", "order_by=x", "columns=x", "view=x", "page_token=x"]
)
def test_rows_are_refused_for_what_no_table_shows(api: Api, browser: Browser, query: str) -> None:
    log(api)
    assert browser.raw(f"experiments/0/rows.json?{query}").status_code == 400


@pytest.mark.parametrize("path", ["wide", "rows.json"])
def test_a_missing_experiment_has_neither_frame_nor_rows(browser: Browser, path: str) -> None:
    assert browser.raw(f"experiments/99/{path}").status_code == 404


def test_the_frame_keeps_the_state(api: Api, browser: Browser) -> None:
    log(api, metrics={"auc": 1.0})
    query = "filter=metrics.auc+>+0&order_by=metrics.auc+DESC&columns=metrics.auc&heat=1"
    page = browser.get(f"experiments/0/wide?{query}")
    assert page.status == 200
    source = page.one("div", id="mlops-wide")["data-rows"]
    for link in (source, page.link("CSV"), page.link("JSON"), page.link("Table")):
        assert "filter=metrics.auc+%3E+0&order_by=metrics.auc+DESC&columns=metrics.auc" in link
        assert browser.raw(link).status_code == 200
    assert page.one("input", name="filter", type="text")["value"] == "metrics.auc > 0"
    hidden = [(each["name"], each["value"]) for each in page.all("input", type="hidden")]
    assert hidden.count(("order_by", "metrics.auc DESC")) == 2
    assert hidden.count(("columns", "metrics.auc")) == 1
    assert hidden.count(("filter", "metrics.auc > 0")) == 1


def test_without_scripts_the_frame_leads_to_the_table_and_the_csv(
    api: Api, browser: Browser
) -> None:
    log(api)
    page = browser.get("experiments/0/wide?filter=attributes.run_name+!=+'x'")
    assert page.all("noscript")
    assert browser.raw(page.link("table")).status_code == 200
    assert browser.raw(page.link("CSV file")).status_code == 200


def test_a_mistake_in_the_filter_is_shown_at_its_place(api: Api, browser: Browser) -> None:
    log(api)
    page = browser.get("experiments/0/wide?filter=metrics.auc+>>+1")
    assert page.status == 400
    assert page.one("mark").text == ">"
    assert not page.all("div", id="mlops-wide")


def test_heat_is_on_or_off(api: Api, browser: Browser) -> None:
    log(api)
    on, off = (browser.get(f"experiments/0/wide{query}") for query in ("?heat=1", ""))
    assert on.one("button", id="mlops-heat")["aria-pressed"] == "true"
    assert off.one("button", id="mlops-heat")["aria-pressed"] == "false"
    assert browser.get("experiments/0/wide?heat=x").status == 400


def test_statements_do_not_grow_with_rows_or_columns(api: Api, browser: Browser) -> None:
    def cost() -> int:
        rows(browser, "filter=metrics.m0+>=+0&order_by=params.p0")
        with counted_statements(browser.forge.app) as statements:
            rows(browser, "filter=metrics.m0+>=+0&order_by=params.p0")
        assert {each.split()[0] for each in statements} <= {"SELECT", "WITH"}
        return len(statements)

    fill(api, 2, metrics={"m0": 1.0}, params={"p0": "x"})
    few = cost()
    numbers = range(20)
    many = {"metrics": {f"m{n}": 1.0 for n in numbers}, "params": {f"p{n}": "x" for n in numbers}}
    fill(api, 20, **many)
    assert cost() == few <= 20
