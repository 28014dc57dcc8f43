"""The charts of metrics: the page that works without its script, and the points as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.web import curve_panel, curves
from gitlab_mlops.host import Project
from gitlab_mlops.services import records
from host_stub.database import db
from tests.browsing import START, Browser, Page, counted_statements, log, words
from tests.factories import Api, Forge

EVIL = "</script><b>\"'&"


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    """Somebody who is not signed in; the project is public."""
    return Browser.open(forge, api.project_id)


def train(
    api: Api, name: str = "run", steps: int = 5, keys: tuple[str, ...] = ("loss",), **run: Any
) -> str:
    """A candidate with curves."""
    run_id = log(api, name, start_time=START, **run)
    points = [
        {"key": key, "value": step / 2, "timestamp": START + 1000 * step, "step": step}
        for key in keys
        for step in range(steps)
    ]
    for at in range(0, len(points), 1000):
        api.post("runs/log-batch", run_id=run_id, metrics=points[at : at + 1000])
    return run_id


def titles(page: Page) -> list[str]:
    return [words(each.text) for each in page.all("h3") if each.text.strip()]


def ask(browser: Browser, query: str) -> Any:
    response = browser.raw(f"curves?{query}")
    assert response.status_code == 200, response.text
    assert response.mimetype == "application/json"
    return json.loads(response.data)


# The page


def test_each_metric_has_a_chart_with_a_table(api: Api, browser: Browser) -> None:
    train(api, keys=("loss", "auc"))
    page = browser.get("candidates/1/charts")
    assert page.one("a", aria_current="page", href=f"{browser.base}/candidates/1/charts")
    assert titles(page) == ["auc", "loss"]
    assert page.rows("Points of loss")[:3] == [["0", "0"], ["1", "0.5"], ["2", "1"]]
    assert "Table 5 points" in page.text


def test_a_long_curve_has_a_part_of_its_points_in_the_table(api: Api, browser: Browser) -> None:
    train(api, steps=120)
    page = browser.get("candidates/1/charts")
    rows = page.rows("Points of loss")
    assert (len(rows), rows[0], rows[-1]) == (50, ["0", "0"], ["119", "59.5"])
    assert "50 of 120 points" in page.text
    train(api, steps=1200)
    assert "50 of more than 1,000 points" in browser.get("candidates/2/charts").text


def test_a_metric_with_one_value_is_a_number(api: Api, browser: Browser) -> None:
    log(api, metrics={"f1": 0.9125, "bad": "NaN"})
    page = browser.get("candidates/1/charts")
    assert [words(each.text) for each in page.all("span", class_="mlops-chart-number")] == [
        "0.9125",
        "NaN",
    ]
    assert "step 7" in page.text


def test_without_metrics_the_page_says_so(api: Api, browser: Browser) -> None:
    run_id = log(api)
    page = browser.get("candidates/1/charts")
    assert "No metric was logged yet" in page.text
    assert page.all("div", data_mlops_running="")
    api.post("runs/update", run_id=run_id, status="FINISHED")
    assert not browser.get("candidates/1/charts").all("div", data_mlops_running="")


def test_system_metrics_are_a_folded_group(api: Api, browser: Browser) -> None:
    train(api, keys=("loss", "system/cpu"))
    page = browser.get("candidates/1/charts")
    (fold,) = (each for each in page.all("details") if each.text.startswith("System metrics"))
    assert "open" not in fold.attributes
    assert "system/cpu" in fold.text
    assert "loss" not in fold.text


def test_of_many_metrics_the_first_are_shown_and_all_can_be_chosen(
    api: Api, browser: Browser
) -> None:
    train(api, keys=(*(f"m{number:02}" for number in range(40)), "val_loss"))
    page = browser.get("candidates/1/charts")
    assert titles(page) == ["val_loss", *(f"m{number:02}" for number in range(29))]
    assert "30 of 41" in page.text
    assert len(page.all("input", name="chart")) == 41
    chosen = browser.get("candidates/1/charts?chart=m39&chart=m01&chart=gone")
    assert titles(chosen) == ["m01", "m39"]
    checked = [each["value"] for each in chosen.all("input", name="chart", checked="")]
    assert checked == ["m01", "m39"]


def test_metrics_come_into_one_chart(api: Api, browser: Browser) -> None:
    train(api, keys=("loss", "auc", "f1"))
    page = browser.get("candidates/1/charts?chart=loss&chart=auc&overlay=1")
    assert titles(page) == ["2 metrics"]
    assert ["auc", "0", "0"] in page.rows("Points of 2 metrics")
    assert ["loss", "4", "2"] in page.rows("Points of 2 metrics")


def test_every_setting_is_in_the_address(api: Api, browser: Browser) -> None:
    train(api)
    query = "x=relative&scale=log&smooth=0.6&overlay=1"
    page = browser.get(f"candidates/1/charts?{query}")
    assert page.one("input", name="x", checked="")["value"] == "relative"
    assert "checked" in page.one("input", name="scale").attributes
    assert page.one("input", name="smooth")["value"] == "0.6"
    assert "checked" in page.one("input", name="overlay").attributes
    assert "4 s" in [row[0] for row in page.rows("Points of loss")]
    wall = browser.get("candidates/1/charts?x=wall").rows("Points of loss")
    assert wall[1] == ["2023-11-14 22:13:21", "0.5"]


def test_a_part_of_the_x_axis_is_shown_and_left_again(api: Api, browser: Browser) -> None:
    train(api, steps=90)
    page = browser.get("candidates/1/charts?x=step&from=10.5&to=1.2e1&scale=log")
    assert page.rows("Points of loss") == [["10", "5"], ["11", "5.5"], ["12", "6"]]
    assert page.link("Reset zoom") == f"{browser.base}/candidates/1/charts?scale=log"


def test_what_was_logged_stays_text(api: Api, browser: Browser) -> None:
    train(api, EVIL, keys=("a b/c.d-e",))
    page = browser.get("candidates/1/charts")
    assert "<b>" not in page.html
    (panel,) = page.all("div", class_="mlops-curves")
    assert json.loads(panel["data-mlops-candidates"]) == [[1, EVIL]]
    assert json.loads(page.all("section", class_="mlops-chart")[0]["data-mlops-chart"]) == [
        "a b/c.d-e"
    ]


@pytest.mark.parametrize(
    "query",
    [
        "x=time",
        "scale=sqrt",
        "smooth=1",
        "smooth=nan",
        "smooth=-0.1",
        "from=x",
        "to=inf",
        "from=2&to=1",
        "overlay=2",
        "chart=%00",
    ],
)
def test_settings_that_no_link_leads_to_are_refused(api: Api, browser: Browser, query: str) -> None:
    train(api)
    assert browser.get(f"candidates/1/charts?{query}").status == 400


@pytest.mark.parametrize("bound", ["-1e300", "1e300", str(2**63), "-9223372036854775809"])
def test_ends_beyond_every_point_are_no_mistake(api: Api, browser: Browser, bound: str) -> None:
    train(api)
    for axis in ("step", "relative", "wall"):
        assert browser.get(f"candidates/1/charts?x={axis}&from={bound}").status == 200
        assert (
            browser.raw(f"curves?candidates=1&metrics=loss&x={axis}&to={bound}").status_code == 200
        )


def test_many_candidates_share_the_panel(forge: Forge, api: Api) -> None:
    train(api, "first", keys=("loss", "auc"))
    train(api, "second", steps=3)
    project = Project(api.project_id, "a/vision", "vision")
    with forge.app.test_request_context("/?chart=loss&smooth=0.5"):
        access = ReadAccess(None, project, db.session())
        found = [records.find(access, iid=iid) for iid in (1, 2)]
        panel = curves.panel(
            access, [each for each in found if each], base="/compare?candidates=1,2&baseline=2"
        )
        (group,) = panel.groups
        assert panel.candidates == [(1, "first"), (2, "second")]
        assert (panel.action, panel.hidden) == (
            "/compare",
            [("candidates", "1,2"), ("baseline", "2")],
        )
        assert panel.whole == "/compare?candidates=1%2C2&baseline=2&chart=loss&smooth=0.5"
        (chart,) = group.charts
        assert [(each.series.candidate, each.total) for each in chart.curves] == [(1, 5), (2, 3)]
        assert group.offered == ["auc", "loss"]


def test_tables_of_many_curves_stay_small(
    api: Api, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curve_panel, "ROWS", 24)
    train(api, steps=60, keys=("a", "b", "c"))
    assert len(browser.get("candidates/1/charts").rows("Points of")) == 24


# The points


def test_points_come_as_json(api: Api, browser: Browser) -> None:
    train(api, "one", steps=3)
    train(api, "two", steps=2, keys=("loss", "auc"))
    answer = ask(browser, "candidates=1,2&metrics=loss&metrics=auc&x=relative")
    assert answer["x"] == "relative"
    assert answer["metrics"] == 2
    assert [(each["candidate"], each["metric"]) for each in answer["curves"]] == [
        (1, "loss"),
        (2, "loss"),
        (2, "auc"),
    ]
    assert answer["curves"][0] == {
        "candidate": 1,
        "name": "one",
        "metric": "loss",
        "is_running": True,
        "total": 3,
        "shown": 3,
        "sampled": False,
        "x": [0, 1000, 2000],
        "y": [0, 0.5, 1],
        "peaks": [],
        "marks": [],
    }


def test_a_long_curve_is_sampled_and_a_part_of_it_is_not(api: Api, browser: Browser) -> None:
    train(api, steps=500)
    (curve,) = ask(browser, "candidates=1&metrics=loss&points=40")["curves"]
    assert (curve["total"], curve["sampled"]) == (500, True)
    assert curve["shown"] == len(curve["x"]) == len(curve["y"]) <= 40
    assert (curve["x"][0], curve["x"][-1]) == (0, 499)
    (part,) = ask(browser, "candidates=1&metrics=loss&points=40&from=100&to=120")["curves"]
    assert (part["x"], part["sampled"]) == (list(range(100, 121)), False)


def test_what_json_has_no_number_for_is_marked(api: Api, browser: Browser) -> None:
    run_id = log(api)
    values = [0.5, "NaN", "Infinity", "-Infinity", 1.5]
    points = [
        {"key": "loss", "value": value, "timestamp": START, "step": step}
        for step, value in enumerate(values)
    ]
    api.post("runs/log-batch", run_id=run_id, metrics=points)
    (curve,) = ask(browser, "candidates=1&metrics=loss")["curves"]
    assert curve["y"] == [0.5, None, None, None, 1.5]
    assert curve["marks"] == [[1, "NaN"], [2, "Infinity"], [3, "-Infinity"]]
    assert "NaN" in browser.get("candidates/1/charts").text


def test_what_the_project_has_not_is_left_out(forge: Forge, api: Api, browser: Browser) -> None:
    train(api)
    hidden = forge.developer()
    for _ in range(3):
        train(hidden, "hidden", keys=("secret",))
    answer = ask(browser, "candidates=1,2,3,99&metrics=loss&metrics=secret")
    assert [each["candidate"] for each in answer["curves"]] == [1]
    assert answer["metrics"] == 1
    assert ask(browser, "")["curves"] == []


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("candidates=x", "candidates"),
        ("candidates=" + ",".join(map(str, range(1, 52))), "at most 50"),
        ("candidates=1&" + "&".join(f"metrics=m{n}" for n in range(51)), "at most 50"),
        ("candidates=1&points=1", "points"),
        ("candidates=1&points=5001", "points"),
        ("candidates=1&points=ten", "points"),
        ("candidates=1&x=epoch", "step, relative, wall"),
        ("candidates=1&from=1&to=0", "larger"),
        ("candidates=1&from=nan", "from"),
        ("candidates=1&metrics=%00", "NUL"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_json(
    browser: Browser, query: str, says: str
) -> None:
    response = browser.raw(f"curves?{query}")
    assert response.status_code == 400
    assert says in json.loads(response.data)["error"]


def test_who_has_the_points_already_gets_nothing_again(api: Api, browser: Browser) -> None:
    run_id = train(api)
    path = "curves?candidates=1&metrics=loss"
    etag = browser.raw(path).headers["ETag"]

    def again(path: str = path) -> int:
        return browser.raw(path, headers={"If-None-Match": etag}).status_code

    assert again() == 304
    assert again(f"{path}&points=9") == 200
    api.post("runs/log-metric", run_id=run_id, key="loss", value=9, timestamp=START, step=9)
    assert again() == 200
    etag = browser.raw(path).headers["ETag"]
    assert again() == 304
    api.post("runs/log-metric", run_id=run_id, key="other", value=9, timestamp=START, step=9)
    assert again() == 200
    etag = browser.raw(path).headers["ETag"]
    api.post("runs/update", run_id=run_id, status="FINISHED")
    assert again() == 200


def test_statements_do_not_grow_with_curves(api: Api, browser: Browser) -> None:
    train(api, keys=("a",))
    train(api, steps=60, keys=tuple(f"m{number}" for number in range(25)))
    paths = {
        "candidates/{}/charts": 20,
        "curves?candidates={}&" + "&".join(f"metrics=m{n}" for n in range(25)) + "&metrics=a": 12,
    }
    for path, limit in paths.items():
        costs = []
        for iid in (1, 2):
            browser.raw(path.format(iid))
            with counted_statements(browser.forge.app) as statements:
                assert browser.raw(path.format(iid)).status_code == 200
            costs.append(len(statements))
        assert costs[0] - 1 <= costs[1] <= costs[0] + 1, path
        assert max(costs) <= limit


def test_smoothing_can_leave_out_what_was_picked_for_its_value(api: Api, browser: Browser) -> None:
    run_id = log(api)
    points = [
        {"key": "loss", "value": 100 * (step % 50 == 25), "timestamp": START + step, "step": step}
        for step in range(400)
    ]
    api.post("runs/log-batch", run_id=run_id, metrics=points)
    (curve,) = ask(browser, "candidates=1&metrics=loss&points=32")["curves"]
    assert max(curve["y"]) == 100
    peaks = set(curve["peaks"])
    assert all(y == 0 for place, y in enumerate(curve["y"]) if place not in peaks)
