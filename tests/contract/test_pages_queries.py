"""Pages cost the same number of SQL statements, however much there is to show."""

from __future__ import annotations

import pytest

from tests.browsing import Browser, counted_statements, log
from tests.factories import Api, Forge
from tests.proposing import Work

LIMIT = 20
"""Statements of a page, those of the forge's own frame included."""


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "developer"))


def cost(browser: Browser, path: str) -> int:
    browser.get(path)  # what the first request of a process alone asks for
    with counted_statements(browser.forge.app) as statements:
        assert browser.get(path).status == 200
    writes = [each for each in statements if not each.lstrip().startswith(("SELECT", "WITH"))]
    assert writes == [], "a page view writes"
    return len(statements)


def fill(api: Api, count: int, parent: str) -> None:
    """More of everything: experiments, and candidates with metrics, datasets and a parent."""
    for number in range(count):
        iid = api.post("experiments/create", name=f"of-{count}-{number}")
        log(api, experiment_id=iid["experiment_id"])
        run_id = log(
            api,
            metrics={f"m{key}": number for key in range(5)},
            params={f"p{key}": str(number) for key in range(5)},
            tags={"mlflow.parentRunId": parent, f"tag{number}": "x"},
        )
        dataset = {"name": f"of-{count}-{number}", "digest": "x", "source_type": "s", "source": "s"}
        tags = [{"key": "mlflow.data.context", "value": "training"}]
        for each in (parent, run_id):
            api.post("runs/log-inputs", run_id=each, datasets=[{"dataset": dataset, "tags": tags}])
        path = f"/api/2.0/mlflow-artifacts/artifacts/0/{parent}/artifacts/{count}-{number}"
        assert api.call("PUT", path, data=b"x").status_code == 200


def test_statements_do_not_grow_with_what_is_shown(api: Api, browser: Browser) -> None:
    parent = log(api, "parent", metrics={"m0": 1.0}, params={"p0": "1"})
    paths = (
        "experiments",
        "experiments?sort=name&name=a",
        "experiments/0",
        "experiments/0?order_by=metrics.m0+DESC&filter=params.p0+%3D+'1'",
        "experiments/0?rows=tree&open=1&columns=metrics.m0&columns=author",
        "experiments/0?rows=flat",
        "experiments/0/names",
        "candidates/1",
        "candidates/1/charts",
        "candidates/1/edit",
        "experiments/0/edit",
    )
    fill(api, 2, parent)
    few = [cost(browser, path) for path in paths]
    fill(api, 25, parent)
    many = [cost(browser, path) for path in paths]
    assert many == few
    assert max(many) <= LIMIT, dict(zip(paths, many, strict=True))


def test_statements_do_not_grow_with_the_commits_that_are_shown(forge: Forge) -> None:
    work = Work.begin(forge)
    work.commit("feature")
    merge_request = work.merge_request()
    browser = work.browser()

    def fill(count: int) -> None:
        for number in range(count):
            sha = work.commit("feature" if number % 2 else "main")
            work.log(sha, {"auc": number}, merge_request=merge_request if number % 4 else "")
            work.claim(sha, {"auc": number})
            work.claim(f"{number:040x}")

    paths = ("experiments/0", "experiments/0/rows.json", "candidates/1", "candidates/2")
    fill(2)
    few = [cost(browser, path) for path in paths]
    fill(8)
    many = [cost(browser, path) for path in paths]
    assert many == few
    assert max(many) <= LIMIT, dict(zip(paths, many, strict=True))
