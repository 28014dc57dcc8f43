"""Charts over the candidates of an experiment: their settings, their data, their table."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from jinja2 import StrictUndefined

from gitlab_mlops.blueprints.web import overall_charts
from tests.browsing import START, Browser, Page, counted_statements, log, words
from tests.contract.test_pages_markup import CORPUS, assert_harmless, evil
from tests.factories import Api, Forge

__all__ = ["evil"]

CHARTS = "experiments/0/charts"
VALUES = "Values that the charts show"


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id)


def search(api: Api, count: int = 4) -> None:
    """Candidates that try learning rates and optimizers."""
    for number in range(1, count + 1):
        log(
            api,
            f"try {number}",
            start_time=START + number * 1000,
            metrics={"val_auc": number / 10, "loss": 1 / number},
            params={
                "lr": f"{number}e-3",
                "optimizer": "adam" if number % 2 else "sgd",
                "seed": "1",
            },
            tags={"team": "a"},
        )


def settings(page: Page) -> list[dict[str, Any]]:
    """Those of the scatter plot and of the parallel coordinates."""
    return [
        json.loads(each["data-mlops-settings"]) for each in page.all("div", class_="mlops-plot")
    ]


def points(browser: Browser, page: Page) -> dict[str, Any]:
    """What the charts of a page fetch."""
    answer = browser.raw(page.one("form", id="mlops-plots")["data-mlops-url"])
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    data: dict[str, Any] = answer.get_json()
    return data


def test_the_main_metric_is_drawn_over_time_with_the_best_so_far(
    api: Api, browser: Browser
) -> None:
    search(api)
    page = browser.get(CHARTS)
    scatter, parallel = settings(page)
    assert scatter == {
        "x": "created",
        "y": "metrics.val_auc",
        "color": "",
        "log": [],
        "best": "max",
    }
    assert parallel == {
        "axes": ["params.lr", "params.optimizer", "metrics.loss", "metrics.val_auc"],
        "color": "metrics.val_auc",
    }
    assert words(page.one("nav", class_="mlops-tabs").text) == "Candidates 4 Charts Trash 0"


def test_the_data_are_columns_of_the_newest_first(api: Api, browser: Browser) -> None:
    search(api, 2)
    log(api, "", start_time=START + 9000, metrics={"val_auc": "NaN", "loss": "Infinity"})
    data = points(browser, browser.get(CHARTS))
    assert (data["total"], data["more"], data["iids"]) == (3, False, [3, 2, 1])
    assert data["names"][1:] == ["try 2", "try 1"]
    columns = data["columns"]
    assert columns["metrics.val_auc"]["values"] == [None, 0.2, 0.1]
    assert columns["metrics.loss"]["values"] == [None, 0.5, 1.0]
    assert columns["params.lr"] == {
        "label": "lr",
        "kind": "number",
        "values": [None, 0.002, 0.001],
        "spreads": False,
    }
    assert columns["params.optimizer"]["kind"] == "text"
    assert columns["params.optimizer"]["levels"] == ["sgd", "adam"]
    assert columns["created"]["values"] == [START + 9000, START + 2000, START + 1000]
    assert columns["created"]["kind"] == "time"


def test_the_settings_are_in_the_address(api: Api, browser: Browser) -> None:
    search(api)
    query = (
        "y=metrics.loss&x=created&color=params.optimizer&log=y&axes=params.lr&axes_color=duration"
    )
    page = browser.get(f"{CHARTS}?{query}")
    scatter, parallel = settings(page)
    assert scatter["best"] == "min"
    assert (scatter["color"], scatter["log"]) == ("params.optimizer", ["y"])
    assert parallel == {"axes": ["params.lr"], "color": "duration"}
    assert set(points(browser, page)["columns"]) == {
        "metrics.loss",
        "created",
        "params.optimizer",
        "params.lr",
        "duration",
    }
    fields = [
        (each["name"], each["value"]) for each in page.all("input") if "checked" in each.attributes
    ]
    assert fields == [("log", "y"), ("axes", "params.lr")]
    chosen = [each["value"] for each in page.all("option") if "selected" in each.attributes]
    assert chosen == ["metrics.loss", "created", "params.optimizer", "", "duration"]


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("best=min", "min"),
        ("best=none", ""),
        ("y=metrics.fun", ""),
        ("y=metrics.fun&best=max", "max"),
        ("best=max&x=params.lr", ""),
    ],
)
def test_the_best_so_far_is_a_matter_of_time_and_direction(
    api: Api, browser: Browser, query: str, best: str
) -> None:
    search(api)
    log(api, metrics={"fun": 1.0})
    page = browser.get(f"{CHARTS}?{query}")
    assert settings(page)[0]["best"] == best


def test_the_same_filter_as_the_tables_chooses_the_candidates(api: Api, browser: Browser) -> None:
    search(api)
    page = browser.get(
        CHARTS, query_string={"filter": "params.optimizer = 'sgd'", "y": "metrics.loss"}
    )
    assert points(browser, page)["iids"] == [4, 2]
    assert [row[0] for row in page.rows(VALUES)] == ["try 4", "try 2"]
    assert page.one("input", id="mlops-filter")["value"] == "params.optimizer = 'sgd'"
    hidden = [(each["name"], each["value"]) for each in page.all("input", type="hidden")]
    assert ("filter", "params.optimizer = 'sgd'") in hidden
    assert ("y", "metrics.loss") in hidden
    assert parse_qs(urlsplit(page.link("Clear")).query) == {"y": ["metrics.loss"]}


def test_a_mistake_in_the_filter_is_shown_where_it_is(api: Api, browser: Browser) -> None:
    search(api)
    page = browser.get(CHARTS, query_string={"filter": "metrics.loss >> 1"})
    assert page.status == 400
    assert page.one("mark").text == ">"
    assert page.one("input", id="mlops-filter")["value"] == "metrics.loss >> 1"
    assert page.all("div", class_="mlops-plot") == []
    assert browser.get(page.link("Show all candidates")).status == 200
    answer = browser.raw("experiments/0/points.json?filter=metrics.loss+>>+1")
    assert answer.status_code == 400


def test_the_trash_can_be_drawn(api: Api, browser: Browser) -> None:
    search(api)
    api.post("runs/delete", run_id=log(api, "gone", metrics={"loss": 3}))
    page = browser.get(f"{CHARTS}?view=deleted&y=metrics.loss")
    assert points(browser, page)["names"] == ["gone"]
    assert "gone" not in browser.get(CHARTS).html


def test_more_than_can_be_drawn_is_disclosed(
    api: Api, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    search(api)
    monkeypatch.setattr(overall_charts, "MAX_POINTS", 3)
    monkeypatch.setattr(overall_charts, "MAX_TABLE", 2)
    page = browser.get(CHARTS)
    assert "The charts show the newest 3 of 4 candidates" in page.text
    assert len(page.rows(VALUES)) == 2
    assert "2 of 4" in page.text
    data = points(browser, page)
    assert (data["iids"], data["total"]) == ([4, 3, 2], 4)


def test_empty_states_say_what_to_do(api: Api, browser: Browser) -> None:
    empty = api.post("experiments/create", name="empty")["experiment_id"]
    assert "no candidates to draw" in browser.get(f"experiments/{empty}/charts").text
    log(api)
    assert "nothing to draw yet" in browser.get(CHARTS).text
    search(api)
    assert "No candidate matches" in browser.get(f"{CHARTS}?filter=metrics.loss+>+99").text
    assert "trash is empty" in browser.get(f"{CHARTS}?view=deleted").text
    assert browser.get("experiments/77/charts").status == 404
    assert browser.raw("experiments/77/points.json").status_code == 404


def test_params_without_metrics_can_be_drawn(api: Api, browser: Browser) -> None:
    for number in range(3):
        log(api, params={"lr": str(number)}, start_time=START + number)
    page = browser.get(f"{CHARTS}?y=params.lr")
    assert points(browser, page)["columns"]["params.lr"]["values"] == [2.0, 1.0, 0.0]
    scatter, parallel = settings(browser.get(CHARTS))
    assert (scatter["y"], parallel) == ("duration", {"axes": ["params.lr"], "color": ""})


def test_a_wide_search_gets_a_logarithmic_axis_and_many_texts_share_a_colour(
    api: Api, browser: Browser
) -> None:
    for number in range(12):
        params = {"lr": f"1e-{number}", "arch": f"net {number % 9}", "zero": str(number)}
        log(api, params=params, metrics={"loss": 10.0**number})
    query = "axes=params.lr&axes=params.arch&axes=params.zero&axes=metrics.loss"
    columns = points(browser, browser.get(f"{CHARTS}?{query}"))["columns"]
    assert columns["params.lr"]["spreads"] is True
    assert columns["params.zero"]["spreads"] is False
    assert "spreads" not in columns["metrics.loss"]
    levels = columns["params.arch"]["levels"]
    assert len(levels) == 7
    assert {"net 0", "net 1", "net 2"} <= set(levels)


def test_a_time_that_is_no_date_is_left_out(api: Api, browser: Browser) -> None:
    log(api, start_time=2**63 - 1, metrics={"loss": 1.0})
    page = browser.get(CHARTS)
    assert points(browser, page)["columns"]["created"]["values"] == [None]


@pytest.mark.parametrize(
    "query",
    ["y=loss", "y=author", "x=%00", "log=%00", "best=mean", "axes=status", "view=all", "axes=a.b",
     "&".join(f"axes=params.{number}" for number in range(13))],
)  # fmt: skip
def test_an_address_that_no_link_leads_to_is_refused(
    api: Api, browser: Browser, query: str
) -> None:
    search(api, 1)
    assert browser.get(f"{CHARTS}?{query}").status == 400


@pytest.mark.parametrize(
    "query",
    ["columns=loss", "columns=status", "columns=metrics.%00", "view=all",
     "&".join(f"columns=params.{number}" for number in range(21))],
)  # fmt: skip
def test_data_that_nobody_asks_for_are_refused(api: Api, browser: Browser, query: str) -> None:
    search(api, 1)
    assert browser.raw(f"experiments/0/points.json?{query}").status_code == 400


def test_more_candidates_cost_no_more_statements(forge: Forge, api: Api, browser: Browser) -> None:
    def cost(path: str) -> int:
        browser.raw(path)
        with counted_statements(forge.app) as statements:
            assert browser.raw(path).status_code == 200
        assert all(each.lstrip().startswith(("SELECT", "WITH")) for each in statements)
        return len(statements)

    search(api, 2)
    filtered = f"{CHARTS}?filter=metrics.loss+>+0+and+params.seed+%3D+'1'&axes=tags.team"
    columns = "&".join(f"columns={each}" for each in ("metrics.loss", "params.lr", "created"))
    paths = (CHARTS, filtered, f"experiments/0/points.json?{columns}")
    few = [cost(path) for path in paths]
    search(api, 20)
    assert [cost(path) for path in paths] == few
    assert max(few) <= 20


def test_nothing_that_was_logged_becomes_markup(evil: Browser) -> None:
    for number, text in enumerate(CORPUS, start=1):
        page = evil.get(f"experiments/{number}/charts")
        assert page.status == 200
        assert_harmless(page)
        data = points(evil, page)
        assert len(data["iids"]) == 2
        chosen = {"x": f"params.{text[:250]}", "y": f"metrics.{text[:250]}"}
        page = evil.get(f"experiments/{number}/charts", query_string=chosen)
        assert_harmless(page)
        values = points(evil, page)["columns"].get(f"metrics.{text[:250]}", {"values": [1.0, 0.0]})
        assert sorted(values["values"]) == [0.0, 1.0]


@pytest.mark.parametrize("text", CORPUS[:9])
def test_nothing_in_an_address_becomes_markup(evil: Browser, text: str) -> None:
    for part in ("filter", "view", "x", "y", "color", "log", "best", "axes", "axes_color"):
        for value in (text, f"tags.{text}"):
            assert_harmless(evil.get("experiments/1/charts", query_string={part: value}))


def test_the_page_is_labelled(evil: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evil.forge.app.jinja_env, "undefined", StrictUndefined)
    for query in ("", "?filter=x", "?view=deleted", "?x=params.nothing&y=tags.a"):
        page = evil.get(f"experiments/1/charts{query}")
        assert page.status < 500
        assert len(page.all("caption")) == len(page.all("table"))
        labelled = {each["for"] for each in page.all("label") if "for" in each.attributes}
        for field in [*page.all("select"), *page.all("input", type="text")]:
            assert field["id"] in labelled
        ids = [each["id"] for each in page.elements if "id" in each.attributes]
        assert len(ids) == len(set(ids))
