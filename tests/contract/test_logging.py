"""Logging: one by one and in batches, whole or not at all, again and again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.factories import Api, Forge

INVALID = (400, "INVALID_PARAMETER_VALUE")


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


def data(api: Api, run_id: str) -> dict[str, dict[str, Any]]:
    """What a run has, by kind and key."""
    found = api.get("runs/get", run_id=run_id)["run"]["data"]
    return {
        kind: {item["key"]: item["value"] for item in found.get(kind, [])}
        for kind in ("metrics", "params", "tags")
    }


def history(api: Api, run_id: str, key: str) -> list[tuple[int, float]]:
    points = api.get("metrics/get-history", run_id=run_id, metric_key=key).get("metrics", [])
    return [(point["step"], point["value"]) for point in points]


def test_a_batch_sent_again_changes_nothing(api: Api) -> None:
    run_id = api.create_run()
    batch = {
        "metrics": [
            {"key": "loss", "value": value, "timestamp": 7, "step": step}
            for step, value in enumerate([0.5, "NaN", "Infinity", 0.5])
        ],
        "params": [{"key": "depth", "value": "3"}],
        "tags": [{"key": "team", "value": "vision"}],
    }
    for _ in range(5):
        api.post("runs/log-batch", run_id=run_id, **batch)
    assert history(api, run_id, "loss") == [(0, 0.5), (1, "NaN"), (2, "Infinity"), (3, 0.5)]
    assert data(api, run_id)["params"] == {"depth": "3"}


@pytest.mark.parametrize("value", [0.5, "NaN", "-Infinity"])
def test_a_point_sent_again_changes_nothing(api: Api, value: float | str) -> None:
    run_id = api.create_run()
    for _ in range(3):
        api.post("runs/log-metric", run_id=run_id, key="m", value=value, timestamp=1, step=2)
    assert history(api, run_id, "m") == [(2, value)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"tags": [{"key": "a//b", "value": "v"}]},
        {"metrics": [{"key": "m", "value": "high", "timestamp": 1}]},
        {"metrics": [{"key": "m", "value": 1, "timestamp": -1}]},
        {"params": [{"key": "depth", "value": "4"}]},
        {"params": [{"key": "x", "value": "4"}, {"key": "x", "value": "4"}]},
    ],
)
def test_a_batch_with_one_wrong_item_stores_nothing(api: Api, wrong: dict[str, Any]) -> None:
    run_id = api.create_run()
    api.post("runs/log-parameter", run_id=run_id, key="depth", value="3")
    before = data(api, run_id)
    batch: dict[str, Any] = {
        "metrics": [{"key": "loss", "value": 1, "timestamp": 1}],
        "params": [{"key": "fresh", "value": "1"}],
        "tags": [{"key": "fresh", "value": "1"}],
    }
    for kind, items in wrong.items():
        batch[kind] = batch[kind] + items
    assert api.refused("POST", "runs/log-batch", json={"run_id": run_id, **batch}) == INVALID
    assert data(api, run_id) == before
    assert history(api, run_id, "loss") == []


@pytest.mark.parametrize(
    ("points", "latest"),
    [
        ([(1, 5, 0.1), (0, 9, 0.9)], 0.1),
        ([(1, 5, 0.1), (1, 6, 0.0)], 0.0),
        ([(1, 5, 0.1), (1, 5, 0.2)], 0.2),
        ([(1, 5, 0.2), (1, 5, 0.1)], 0.2),
        ([(-3, 5, 0.2), (-4, 6, 0.1)], 0.2),
        ([(1, 5, "NaN"), (2, 5, 1.0)], 1.0),
        ([(1, 5, 1.0), (2, 5, "NaN")], "NaN"),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_the_latest_metric_is_by_step_then_time_then_value(
    api: Api, points: list[tuple[int, int, Any]], latest: Any, at_once: bool
) -> None:
    run_id = api.create_run()
    items = [{"key": "m", "step": s, "timestamp": t, "value": v} for s, t, v in points]
    for batch in [items] if at_once else [[item] for item in items]:
        api.post("runs/log-batch", run_id=run_id, metrics=batch)
    assert data(api, run_id)["metrics"] == {"m": latest}
    assert len(history(api, run_id, "m")) == len(points)


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), str(2**62), 0])
def test_steps_are_any_int64(api: Api, number: int | str) -> None:
    run_id = api.create_run()
    api.post("runs/log-metric", run_id=run_id, key="m", value=1, timestamp=0, step=number)
    assert history(api, run_id, "m") == [(int(number), 1.0)]


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", 1.7976931348623157e308, 5e-324])
def test_every_double_comes_back(api: Api, value: float | str) -> None:
    run_id = api.create_run()
    api.post("runs/log-metric", run_id=run_id, key="m", value=value, timestamp=0)
    assert data(api, run_id)["metrics"] == {"m": value}


def test_a_parameter_keeps_its_first_value(api: Api) -> None:
    run_id = api.create_run()
    for _ in range(2):
        api.post("runs/log-parameter", run_id=run_id, key="depth", value="3")
    other = {"run_id": run_id, "key": "depth", "value": "4"}
    assert api.refused("POST", "runs/log-parameter", json=other) == INVALID
    assert data(api, run_id)["params"] == {"depth": "3"}


def test_long_values_are_cut_as_mlflow_does(api: Api) -> None:
    run_id = api.create_run()
    api.post("runs/log-parameter", run_id=run_id, key="p", value="x" * 7000)
    api.post("runs/set-tag", run_id=run_id, key="t", value="x" * 9000)
    assert len(data(api, run_id)["params"]["p"]) == 6000
    assert len(data(api, run_id)["tags"]["t"]) == 8000


@pytest.mark.parametrize("kind", ["metrics", "params", "tags"])
def test_a_batch_over_mlflows_limit_is_refused(api: Api, kind: str) -> None:
    item = {"value": "1", "timestamp": 1}
    items = [{"key": f"k{i}", **item} for i in range(1001 if kind == "metrics" else 101)]
    body = {"run_id": api.create_run(), kind: items}
    assert api.refused("POST", "runs/log-batch", json=body) == INVALID


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}),
        ("runs/log-parameter", {"key": "p", "value": "1"}),
        ("runs/log-batch", {}),
        ("runs/log-batch", {"metrics": [{"key": "m", "value": i, "timestamp": 1} for i in (1, 2)]}),
        ("runs/log-batch", {"params": [{"key": "p", "value": "1"}, {"key": "q", "value": "1"}]}),
        ("runs/set-tag", {"key": "t", "value": "1"}),
        ("runs/delete-tag", {"key": "t"}),
        ("runs/update", {"status": "FINISHED"}),
        ("runs/log-inputs", {"datasets": []}),
    ],
)
def test_a_run_in_the_trash_cannot_change(api: Api, path: str, body: dict[str, Any]) -> None:
    run_id = api.create_run()
    # So that the project knows the metric: a new one is logged in another way.
    api.post("runs/log-metric", run_id=run_id, key="m", value=1, timestamp=1, step=1)
    api.post("runs/delete", run_id=run_id)
    assert api.refused("POST", path, json={"run_id": run_id, **body}) == INVALID
    nobody = {"run_id": "f" * 32, **body}
    assert api.refused("POST", path, json=nobody) == (404, "RESOURCE_DOES_NOT_EXIST")


ITEMS: dict[str, dict[str, Any]] = {
    "runs/log-metric": {"key": "m", "value": 1, "timestamp": 1, "step": 1},
    "runs/log-parameter": {"key": "p", "value": "1"},
    "runs/log-batch": {
        "metrics": [{"key": "m", "value": i, "timestamp": i, "step": i} for i in range(2)],
        "params": [{"key": f"p{i}", "value": "1"} for i in range(2)],
    },
    "runs/set-tag": {"key": "t", "value": "1"},
}


@pytest.mark.parametrize("path", ITEMS)
def test_another_projects_run_does_not_exist(forge: Forge, api: Api, path: str) -> None:
    other = forge.developer()
    theirs, mine = other.create_run(), api.create_run()
    before = data(other, theirs)
    for own, run_id in ((other, theirs), (api, mine)):  # names of metrics that both know
        own.post("runs/log-metric", run_id=run_id, key="m", value=0, timestamp=0, step=0)
    body = {"run_id": theirs, **ITEMS[path]}
    assert api.refused("POST", path, json=body) == (404, "RESOURCE_DOES_NOT_EXIST")
    query = f"runs/get?run_id={theirs}"
    assert api.refused("GET", query) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert api.get("metrics/get-history", run_id=theirs, metric_key="m") == {}
    assert data(other, theirs) == {**before, "metrics": {"m": 0.0}}


ODD_TEXTS = [
    "", " ", "NULL", "{a,b}", '"', '""', "\\", "\\\\", '\\"', "a\nb", "\t", "%", "%s", "%(key)s",
    ":key", "?", "é", "\N{GRINNING FACE}", "'", "''; --",
]  # fmt: skip


def test_any_text_comes_back_from_a_batch(api: Api) -> None:
    run_id = api.create_run()
    texts = {f"odd {number}/é": text for number, text in enumerate(ODD_TEXTS)}
    pairs = [{"key": key, "value": text} for key, text in texts.items()]
    metrics = [{"key": key, "value": 1, "timestamp": 1, "step": 1} for key in texts]
    for _ in range(2):
        api.post("runs/log-batch", run_id=run_id, params=pairs, tags=pairs, metrics=metrics)
    found = data(api, run_id)
    assert found["params"] == texts
    assert texts.items() <= found["tags"].items()
    assert found["metrics"] == dict.fromkeys(texts, 1.0)


def test_a_long_history_comes_in_pages(api: Api) -> None:
    run_id = api.create_run()
    values = [{"key": "m", "value": i, "timestamp": 9, "step": i} for i in range(25)]
    values.append({"key": "m", "value": "NaN", "timestamp": 9, "step": 24})
    api.post("runs/log-batch", run_id=run_id, metrics=values)
    seen, token = [], ""
    while True:
        page = api.get(
            "metrics/get-history", run_id=run_id, metric_key="m", max_results=7, page_token=token
        )
        seen += [point["value"] for point in page["metrics"]]
        if not (token := page.get("next_page_token", "")):
            break
    assert seen == [*map(float, range(25)), "NaN"]
