"""The comparison of candidates: values, differences, the baseline, images, and its address."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn
from urllib.parse import parse_qs, urlsplit

import pytest
from jinja2 import StrictUndefined

from gitlab_mlops.errors import Unavailable
from gitlab_mlops.services import images
from gitlab_mlops.storage import Storage
from tests.browsing import START, Browser, Page, counted_statements, log, words
from tests.contract.test_pages_markup import CORPUS, assert_harmless, evil
from tests.factories import Api, Forge

__all__ = ["evil"]

TABLE = "2 candidates"
GIF = b"GIF89a"


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id)


@pytest.fixture
def pair(api: Api) -> list[str]:
    """Two candidates that differ in some things; their run ids."""
    return [
        log(
            api,
            name,
            metrics={"auc": auc, "loss": 0.5, "odd": auc},
            params={"lr": lr, "depth": "3", "seed": "1"},
            tags={"team": name},
        )
        for name, auc, lr in (("one", 0.5, "0.1"), ("two", 0.75, "0.2"))
    ]


def upload(api: Api, run_id: str, path: str, experiment: str = "0") -> None:
    where = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run_id}/artifacts/{path}"
    assert api.call("PUT", where, data=GIF).status_code == 200


def rows(page: Page) -> dict[str, list[str]]:
    """The cells of each row by its first."""
    return {head: cells for head, *cells in page.rows() if cells}


def heads(page: Page) -> list[str]:
    """The names of the columns."""
    return [words(each.text) for each in page.all("a", class_="mlops-name")]


def harmless(page: Page) -> None:
    """Nothing became markup; one template is that of the curves."""
    assert len(page.all("template")) <= 1
    page.elements = [each for each in page.elements if each.name != "template"]
    assert_harmless(page)


# The table


def test_candidates_stand_side_by_side(browser: Browser, pair: list[str]) -> None:
    page = browser.get("experiments/0/compare?candidates=2,1")
    assert words(page.one("h1").text) == "Compare 2 candidates"
    assert heads(page) == ["two", "one"]
    shown = rows(page)
    assert shown["auc higher is better"] == ["best 0.75", "0.5"]
    assert shown["odd"] == ["0.75", "0.5"]
    assert shown["lr"] == ["0.2", "0.1"]
    assert shown["team"] == ["two", "one"]


def test_rows_in_which_all_agree_fold(browser: Browser, pair: list[str]) -> None:
    page = browser.get("experiments/0/compare?candidates=1,2")
    assert not {"depth", "seed", "loss lower is better"} & rows(page).keys()
    assert "2 equal parameters" in page.text
    assert "1 equal metric" in page.text
    opened = browser.get(page.link("2 equal parameters"))
    assert rows(opened)["depth"] == ["3", "3"]
    assert rows(opened)["lr ≠ differs"] == ["0.1", "0.2"]
    assert "equal parameter" not in opened.text
    folded = browser.get(opened.link("Show differences only"))
    assert rows(folded) == rows(page)


def test_a_baseline_comes_first_and_the_others_tell_by_how_much(
    browser: Browser, pair: list[str]
) -> None:
    page = browser.get("experiments/0/compare?candidates=1,2")
    pinned = browser.get(page.link("Make baseline (two)"))
    assert heads(pinned) == ["two", "one"]
    shown = rows(pinned)
    assert shown["auc higher is better"] == ["best 0.75", "0.5 ▼ −0.25 (−33.3 %) worse"]
    assert shown["odd"] == ["0.75", "0.5 −0.25 (−33.3 %)"]
    assert shown["lr"] == ["0.2", "≠ differs: 0.1"]
    other = browser.get(pinned.link("Make baseline (one)"))
    assert rows(other)["auc higher is better"] == ["0.5", "best 0.75 ▲ +0.25 (+50 %) better"]
    assert heads(browser.get(other.link("No baseline"))) == ["one", "two"]


def test_what_the_experiment_says_about_its_metric_counts(
    api: Api, browser: Browser, pair: list[str]
) -> None:
    for key, value in (("name", "odd"), ("greaterIsBetter", "false")):
        tag = f"mlflow.experiment.primaryMetric.{key}"
        api.post("experiments/set-experiment-tag", experiment_id="0", key=tag, value=value)
    page = browser.get("experiments/0/compare?candidates=1,2&baseline=1")
    assert rows(page)["odd lower is better"] == ["best 0.5", "0.75 ▼ +0.25 (+50 %) worse"]


def test_clicking_a_metric_orders_the_candidates_by_it(browser: Browser, pair: list[str]) -> None:
    page = browser.get("experiments/0/compare?candidates=1,2")
    assert heads(browser.get(page.link("auc"))) == ["two", "one"]


def test_a_column_can_be_removed(api: Api, browser: Browser, pair: list[str]) -> None:
    log(api, "three")
    page = browser.get("experiments/0/compare?candidates=1,2,3&baseline=1")
    left = browser.get(page.link("×Remove one"))
    assert heads(left) == ["two", "three"]
    assert "Pin a baseline" in left.text


def test_lowest_and_highest_values_show_on_demand(
    api: Api, browser: Browser, pair: list[str]
) -> None:
    points = [
        {"key": "auc", "value": v, "timestamp": START, "step": s} for s, v in enumerate((9, 0.1))
    ]
    api.post("runs/log-batch", run_id=pair[0], metrics=points)
    page = browser.get("experiments/0/compare?candidates=1,2")
    assert "auc lowest" not in rows(page)
    page = browser.get(page.link("Show lowest and highest"))
    shown = rows(page)
    assert shown["auc lowest"] == ["0.1", "best 0.75"]
    assert shown["auc highest"] == ["best 9", "0.75"]
    assert "loss lowest" not in shown
    assert "auc lowest" not in rows(browser.get(page.link("Hide lowest and highest")))


def test_a_long_text_folds_out_and_tells_what_changed(api: Api, browser: Browser) -> None:
    text = "Answer the question in at most {} words, and cite the passages that you rely on."
    for number in (80, 50):
        log(api, params={"prompt": text.format(number)})
    page = browser.get("experiments/0/compare?candidates=1,2&baseline=1")
    folded = page.all("details", class_="mlops-long")
    assert len(folded) == 2
    assert text.format(80) in folded[0].text
    assert [words(each.text) for each in page.all("del")] == ["removed: 80"]
    assert [words(each.text) for each in page.all("ins")] == ["added: 50"]
    plain = browser.get("experiments/0/compare?candidates=1,2")
    assert plain.all("del") == []
    assert text.format(50) in plain.html


def test_datasets_are_compared_by_their_digests(
    api: Api, browser: Browser, pair: list[str]
) -> None:
    for run_id, digest in zip(pair, ("aaa", "bbb"), strict=True):
        dataset = {"name": "iris", "digest": digest, "source_type": "s", "source": "s"}
        tags = [{"key": "mlflow.data.context", "value": "training"}]
        api.post("runs/log-inputs", run_id=run_id, datasets=[{"dataset": dataset, "tags": tags}])
    page = browser.get("experiments/0/compare?candidates=1,2")
    assert rows(page)["iris training"] == ["aaa", "bbb"]


def test_what_is_in_the_trash_is_shown_as_such(api: Api, browser: Browser, pair: list[str]) -> None:
    api.post("runs/delete", run_id=pair[0])
    page = browser.get("experiments/0/compare?candidates=1,2")
    assert page.status == 200
    assert page.text.count("In the trash") == 1


def test_numbers_that_are_none_are_no_error(api: Api, browser: Browser) -> None:
    values: list[Any] = ["NaN", "Infinity", "-Infinity", 0.0, 1e308]
    for value in values:
        log(api, metrics={"auc": value})
    log(api)
    for baseline in range(1, 7):
        page = browser.get(f"compare?candidates=1,2,3,4,5,6&baseline={baseline}")
        assert page.status == 200
        assert len(rows(page)["auc higher is better"]) == 6


# Which candidates


def test_candidates_of_several_experiments_are_compared(
    api: Api, browser: Browser, pair: list[str]
) -> None:
    other = api.post("experiments/create", name="deep nets")["experiment_id"]
    log(api, "three", experiment_id=other)
    page = browser.get("compare?candidates=1,3")
    assert heads(page) == ["one", "three"]
    assert page.has_link("deep nets")
    answer = browser.raw("experiments/0/compare?candidates=1,3&baseline=3&show=all")
    assert answer.status_code == 303
    url = urlsplit(answer.location)
    assert url.path == f"{browser.base}/compare"
    assert parse_qs(url.query) == {"candidates": ["1,3"], "baseline": ["3"], "show": ["all"]}


def test_candidates_can_be_named_several_times_and_ways(browser: Browser, pair: list[str]) -> None:
    page = browser.get("experiments/0/compare?candidates=2&candidates=+1,2,,&candidates=")
    assert heads(page) == ["two", "one"]


@pytest.mark.parametrize("path", ["compare", "experiments/0/compare", "compare?candidates=1"])
def test_fewer_than_two_are_told_how_to_choose(
    browser: Browser, pair: list[str], path: str
) -> None:
    page = browser.get(path)
    assert page.status == 200
    assert "add them here by their numbers" in page.text
    links = [each["href"].partition("?")[0] for each in page.all("a")]
    assert f"{browser.base}/experiments" + ("/0" if "0" in path else "") in links


def test_a_candidate_is_added_by_its_number(browser: Browser, pair: list[str]) -> None:
    page = browser.get("experiments/0/compare?candidates=1&show=all")
    form = page.one("form", class_="mlops-adding")
    hidden = [(each["name"], each["value"]) for each in page.all("input", type="hidden")]
    assert hidden == [("candidates", "1"), ("show", "all")]
    page = browser.get(form["action"], query_string=[*hidden, ("candidates", "2")])
    assert heads(page) == ["one", "two"]


@pytest.mark.parametrize(
    "query",
    [
        "candidates=x",
        "candidates=1,-2",
        "candidates=1,%00",
        "candidates=1,99999999999",
        "candidates=1,2&baseline=3",
        "candidates=1,2&baseline=1,2",
        "candidates=1,2&show=some",
        "candidates=1,2&image=report.html",
        "candidates=1,2&image=..%2Fx.png",
        "candidates=1,2&plot_x=lr",
        "candidates=1,2&plot_y=author",
        "candidates=1,2&plot_color=%00",
        "candidates=1,2&plot_best=mean",
        "candidates=1,2&axes=a.b",
        "candidates=1,2&" + "&".join(f"axes=params.{number}" for number in range(13)),
        "candidates=" + ",".join(map(str, range(1, 22))),
    ],
)
def test_an_address_that_no_link_leads_to_is_refused(
    browser: Browser, pair: list[str], query: str
) -> None:
    page = browser.get(f"compare?{query}")
    assert page.status == 400
    assert page.one("h1").text == "That does not work"


def test_candidates_that_do_not_exist_are_named(browser: Browser, pair: list[str]) -> None:
    page = browser.get("compare?candidates=1,8,9")
    assert page.status == 404
    assert "Candidates 8 and 9 not found" in page.text
    assert browser.get("experiments/7/compare?candidates=1,2").status == 404


def test_candidates_of_another_project_do_not_exist(
    forge: Forge, browser: Browser, pair: list[str]
) -> None:
    stranger = forge.developer("private")
    for _ in range(3):
        log(stranger)
    assert browser.get("compare?candidates=1,3").status == 404


# Charts


def test_charts_draw_what_is_compared(browser: Browser, pair: list[str]) -> None:
    page = browser.get("experiments/0/compare?candidates=1,2")
    form = page.one("form", id="mlops-plots")
    data = json.loads(form["data-mlops-points"])
    assert data["iids"] == [1, 2]
    assert data["columns"]["params.lr"]["values"] == [0.1, 0.2]
    scatter, parallel = (
        json.loads(each["data-mlops-settings"]) for each in page.all("div", class_="mlops-plot")
    )
    assert (scatter["x"], scatter["y"]) == ("params.lr", "metrics.auc")
    assert parallel == {
        "axes": ["params.lr", "metrics.loss", "metrics.auc"],
        "color": "metrics.auc",
    }
    assert page.rows("Values that the charts show")[0] == ["one", "0.5", "0.1", "0.5"]


def test_the_settings_of_charts_are_in_the_address(browser: Browser, pair: list[str]) -> None:
    query = (
        "candidates=1,2&plot_x=tags.team&plot_y=params.depth&plot_color=duration&plot_log=y"
        "&axes=created&axes=metrics.auc&axes_color=params.seed&baseline=2"
    )
    page = browser.get(f"compare?{query}")
    scatter, parallel = (
        json.loads(each["data-mlops-settings"]) for each in page.all("div", class_="mlops-plot")
    )
    assert scatter == {
        "x": "tags.team",
        "y": "params.depth",
        "color": "duration",
        "log": ["y"],
        "best": "",
    }
    assert parallel == {"axes": ["created", "metrics.auc"], "color": "params.seed"}
    chosen = [each["value"] for each in page.all("option") if "selected" in each.attributes]
    assert chosen == ["params.depth", "tags.team", "duration", "params.seed"]
    # Another link keeps them.
    kept = parse_qs(urlsplit(page.link("Show equal rows")).query)
    assert kept == {**parse_qs(query), "candidates": ["2,1"], "show": ["all"]}


# Images


def test_images_stand_side_by_side(api: Api, browser: Browser, pair: list[str]) -> None:
    for run_id in pair:
        upload(api, run_id, "plots/a b.png")
        upload(api, run_id, "report.html")
    upload(api, pair[0], "only.JPG")
    page = browser.get("experiments/0/compare?candidates=1,2")
    assert page.all("img") == []
    page = browser.get(page.link("Look for images"))
    sources = [each["src"] for each in page.all("img")]
    assert [browser.raw(each).data for each in sources] == [GIF, GIF]
    assert all(each["alt"] for each in page.all("img"))
    page = browser.get(page.link("only.JPG"))
    assert len(page.all("img")) == 1
    assert "No such file" in page.text
    assert not page.has_link("report.html")


def test_an_image_can_be_asked_for_alone(api: Api, browser: Browser, pair: list[str]) -> None:
    upload(api, pair[1], "deep/down/here.png")
    page = browser.get("compare?candidates=1,2&image=deep%2Fdown%2Fhere.png")
    (image,) = page.all("img")
    assert image["src"] == f"{browser.base}/candidates/2/preview/deep/down/here.png"
    assert page.has_link("Other images")


def test_looking_for_images_is_bounded(
    api: Api, browser: Browser, pair: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "MAX_ENTRIES", 3)
    monkeypatch.setattr(images, "MAX_FOLDERS", 2)
    for number in range(5):
        upload(api, pair[0], f"{number}.png")
        upload(api, pair[1], f"folder{number}/x.png")
    asked: list[str] = []
    list_folder = Storage.list_folder

    def note(self: Storage, prefix: str, limit: int) -> Any:
        asked.append(prefix)
        return list_folder(self, prefix, limit)

    monkeypatch.setattr(Storage, "list_folder", note)
    page = browser.get("compare?candidates=1,2&images=1")
    assert len(asked) == 4
    choices = page.one("ul", class_="mlops-choices").text
    assert len(re.findall("png", choices)) == 5
    assert "were looked at" in page.text


def test_a_store_that_is_down_takes_only_the_images_away(
    browser: Browser, pair: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> NoReturn:
        raise Unavailable("The store is on fire.")

    monkeypatch.setattr(Storage, "list_folder", fail)
    page = browser.get("compare?candidates=1,2&images=1")
    assert page.status == 200
    assert "The store is on fire." in page.text
    assert rows(page)["lr"] == ["0.1", "0.2"]


# The page


def test_more_candidates_cost_no_more_statements(forge: Forge, api: Api, browser: Browser) -> None:
    for number in range(20):
        other = api.post("experiments/create", name=f"e{number}")["experiment_id"]
        run_id = log(
            api,
            experiment_id=other,
            metrics={f"m{key}": number for key in range(5)},
            params={f"p{key}": str(number) for key in range(5)},
        )
        dataset = {"name": f"d{number}", "digest": "x", "source_type": "s", "source": "s"}
        api.post("runs/log-inputs", run_id=run_id, datasets=[{"dataset": dataset, "tags": []}])

    def cost(count: int) -> int:
        iids = ",".join(map(str, range(1, count + 1)))
        path = f"compare?candidates={iids}&baseline=1&extremes=1&images=1"
        browser.get(path)
        with counted_statements(forge.app) as statements:
            assert browser.get(path).status == 200
        assert all(each.lstrip().startswith(("SELECT", "WITH")) for each in statements)
        return len(statements)

    assert cost(2) == cost(20) <= 20


def test_nothing_that_was_logged_becomes_markup(evil: Browser) -> None:
    for number, text in enumerate(CORPUS, start=1):
        iids = f"{2 * number - 1},{2 * number}"
        path = f"experiments/{number}/compare?candidates={iids}"
        for query in ("", f"&baseline={2 * number}&extremes=1&show=all"):
            page = evil.get(path + query)
            assert page.status == 200
            harmless(page)
        assert text in [each.text for each in page.all("bdi")] or not text.strip()
        for each in page.all("a"):
            if "/compare" in each["href"]:
                assert evil.raw(each["href"]).status_code == 200
    harmless(evil.get("compare?candidates=1,2,3,5,7,9,11&baseline=7"))


@pytest.mark.parametrize("text", CORPUS[:9])
def test_nothing_in_an_address_becomes_markup(evil: Browser, text: str) -> None:
    for part in ("candidates", "baseline", "show", "image", "plot_x", "axes", "axes_color"):
        query = {"candidates": "1,2", part: text}
        harmless(evil.get("compare", query_string=query))
    for part in ("extremes", "plot_y", "plot_color", "axes_color"):
        query = {"candidates": "1,2", part: f"params.{text}"}
        page = evil.get("compare", query_string=query)
        assert page.status == 200
        harmless(page)


def test_the_page_is_labelled(
    evil: Browser, api: Api, pair: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evil.forge.app.jinja_env, "undefined", StrictUndefined)
    for path in ("compare", "compare?candidates=1", "compare?candidates=1,2,5&baseline=5"):
        page = evil.get(path)
        assert page.status == 200
        assert len(page.all("caption")) == len(page.all("table"))
        assert all(each["scope"] in ("col", "row", "rowgroup") for each in page.all("th"))
        assert len(page.all("h1")) == 1
        ids = [each["id"] for each in page.elements if "id" in each.attributes]
        assert len(ids) == len(set(ids))
        labelled = {each["for"] for each in page.all("label") if "for" in each.attributes}
        for field in [*page.all("select"), *page.all("input", type="text")]:
            assert field["id"] in labelled
        for each in page.all("a"):
            assert each.text.strip() or "aria-label" in each.attributes, each
