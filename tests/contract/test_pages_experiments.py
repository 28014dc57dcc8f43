"""The list of experiments: what each is about, its best candidate, its trash, the first visit."""

from __future__ import annotations

import pytest

from tests.browsing import Browser, log, words
from tests.factories import Api, Forge


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    """Somebody who is not signed in; the project is public."""
    return Browser.open(forge, api.project_id)


def make(api: Api, name: str, note: str = "") -> str:
    tags = [{"key": "mlflow.note.content", "value": note}] if note else []
    iid: str = api.post("experiments/create", name=name, tags=tags)["experiment_id"]
    return iid


def test_an_experiment_shows_its_best_candidate(api: Api, browser: Browser) -> None:
    iid = make(api, "iris")
    for name, auc in (("low", 0.25), ("high", 0.9123456789), ("broken", "NaN")):
        log(api, name, experiment_id=iid, metrics={"auc": auc, "val_loss_of_x": 1.0})
    log(api, "other", metrics={"zeal": 1.0})
    page = browser.get("experiments")
    rows = {row[0]: row[1] for row in page.rows()}
    assert rows["Default"] == "–unknown"
    api.post(
        "experiments/set-experiment-tag",
        experiment_id=iid,
        key="mlflow.experiment.primaryMetric.name",
        value="auc",
    )
    page = browser.get("experiments")
    assert page.rows()[1][1] == "0.912346 by high auc(higher is better)"
    (link,) = page.all("a", class_="mlops-value-line")
    assert link["href"] == f"{browser.base}/candidates/2"
    assert link["title"].startswith("0.9123456789")


@pytest.mark.parametrize(
    ("note", "line"),
    [
        ("\n\n## Why\nbecause", "Why"),
        ("* a\n* b", "a"),
        ("x" * 400, "x" * 119 + "…"),
        (" \n\t", ""),
        ("<b>bold</b>", "<b>bold</b>"),
    ],
)
def test_an_experiment_shows_the_first_line_of_its_note(
    api: Api, browser: Browser, note: str, line: str
) -> None:
    make(api, "iris", note)
    lines = [each.text for each in browser.get("experiments").all("p", class_="mlops-first-line")]
    assert lines == ([line] if line else [])


def test_a_short_note_stands_above_the_candidates_and_a_long_one_is_folded(
    api: Api, browser: Browser
) -> None:
    short, long = make(api, "short", "so *that*"), make(api, "long", "# Head\n" + "word " * 200)
    for iid in (short, long):
        log(api, experiment_id=iid)
    page = browser.get(f"experiments/{short}")
    assert page.one("em").text == "that"
    assert not [each for each in page.all("details") if "Note" in each.text]
    (fold,) = (e for e in browser.get(f"experiments/{long}").all("details") if "Note" in e.text)
    assert words(fold.text).startswith("Note: Head")


def test_the_trash_counts_what_went_there_with_its_experiment(api: Api, browser: Browser) -> None:
    iid = make(api, "old")
    for _ in range(2):
        run_id = log(api, experiment_id=iid, metrics={"auc": 1.0})
    api.post("runs/delete", run_id=run_id)
    assert browser.get("experiments").rows()[0][2] == "1"
    api.post("experiments/delete", experiment_id=iid)
    (row,) = browser.get("experiments?view=deleted").rows()
    assert row[:2] == ["old", "2"]


def test_a_first_visit_waits_for_the_first_candidate(api: Api, browser: Browser) -> None:
    iid = make(api, "iris")
    for path in ("experiments", f"experiments/{iid}"):
        page = browser.get(path)
        assert page.one("p", id="mlops-waiting")["hx-get"] == ""
        assert any("htmx" in each["src"] for each in page.all("script") if "src" in each.attributes)
    log(api, experiment_id=iid)
    for path in ("experiments", f"experiments/{iid}"):
        assert "mlops-waiting" not in browser.get(path).html
