"""Runs: create, change, tag, delete, restore, search; what they used."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.factories import Api, Forge

INVALID = (400, "INVALID_PARAMETER_VALUE")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


def info(api: Api, run_id: str) -> dict[str, object]:
    found: dict[str, object] = api.get("runs/get", run_id=run_id)["run"]["info"]
    return found


def test_a_run_without_a_name_gets_one_that_is_its_tag_too(api: Api) -> None:
    run = api.post("runs/create", experiment_id="0")["run"]
    assert run["data"]["tags"] == [{"key": "mlflow.runName", "value": run["info"]["run_name"]}]
    assert run["info"]["run_name"].count("-") == 2


def test_a_name_and_its_tag_must_agree(api: Api) -> None:
    tags = [{"key": "mlflow.runName", "value": "b"}]
    body = {"experiment_id": "0", "run_name": "a", "tags": tags}
    assert api.refused("POST", "runs/create", json=body) == INVALID
    run_id = api.create_run(tags=tags)
    assert info(api, run_id)["run_name"] == "b"
    api.post("runs/set-tag", run_id=run_id, key="mlflow.runName", value="c")
    assert info(api, run_id)["run_name"] == "c"


def test_a_run_ends(api: Api) -> None:
    run_id = api.create_run()
    answer = api.post("runs/update", run_id=run_id, status="FINISHED", end_time=1_700_000_001_000)
    assert answer["run_info"] == info(api, run_id)
    assert answer["run_info"]["status"] == "FINISHED"
    assert answer["run_info"]["end_time"] == 1_700_000_001_000


def test_old_clients_name_a_run_by_run_uuid(api: Api) -> None:
    run_id = api.create_run()
    api.post("runs/log-metric", run_uuid=run_id, key="m", value=1, timestamp=1)
    assert api.get("runs/get", run_uuid=run_id)["run"]["info"]["run_id"] == run_id


def test_the_trash_takes_a_run_twice_and_gives_it_back(api: Api) -> None:
    run_id = api.create_run()
    for _ in range(2):
        api.post("runs/delete", run_id=run_id)
    assert info(api, run_id)["lifecycle_stage"] == "deleted"
    found = {"experiment_ids": ["0"], "run_view_type": "DELETED_ONLY"}
    assert [run["info"]["run_id"] for run in api.post("runs/search", **found)["runs"]] == [run_id]
    assert api.post("runs/search", experiment_ids=["0"]) == {}
    for _ in range(2):
        api.post("runs/restore", run_id=run_id)
    assert info(api, run_id)["lifecycle_stage"] == "active"


def test_a_run_that_is_not_there_cannot_be_deleted(api: Api) -> None:
    for verb in ("delete", "restore"):
        assert api.refused("POST", f"runs/{verb}", json={"run_id": "f" * 32}) == MISSING


def test_a_search_filters_orders_and_pages(api: Api) -> None:
    for number in range(9):
        run_id = api.create_run(run_name=f"r{number}", start_time=number)
        api.post("runs/log-metric", run_id=run_id, key="auc", value=number / 10, timestamp=1)
        api.post("runs/log-parameter", run_id=run_id, key="depth", value=str(number % 3))
    query = {
        "experiment_ids": ["0"],
        "filter": "metrics.auc > 0.15 AND params.depth != '0'",
        "order_by": ["params.depth ASC", "metrics.auc DESC"],
        "max_results": 2,
    }
    seen, token = [], ""
    while True:
        page = api.post("runs/search", **query, page_token=token)
        seen += [run["info"]["run_name"] for run in page["runs"]]
        if not (token := page.get("next_page_token", "")):
            break
    assert seen == ["r7", "r4", "r8", "r5", "r2"]


def test_a_search_sees_no_other_project(forge: Forge, api: Api) -> None:
    forge.developer().create_run(run_name="theirs")
    mine = api.create_run(run_name="mine")
    found = api.post("runs/search", experiment_ids=["0"], run_view_type="ALL")["runs"]
    assert [run["info"]["run_id"] for run in found] == [mine]


@pytest.mark.parametrize(
    "filters", ["metrics.auc >", "params.x > '1'", "tags.x = 5", "x" * 500_000]
)
def test_a_bad_filter_is_refused(api: Api, filters: str) -> None:
    body = {"experiment_ids": ["0"], "filter": filters}
    assert api.refused("POST", "runs/search", json=body) == INVALID


def test_a_dataset_is_noted_once_and_found_again(api: Api) -> None:
    run_id = api.create_run()
    used = {
        "tags": [{"key": "mlflow.data.context", "value": "training"}],
        "dataset": {"name": "iris", "digest": "d1", "source_type": "local", "source": "{}"},
    }
    for _ in range(2):
        api.post("runs/log-inputs", run_id=run_id, datasets=[used])
    assert api.get("runs/get", run_id=run_id)["run"]["inputs"] == {"dataset_inputs": [used]}
    query = "dataset.name = 'iris' AND dataset.context = 'training'"
    assert len(api.post("runs/search", experiment_ids=["0"], filter=query)["runs"]) == 1
    summary = {"experiment_id": "0", "name": "iris", "digest": "d1", "context": "training"}
    found = api.post("experiments/search-datasets", experiment_ids=["0"])
    assert found == {"dataset_summaries": [summary]}


def test_a_dataset_is_read_once_however_many_tags_its_use_has(api: Api) -> None:
    run_id = api.create_run()
    tags = [{"key": f"k{i:03}", "value": "v"} for i in range(100)]
    dataset = {"name": "d", "digest": "1", "source_type": "local", "source": "s"}
    used = {"tags": tags, "dataset": {**dataset, "profile": "p" * 2_000_000}}
    api.post("runs/log-inputs", run_id=run_id, datasets=[used])
    started = time.monotonic()
    assert api.get("runs/get", run_id=run_id)["run"]["inputs"]["dataset_inputs"] == [used]
    # A join that repeats the profile for each tag takes many seconds and a gigabyte.
    assert time.monotonic() - started < 2
    too_many = {"tags": [*tags, {"key": "one", "value": "more"}], "dataset": dataset}
    body = {"run_id": run_id, "datasets": [too_many]}
    assert api.refused("POST", "runs/log-inputs", json=body) == INVALID


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("runs/search", {"experiment_ids": ["0"] * 10_001}),
        ("runs/log-inputs", {"datasets": [{}] * 1001}),
        ("runs/log-inputs", {"models": [{"model_id": "m"}] * 1001}),
        ("runs/outputs", {"models": [{"model_id": "m"}] * 1001}),
    ],
)
def test_a_list_that_is_too_long_is_refused(api: Api, path: str, body: dict[str, Any]) -> None:
    assert api.refused("POST", path, json={"run_id": api.create_run(), **body}) == INVALID


def test_a_model_of_mlflow_2_is_noted_in_a_tag(api: Api) -> None:
    run_id = api.create_run()
    model = json.dumps(
        {"artifact_path": "m", "flavors": {"x": {}}, "utc_time_created": "t", "run_id": "r"}
    )
    for _ in range(2):
        api.post("runs/log-model", run_id=run_id, model_json=model)
    tags = {
        tag["key"]: tag["value"]
        for tag in api.get("runs/get", run_id=run_id)["run"]["data"]["tags"]
    }
    assert tags["mlflow.log-model.history"].count('"artifact_path": "m"') == 2
    large = model.replace('"x": {}', '"x": {"y": "%s"}' % ("z" * 20_000))
    for bad in (large, model.replace("{}", '{"y": NaN}')):
        body = {"run_id": run_id, "model_json": bad}
        assert api.refused("POST", "runs/log-model", json=body) == INVALID
    body = {"run_id": run_id, "model_json": "{}"}
    assert api.refused("POST", "runs/log-model", json=body) == INVALID


def test_the_models_that_a_run_made_are_noted(api: Api) -> None:
    run_id = api.create_run()
    for _ in range(2):
        api.post("runs/outputs", run_id=run_id, models=[{"model_id": "m-1", "step": 3}])
    outputs = api.get("runs/get", run_id=run_id)["run"]["outputs"]
    assert outputs == {"model_outputs": [{"model_id": "m-1", "step": 3}]}


def test_histories_of_several_runs_come_in_one_answer(api: Api) -> None:
    runs = [api.create_run() for _ in range(2)]
    for run_id in runs:
        points = [{"key": "m", "value": s, "timestamp": s, "step": s} for s in range(100)]
        api.post("runs/log-batch", run_id=run_id, metrics=points)
    sampled = api.get(
        "metrics/get-history-bulk-interval", run_ids=runs, metric_key="m", max_results=4
    )
    assert [point["step"] for point in sampled["metrics"]] == [0, 25, 50, 99] * 2
    part = {"run_ids": runs[:1], "metric_key": "m", "start_step": 10, "end_step": 12}
    found = api.get("metrics/get-history-bulk-interval", **part)["metrics"]
    assert [point["step"] for point in found] == [10, 11, 12]
    bulk = api.get("metrics/get-history-bulk", run_id=runs, metric_key="m", max_results=150)
    assert len(bulk["metrics"]) == 150
