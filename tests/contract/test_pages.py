"""The list of experiments, and the table of an experiment's candidates."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from gitlab_mlops.models import Experiment
from gitlab_mlops.services import overview
from host_stub.database import db
from tests.browsing import START, Browser, Page, log, words
from tests.factories import Api, Forge


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    """Somebody who is not signed in; the project is public."""
    return Browser.open(forge, api.project_id)


def names(page: Page) -> list[str]:
    return [words(each.text) for each in page.all("a", class_="mlops-name")]


def walk(browser: Browser, page: Page) -> list[str]:
    """The names on this page and all that follow it."""
    found = names(page)
    while page.has_link("Next page"):
        page = browser.get(page.link("Next page"))
        assert page.status == 200
        found += names(page)
    return found


# Experiments


def test_experiments_show_candidates_and_who_made_them(forge: Forge, api: Api) -> None:
    experiment_id = api.post("experiments/create", name="iris")["experiment_id"]
    log(api, experiment_id=experiment_id)
    trashed = log(api, experiment_id=experiment_id)
    api.post("runs/delete", run_id=trashed)
    page = Browser.open(forge, api.project_id).get("experiments")
    (row,) = page.rows()
    assert row[:3] == ["iris", "–unknown", "1"]
    assert row[-1].startswith("user-")
    assert words(page.one("h1").text) == "Experiments"
    assert all(each["datetime"].endswith("Z") for each in page.all("time"))


def test_looking_at_pages_writes_nothing(forge: Forge, api: Api, browser: Browser) -> None:
    assert browser.get("experiments").status == 200
    assert browser.get("experiments/0").status == 404
    with forge.stored():
        made = select(func.count()).where(Experiment.project_id == api.project_id)
        assert db.session.scalar(made) == 0


def test_an_empty_project_shows_how_to_log_the_first_candidate(
    forge: Forge, api: Api, browser: Browser
) -> None:
    page = browser.get("experiments")
    snippet = " ".join(each.text for each in page.all("pre"))
    uri = re.search(r"MLFLOW_TRACKING_URI=(\S+)", snippet)
    assert uri is not None
    assert uri[1] == f"http://localhost{api.base}"
    assert "mlflow.start_run()" in snippet
    assert page.link("your access tokens") == "/-/user_settings/personal_access_tokens"
    assert "sign in" in page.text
    reporter = Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))
    assert "ask a maintainer" in reporter.get("experiments").text
    developer = Browser.open(forge, api.project_id, forge.member(api.project_id, "developer"))
    assert "ask a maintainer" not in developer.get("experiments").text


def test_an_empty_experiment_shows_how_to_log_to_it(api: Api, browser: Browser) -> None:
    name = 'two "words" – ünïcode'
    iid = api.post("experiments/create", name=name)["experiment_id"]
    page = browser.get(f"experiments/{iid}")
    assert page.status == 200
    (code,) = (each.text for each in page.all("pre") if "set_experiment" in each.text)
    given: list[str] = []
    line = next(line for line in code.splitlines() if "set_experiment" in line)
    exec(line, {"mlflow": type("mlflow", (), {"set_experiment": given.append})})
    assert given == [name]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [("IRIS", ["Iris-b", "iris-a"]), ("100%", ["100%"]), ("a_b", ["a_b"]), ("nothing", [])],
)
def test_experiments_are_found_by_a_part_of_their_name(
    api: Api, browser: Browser, wanted: str, found: list[str]
) -> None:
    for name in ("iris-a", "Iris-b", "100%", "1000", "a_b", "axb"):
        api.post("experiments/create", name=name)
    page = browser.get("experiments", query_string={"name": wanted})
    assert names(page) == found
    assert page.one("input", name="name")["value"] == wanted


def test_every_experiment_is_on_exactly_one_page(api: Api, browser: Browser) -> None:
    wanted = {f"sweep-{number:03d}" for number in range(120)}
    for name in sorted(wanted):
        api.post("experiments/create", name=name)
    for sort in ("activity", "name", "candidates"):
        first = browser.get("experiments", query_string={"sort": sort, "name": "SWEEP"})
        assert len(names(first)) == 50
        found = walk(browser, first)
        assert len(found) == 120
        assert set(found) == wanted
    assert walk(browser, browser.get("experiments?sort=name")) == sorted(wanted)


def test_experiments_sort_by_activity_and_by_candidates(api: Api, browser: Browser) -> None:
    few, many, none = (api.post("experiments/create", name=name)["experiment_id"] for name in "abc")
    for iid in (many, many, few):
        log(api, experiment_id=iid)
    assert names(browser.get("experiments"))[0] == "a"
    by_candidates = browser.get("experiments?sort=candidates")
    assert names(by_candidates) == ["b", "a", "c"]
    assert none
    (head,) = by_candidates.all("th", aria_sort="descending")
    assert words(head.text) == "Candidates"


def test_deleted_experiments_are_in_the_trash(api: Api, browser: Browser) -> None:
    iid = api.post("experiments/create", name="old")["experiment_id"]
    api.post("experiments/create", name="new")
    log(api, experiment_id=iid)
    api.post("experiments/delete", experiment_id=iid)
    page = browser.get("experiments")
    assert names(page) == ["new"]
    assert names(browser.get(page.link("Trash 1"))) == ["old"]
    assert "is in the trash since" in browser.get(f"experiments/{iid}").text


@pytest.mark.parametrize(
    "query",
    [
        "view=all",
        "sort=size",
        "after=garbage",
        "after=e30=",
        "name=%00",
        "after=eyJhZnRlciI6WzEsImEiXX0=",
    ],
)
def test_a_bad_address_of_the_list_is_refused(api: Api, browser: Browser, query: str) -> None:
    page = browser.get(f"experiments?{query}")
    assert page.status == 400
    assert page.has_link("All experiments")


# The table of candidates


@pytest.fixture
def sweep(api: Api) -> str:
    """An experiment with three candidates; its id."""
    iid: str = api.post("experiments/create", name="sweep")["experiment_id"]
    for number, (auc, depth) in enumerate([(0.71, "3"), (0.9123456789, "5"), (0.8, "4")]):
        log(
            api,
            f"run-{number}",
            experiment_id=iid,
            start_time=START + number * 60_000,
            metrics={"auc": auc, "rows": 120},
            params={"max depth": depth, "seed": "42"},
        )
    return iid


def test_the_table_shows_what_varies_and_tells_the_rest_once(browser: Browser, sweep: str) -> None:
    page = browser.get(f"experiments/{sweep}")
    assert names(page) == ["run-2", "run-1", "run-0"]
    heads = [words(each.text) for each in page.all("th") if each.attributes.get("scope") == "col"]
    assert heads[-2:] == ["auc", "max depth"]
    constants = {
        words(key.text): words(value.text)
        for key, value in zip(page.all("dt"), page.all("dd"), strict=True)
    }
    assert constants.pop("Author").startswith("user-")
    assert constants == {"rows": "120", "seed": "42"}
    row = page.rows()[1]
    assert row[0] == "Select run-1"
    assert row[1].startswith("run-1")
    assert "[candidate:2]" in row[1]
    assert row[2] == "Running"
    assert row[-2:] == ["★best on this page: 0.912346", "5"]
    assert page.all("td", title="0.9123456789")


def test_a_single_candidate_shows_everything_it_has(api: Api, browser: Browser) -> None:
    log(api, metrics={"auc": 0.5}, params={"depth": "3"})
    assert browser.get("experiments/0").rows()[0][-2:] == ["0.5", "3"]


def test_every_column_sorts_by_its_link(browser: Browser, sweep: str) -> None:
    page = browser.get(f"experiments/{sweep}")
    (by_time,) = page.all("th", aria_sort="descending")
    assert words(by_time.text) == "Created"
    by_auc = browser.get(page.link("auc"))
    assert names(by_auc) == ["run-1", "run-2", "run-0"]
    assert words(by_auc.one("th", aria_sort="descending").text) == "auc"
    upwards = browser.get(by_auc.link("auc"))
    assert names(upwards) == ["run-0", "run-2", "run-1"]
    assert words(upwards.one("th", aria_sort="ascending").text) == "auc"
    by_depth = browser.get(upwards.link("max depth"))
    assert names(by_depth) == ["run-0", "run-2", "run-1"]
    assert names(browser.get(by_depth.link("Name"))) == ["run-0", "run-1", "run-2"]


def test_sorting_by_a_constant_makes_it_a_column(browser: Browser, sweep: str) -> None:
    page = browser.get(f"experiments/{sweep}", query_string={"order_by": "metrics.rows DESC"})
    assert words(page.one("th", aria_sort="descending").text) == "rows"


def test_a_filter_takes_mlflows_syntax_and_stays_in_every_link(
    browser: Browser, sweep: str
) -> None:
    query = {"filter": "metrics.auc > 0.75 and params.`max depth` != '4'"}
    page = browser.get(f"experiments/{sweep}", query_string=query)
    assert names(page) == ["run-1"]
    assert page.one("input", id="mlops-filter")["value"] == query["filter"]
    assert "metrics.auc+%3E+0.75" in page.link("auc")
    everything = browser.get(page.link("Clear"))
    assert len(names(everything)) == 3


def test_a_filter_that_finds_nothing_says_so(browser: Browser, sweep: str) -> None:
    page = browser.get(f"experiments/{sweep}", query_string={"filter": "metrics.auc > 2"})
    assert page.status == 200
    assert "No candidate matches this filter" in page.text


@pytest.mark.parametrize(
    ("filter_", "at"),
    [
        ("metrics.auc >> 0.5", ">"),
        ("metric.auc > 0.5 or", " "),
        ("params.a = 'x' AND <script>", "<"),
        ("nonsense", "n"),
    ],
)
def test_a_wrong_filter_is_answered_with_the_place_of_the_mistake(
    browser: Browser, sweep: str, filter_: str, at: str
) -> None:
    page = browser.get(f"experiments/{sweep}", query_string={"filter": filter_})
    assert page.status == 400
    assert "Invalid filter at character" in page.one("div", role="alert").text
    assert page.one("mark").text == at
    box = page.one("input", id="mlops-filter")
    assert box["value"] == filter_
    assert box["aria-invalid"] == "true"
    assert "mlops-problem" in box["aria-describedby"].split()
    assert page.one("div", id="mlops-problem")


@pytest.mark.parametrize(
    "query",
    [
        "order_by=metrics.auc+SIDEWAYS",
        "order_by=nonsense",
        "view=all",
        "page_token=garbage",
        "page_token=e30=",
        "filter=%00",
        "filter=" + "x" * 30_000,
        "order_by=" + "&order_by=".join(f"metrics.m{number}" for number in range(30)),
    ],
)
def test_a_bad_address_of_the_table_is_refused(browser: Browser, sweep: str, query: str) -> None:
    assert browser.get(f"experiments/{sweep}?{query}").status == 400


def test_a_page_token_of_another_order_is_refused(api: Api, browser: Browser) -> None:
    for number in range(51):
        log(api, metrics={"m": number})
    token = browser.get("experiments/0").link("Next page").rpartition("page_token=")[2]
    assert browser.get(f"experiments/0?page_token={token}").status == 200
    answer = browser.get(f"experiments/0?order_by=metrics.m&page_token={token}")
    assert answer.status == 400


def test_every_candidate_is_on_exactly_one_page(api: Api, browser: Browser) -> None:
    odd = set()
    for number in range(110):
        name = f"run-{number:03d}"
        value: float | str = {0: "NaN", 1: "Infinity"}.get(number % 10, number % 7)
        log(api, name, metrics={"m": value} if number % 5 else None, params={"p": str(number % 2)})
        odd |= {name} if number % 2 else set()
    for order in ((), ("metrics.m DESC",), ("metrics.m",), ("params.p", "metrics.m")):
        first = browser.get("experiments/0", query_string={"order_by": list(order)})
        assert len(names(first)) == 50
        assert sorted(walk(browser, first)) == [f"run-{number:03d}" for number in range(110)]
    query = {"order_by": "metrics.m DESC", "filter": "params.p = '1'"}
    found = walk(browser, browser.get("experiments/0", query_string=query))
    assert len(found) == 55
    assert set(found) == odd


def test_more_columns_than_fit_are_named(api: Api, browser: Browser) -> None:
    for number in range(2):
        log(
            api,
            metrics={f"metric{key:02d}": number for key in range(30)},
            params={f"param{key:02d}": str(number) for key in range(30)},
        )
    page = browser.get("experiments/0")
    columns = [each for each in page.all("th", scope="col") if words(each.text)[-2:].isdigit()]
    assert len(columns) == 25
    assert "35 columns more have no room" in page.text
    shown = browser.get(page.link("metric29"))
    assert words(shown.one("th", aria_sort="descending").text) == "metric29"


def test_special_values_are_shown_as_such(api: Api, browser: Browser) -> None:
    values: dict[str, Any] = {
        "a": "NaN", "b": "Infinity", "c": "-Infinity", "d": 12.0, "e": 1e-9, "f": 123456.789,
    }  # fmt: skip
    log(api, metrics=values)
    row = browser.get("experiments/0").rows()[0]
    assert row[-6:] == ["NaN", "Infinity", "-Infinity", "12", "1e-09", "123457"]


def test_the_trash_has_its_own_view(api: Api, browser: Browser, sweep: str) -> None:
    gone = log(api, "gone", experiment_id=sweep)
    api.post("runs/delete", run_id=gone)
    page = browser.get(f"experiments/{sweep}")
    assert "gone" not in names(page)
    trash = browser.get(page.link("Trash 1"))
    assert names(trash) == ["gone"]
    assert names(browser.get(trash.link("Candidates 3"))) == ["run-2", "run-1", "run-0"]


def test_the_example_of_a_filter_works_where_it_is_shown(browser: Browser, sweep: str) -> None:
    page = browser.get(f"experiments/{sweep}")
    (example,) = (each.text for each in page.all("code") if "metrics." in each.text)
    found = browser.get(f"experiments/{sweep}", query_string={"filter": example})
    assert "run-2" in names(found)


def test_missing_experiments_have_a_page_of_the_project(browser: Browser, api: Api) -> None:
    log(api)
    for path in ("experiments/77", "candidates/77"):
        page = browser.get(path)
        assert page.status == 404
        assert "not found in" in page.text
        assert page.has_link("All experiments")
    assert browser.raw(f"experiments/{2**31}").status_code == 404


@pytest.mark.parametrize("role", ["anonymous", "developer"])
@pytest.mark.parametrize("where", ["who is there", "what is shown"])
def test_a_database_that_is_down_asks_to_come_back(
    forge: Forge, api: Api, monkeypatch: pytest.MonkeyPatch, role: str, where: str
) -> None:
    user = forge.member(api.project_id, "developer") if role == "developer" else None
    browser = Browser.open(forge, api.project_id, user)

    def fail(*_arguments: object, **_more: object) -> None:
        raise OperationalError("SELECT", {}, Exception("gone"))

    if where == "who is there":
        identity = forge.app.extensions["mlops"].host.identity
        monkeypatch.setattr(type(identity), "web_actor", fail)
    else:
        monkeypatch.setattr(overview, "list_experiments", fail)
    answer = browser.raw("experiments")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
