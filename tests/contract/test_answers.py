"""What was logged is read as it was sent, on both databases, in answers of bounded size."""

from __future__ import annotations

from typing import Any

import pytest

from gitlab_mlops.blueprints.mlflow import written_runs
from gitlab_mlops.services import history
from tests.factories import Api, Forge

VALUES = {
    "nan": "NaN",
    "inf": "Infinity",
    "-inf": "-Infinity",
    "third": 1 / 3,
    "tenth": 0.1,
    "large": 1.7976931348623157e308,
    "tiny": 5e-324,
    "whole": 3.0,
    "big": 2.0**60,
    "0": 0.0,
    "Upper": -1.5e-7,
    "é": 12345678.9,
}
TEXTS = {"quote": '"\\"', "lines": "a\r\n\tb\x01\u2028", "wide": "🙂 é", "none": "", "<b>": "</b>"}


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


@pytest.fixture
def run_id(api: Api) -> str:
    """A run with a metric of every kind of value, texts of every kind, a dataset and models."""
    run_id = api.create_run()
    metrics = [
        {"key": key, "value": value, "timestamp": 2**62, "step": -5}
        for key, value in VALUES.items()
    ]
    params = [{"key": f"p {key}".replace("<b>", "b"), "value": text} for key, text in TEXTS.items()]
    api.post("runs/log-batch", run_id=run_id, metrics=metrics, params=params)
    for key, text in TEXTS.items():
        api.post("runs/set-tag", run_id=run_id, key=key.replace("<b>", "b"), value=text)
    dataset = {"name": "d", "digest": "1", "source_type": "s", "source": "{}", "profile": '{"a":1}'}
    tags = [{"key": "b", "value": '"'}, {"key": "a", "value": "é"}]
    api.post("runs/log-inputs", run_id=run_id, datasets=[{"dataset": dataset, "tags": tags}])
    api.post("runs/log-inputs", run_id=run_id, models=[{"model_id": 'm"2'}, {"model_id": "m1"}])
    api.post("runs/outputs", run_id=run_id, models=[{"model_id": "o", "step": 2**40}])
    return run_id


def by_key(items: list[dict[str, Any]]) -> dict[str, Any]:
    """The values of metrics, parameters or tags, which come in the order of their keys."""
    return {item["key"]: item["value"] for item in items}


def test_a_run_is_read_as_it_was_logged(api: Api, run_id: str) -> None:
    run = api.get("runs/get", run_id=run_id)["run"]
    assert by_key(run["data"]["metrics"]) == VALUES
    assert [each["key"] for each in run["data"]["metrics"]] == sorted(VALUES)
    assert {(each["timestamp"], each["step"]) for each in run["data"]["metrics"]} == {(2**62, -5)}
    assert sorted(by_key(run["data"]["params"]).values()) == sorted(TEXTS.values())
    assert set(TEXTS.values()) <= set(by_key(run["data"]["tags"]).values())
    (used,) = run["inputs"]["dataset_inputs"]
    assert by_key(used["tags"]) == {"a": "é", "b": '"'}
    assert used["dataset"]["profile"] == '{"a":1}'
    assert "schema" not in used["dataset"]
    assert run["inputs"]["model_inputs"] == [{"model_id": 'm"2'}, {"model_id": "m1"}]
    assert run["outputs"] == {"model_outputs": [{"model_id": "o", "step": 2**40}]}


def test_a_search_gives_the_same_run_as_a_get(api: Api, run_id: str) -> None:
    bare = api.create_run(start_time=1)
    runs = api.post("runs/search", experiment_ids=["0"])["runs"]
    assert runs == [api.get("runs/get", run_id=each)["run"] for each in (run_id, bare)]
    assert runs[1]["data"].keys() == {"tags"}
    assert runs[1]["inputs"] == runs[1]["outputs"] == {}


@pytest.mark.parametrize("key", VALUES)
def test_a_history_has_the_values_that_were_logged(api: Api, run_id: str, key: str) -> None:
    (point,) = api.get("metrics/get-history", run_id=run_id, metric_key=key)["metrics"]
    assert point == {"key": key, "value": VALUES[key], "timestamp": 2**62, "step": -5}


@pytest.mark.parametrize("size", [1, 2, 3, 12, 13])
def test_pages_of_a_history_put_together_are_the_whole(api: Api, size: int) -> None:
    run_id = api.create_run()
    values = list(VALUES.values())
    # At one time and step, the order is that of the values.
    for step, value in enumerate(values):
        point = {"value": value, "timestamp": step // 6, "step": 0}
        api.post("runs/log-metric", run_id=run_id, key="m", **point)
    whole = api.get("metrics/get-history", run_id=run_id, metric_key="m")
    assert len(whole["metrics"]) == len(values)
    assert "next_page_token" not in whole
    found, token, pages = [], "", 0
    while pages == 0 or token:
        query = {"run_id": run_id, "metric_key": "m", "max_results": size, "page_token": token}
        page = api.get("metrics/get-history", **query)
        assert len(page["metrics"]) <= size
        found, token, pages = found + page["metrics"], page.get("next_page_token", ""), pages + 1
    assert found == whole["metrics"]
    assert pages == -(-len(values) // size)


def test_a_history_without_a_limit_is_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = api.create_run()
    points = [{"key": "m", "value": s, "timestamp": s, "step": s} for s in range(10)]
    api.post("runs/log-batch", run_id=run_id, metrics=points)
    monkeypatch.setattr(history, "MAX_POINTS", 7)
    first = api.get("metrics/get-history", run_id=run_id, metric_key="m", max_results=1000)
    rest = api.get(
        "metrics/get-history", run_id=run_id, metric_key="m", page_token=first["next_page_token"]
    )
    assert [each["step"] for each in first["metrics"]] == list(range(7))
    assert [each["step"] for each in rest["metrics"]] == [7, 8, 9]
    assert "next_page_token" not in rest


def test_a_page_of_runs_ends_before_it_is_too_large(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [api.create_run(start_time=10 - number) for number in range(5)]
    for run_id in runs:
        api.post("runs/log-parameter", run_id=run_id, key="p", value="x" * 1000)
    monkeypatch.setattr(written_runs, "MAX_BYTES", 3500)
    monkeypatch.setattr(written_runs, "AT_ONCE", 3)
    found: list[list[str]] = []
    token = ""
    while not found or token:
        page = api.post("runs/search", experiment_ids=["0"], page_token=token)
        found.append([run["info"]["run_id"] for run in page["runs"]])
        token = page.get("next_page_token", "")
    assert found == [runs[:2], runs[2:4], runs[4:]]
    monkeypatch.setattr(written_runs, "MAX_BYTES", 10)
    (first,) = api.post("runs/search", experiment_ids=["0"])["runs"]
    assert first["info"]["run_id"] == runs[0]
