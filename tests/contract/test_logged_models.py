"""`/mlflow/logged-models/...`: it works, then the refusals."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from gitlab_mlops.models import LoggedModel
from gitlab_mlops.services.logged_models import records
from host_stub.database import db
from tests.browsing import counted_statements
from tests.factories import Api, Forge

INVALID = (400, "INVALID_PARAMETER_VALUE")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")
NOBODY = "m-" + "0" * 32


@pytest.fixture
def api(forge: Forge) -> Api:
    """The API of a developer of a fresh project."""
    return forge.developer()


def make(api: Api, name: str = "model", **fields: Any) -> str:
    """A logged model; its id."""
    fields = {"experiment_id": "0", "name": name, **fields}
    model_id: str = api.post("logged-models", **fields)["model"]["info"]["model_id"]
    return model_id


def get(api: Api, model_id: str, **query: Any) -> dict[str, Any]:
    model: dict[str, Any] = api.get(f"logged-models/{model_id}", **query)["model"]
    return model


def patch(api: Api, path: str, **body: Any) -> dict[str, Any]:
    response = api.call("PATCH", f"logged-models/{path}", json=body)
    assert response.status_code == 200, response.get_data(as_text=True)
    answer: dict[str, Any] = response.get_json()
    return answer


def pairs(**values: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def names(answer: dict[str, Any]) -> list[str]:
    return [model["info"]["name"] for model in answer.get("models", [])]


def find(api: Api, **body: Any) -> list[str]:
    return names(api.post("logged-models/search", **{"experiment_ids": ["0"], **body}))


def measure(api: Api, run_id: str, model_id: str, value: float, **more: Any) -> None:
    point = {"key": "acc", "value": value, "timestamp": 1, **more, "model_id": model_id}
    api.post("runs/log-metric", run_id=run_id, **point)


def test_a_model_is_made_read_and_finished(api: Api) -> None:
    run_id = api.create_run()
    model_id = make(
        api,
        model_type="classifier",
        source_run_id=run_id,
        params=pairs(depth="3"),
        tags=pairs(team="x"),
    )
    model = get(api, model_id)
    created = model["info"].pop("creation_timestamp_ms")
    assert model["info"].pop("last_updated_timestamp_ms") == created
    assert model == {
        "info": {
            "model_id": model_id,
            "experiment_id": "0",
            "name": "model",
            "artifact_uri": f"mlflow-artifacts:/models/{model_id}/artifacts",
            "status": "LOGGED_MODEL_PENDING",
            "model_type": "classifier",
            "source_run_id": run_id,
            "tags": [{"key": "team", "value": "x"}],
        },
        "data": {"params": [{"key": "depth", "value": "3"}]},
    }
    for status, shown in ((2, "READY"), ("LOGGED_MODEL_UPLOAD_FAILED", "UPLOAD_FAILED")):
        body = {"model_id": model_id, "status": status}
        finished = patch(api, model_id, **body)["model"]["info"]
        assert finished["status"] == f"LOGGED_MODEL_{shown}"
        assert finished["last_updated_timestamp_ms"] >= created


def test_a_model_without_a_name_gets_one(api: Api) -> None:
    assert get(api, make(api, ""))["info"]["name"]


def test_tags_are_set_and_removed(api: Api) -> None:
    model_id = make(api)
    patch(api, f"{model_id}/tags", tags=[*pairs(a="1"), *pairs(a="2", b="")])
    patch(api, f"{model_id}/tags", tags=[{"key": "folder/x", "value": "1"}])
    api.call("DELETE", f"logged-models/{model_id}/tags/folder/x")
    assert get(api, model_id)["info"]["tags"] == pairs(a="2", b="")
    gone = f"logged-models/{model_id}/tags/folder/x"
    assert api.refused("DELETE", gone) == MISSING


def test_parameters_are_added_and_never_change(api: Api) -> None:
    model_id = make(api)
    path = f"logged-models/{model_id}/params"
    for _ in range(2):
        api.post(path, model_id=model_id, params=pairs(depth="3", lr="0.1"))
    changed = pairs(depth="4", other="1")
    assert api.refused("POST", path, json={"params": changed}) == INVALID
    assert get(api, model_id)["data"]["params"] == pairs(depth="3", lr="0.1")


def test_a_deleted_model_is_hidden_and_frozen(api: Api) -> None:
    model_id = make(api)
    file = f"/api/2.0/mlflow-artifacts/artifacts/models/{model_id}/artifacts/MLmodel"
    assert api.call("PUT", file, data=b"x").status_code == 200
    for _ in range(2):
        assert api.call("DELETE", f"logged-models/{model_id}").status_code == 200
    assert api.refused("GET", f"logged-models/{model_id}") == MISSING
    assert get(api, model_id, allow_deleted="true")["info"]["name"] == "model"
    assert find(api) == []
    assert api.call("GET", file).get_data() == b"x"
    path = f"logged-models/{model_id}"
    assert api.refused("PUT", file, data=b"y") == INVALID
    assert api.refused("DELETE", file) == INVALID
    assert api.refused("PATCH", path, json={"status": 2}) == INVALID
    assert api.refused("PATCH", f"{path}/tags", json={"tags": pairs(a="1")}) == INVALID
    assert api.refused("POST", f"{path}/params", json={"params": pairs(a="1")}) == INVALID
    point = {"key": "m", "value": 1, "timestamp": 1, "model_id": model_id}
    run_id = api.create_run()
    assert api.refused("POST", "runs/log-metric", json={"run_id": run_id, **point}) == INVALID


def test_a_model_in_an_experiment_in_the_trash_is_frozen(api: Api) -> None:
    experiment_id = api.post("experiments/create", name="gone")["experiment_id"]
    model_id = make(api, experiment_id=experiment_id)
    api.post("experiments/delete", experiment_id=experiment_id)
    path = f"logged-models/{model_id}"
    assert get(api, model_id)["info"]["experiment_id"] == experiment_id
    assert api.refused("PATCH", path, json={"status": 2}) == INVALID
    body = {"experiment_id": experiment_id, "name": "m"}
    assert api.refused("POST", "logged-models", json=body) == INVALID
    api.post("experiments/restore", experiment_id=experiment_id)
    assert patch(api, model_id, status=2)["model"]["info"]["status"] == "LOGGED_MODEL_READY"


def test_files_of_a_model_go_up_and_down(api: Api) -> None:
    model_id = make(api)
    root = f"models/{model_id}/artifacts"
    store = "/api/2.0/mlflow-artifacts/artifacts"
    for name, data in (("MLmodel", b"flavors: {}"), ("data/model.skops", b"\0" * 5)):
        assert api.call("PUT", f"{store}/{root}/{name}", data=data).status_code == 200
    listed = api.get(store, path=root)["files"]
    assert listed == [
        {"path": "MLmodel", "is_dir": False, "file_size": 11},
        {"path": "data", "is_dir": True},
    ]
    folders = f"logged-models/{model_id}/artifacts/directories"
    assert api.get(folders) == {"root_uri": f"mlflow-artifacts:/{root}", "files": listed}
    below = api.get(folders, artifact_directory_path="data")["files"]
    assert below == [{"path": "data/model.skops", "is_dir": False, "file_size": 5}]
    assert api.call("GET", f"{store}/{root}/data/model.skops").get_data() == b"\0" * 5
    assert api.refused("GET", folders, query_string={"artifact_directory_path": "../x"}) == INVALID


@pytest.mark.parametrize(
    "path",
    [
        f"models/{NOBODY}/artifacts/a",
        "models/x/artifacts/a",
        "models",
        "models/{model_id}",
        "models/{model_id}/a",
        "0/models/{model_id}/artifacts/a",
    ],
)
def test_files_live_in_a_models_own_folder_only(api: Api, path: str) -> None:
    where = path.format(model_id=make(api))
    full = f"/api/2.0/mlflow-artifacts/artifacts/{where}"
    assert api.refused("PUT", full, data=b"x") == MISSING
    assert api.refused("GET", full) == MISSING


def test_a_model_of_another_project_does_not_exist(forge: Forge, api: Api) -> None:
    other = forge.developer()
    model_id, run_id = make(other), other.create_run()
    file = f"/api/2.0/mlflow-artifacts/artifacts/models/{model_id}/artifacts/a"
    assert other.call("PUT", file, data=b"secret").status_code == 200
    path = f"logged-models/{model_id}"
    assert api.refused("GET", path) == MISSING
    assert api.refused("PATCH", path, json={"status": 2}) == MISSING
    assert api.refused("PATCH", f"{path}/tags", json={"tags": pairs(a="1")}) == MISSING
    assert api.refused("POST", f"{path}/params", json={"params": pairs(a="1")}) == MISSING
    assert api.refused("DELETE", f"{path}/tags/a") == MISSING
    assert api.refused("DELETE", path) == MISSING
    assert api.refused("GET", f"{path}/artifacts/directories") == MISSING
    assert api.refused("GET", file) == MISSING
    assert api.refused("PUT", file, data=b"x") == MISSING
    point = {"key": "m", "value": 1, "timestamp": 1, "model_id": model_id}
    body = {"run_id": api.create_run(), **point}
    assert api.refused("POST", "runs/log-metric", json=body) == MISSING
    # A source that only another project has is not said to exist either.
    made = {"experiment_id": "0", "name": "m", "source_run_id": run_id}
    assert api.refused("POST", "logged-models", json=made) == MISSING
    assert find(api) == []
    hidden = api.call("GET", path).get_data()
    assert hidden == api.call("GET", f"logged-models/{NOBODY}").get_data().replace(
        NOBODY.encode(), model_id.encode()
    )


def test_a_reporter_reads_and_does_not_write(forge: Forge) -> None:
    api = forge.developer()
    model_id = make(api)
    file = f"/api/2.0/mlflow-artifacts/artifacts/models/{model_id}/artifacts/a"
    api.call("PUT", file, data=b"x")
    reporter = forge.api(api.project_id, forge.token(forge.member(api.project_id, "reporter")))
    assert get(reporter, model_id)["info"]["name"] == "model"
    assert reporter.call("GET", file).get_data() == b"x"
    assert reporter.call("PUT", file, data=b"y").status_code == 403


def test_metrics_of_a_batch_are_the_runs_and_the_models(api: Api) -> None:
    model_id, run_id = make(api), api.create_run()
    point = {"key": "loss", "value": 0.5, "timestamp": 7, "step": 2}
    said = {"dataset_name": "iris", "dataset_digest": "d1"}
    points = [{**point, "model_id": model_id, **said}, {**point, "step": 3, "value": "NaN", **said}]
    for _ in range(2):  # the second changes nothing
        api.post("runs/log-batch", run_id=run_id, metrics=points)
    of_model = {**point, **said, "model_id": model_id, "run_id": run_id}
    assert get(api, model_id)["data"]["metrics"] == [of_model]
    history = api.get("metrics/get-history", run_id=run_id, metric_key="loss")["metrics"]
    assert history == [point, {**point, "step": 3, "value": "NaN"}]


def test_a_batch_with_a_missing_model_stores_nothing(api: Api) -> None:
    run_id = api.create_run()
    point = {"key": "m", "value": 1, "timestamp": 1}
    batch = {
        "run_id": run_id,
        "metrics": [point, {**point, "model_id": NOBODY}],
        "params": pairs(a="1"),
    }
    assert api.refused("POST", "runs/log-batch", json=batch) == MISSING
    assert "metrics" not in api.get("runs/get", run_id=run_id)["run"]["data"]
    assert "params" not in api.get("runs/get", run_id=run_id)["run"]["data"]


def test_models_are_found_by_all_that_is_said_of_them(api: Api) -> None:
    run_id = api.create_run()
    first = make(api, "first", params=pairs(depth="3"), tags=pairs(team="x"), model_type="a")
    second = make(api, "second", source_run_id=run_id, params=pairs(depth="5"))
    patch(api, second, status=2)
    measure(api, run_id, first, 0.9, step=1)
    measure(api, run_id, first, 0.1, step=2, dataset_name="iris", dataset_digest="d1")
    measure(api, run_id, second, 0.5)
    for text, wanted in {
        "": ["second", "first"],
        "name = 'first'": ["first"],
        "attributes.name ILIKE 'F%'": ["first"],
        "name IN ('first', 'third')": ["first"],
        f"model_id = '{second}'": ["second"],
        f"source_run_id = '{run_id}'": ["second"],
        "status = 'READY'": ["second"],
        "model_type != 'a'": ["second"],
        "creation_time > 1000 AND last_updated_timestamp > 1000": ["second", "first"],
        "params.depth = '3'": ["first"],
        "params.`depth` != '3'": ["second"],
        "tags.team NOT IN ('y')": ["first"],
        "metrics.acc > 0.6": ["first"],
        "metrics.acc < 0.2 OR name = 'second'": ["second", "first"],
        "metrics.unknown > 0": [],
    }.items():
        assert (text, find(api, filter=text)) == (text, wanted)
    iris = [{"dataset_name": "iris"}]
    assert find(api, datasets=iris) == ["first"]
    assert find(api, datasets=[{**iris[0], "dataset_digest": "d2"}]) == []
    assert find(api, datasets=iris, filter="metrics.acc > 0.6") == []
    assert find(api, experiment_ids=["7"]) == []


def test_models_are_ordered_page_by_page(api: Api) -> None:
    run_id = api.create_run()
    values: dict[str, Any] = {"a": 0.5, "b": "NaN", "c": None, "d": 0.7, "e": 0.1}
    for name, value in values.items():
        model_id = make(api, name)
        if value is not None:
            measure(api, run_id, model_id, value)
    last = make(api, "f")
    measure(api, run_id, last, 0.9, timestamp=5)
    measure(api, run_id, last, 0.2, timestamp=6, dataset_name="iris", dataset_digest="d")
    # How each order begins; among equals the newest is first, but a millisecond may have several.
    for order, start in (
        ({"field_name": "metrics.acc"}, "efadbc"),
        ({"field_name": "metrics.acc", "ascending": False}, "dafebc"),
        ({"field_name": "metrics.acc", "dataset_name": "iris"}, "f"),
        ({"field_name": "metrics.acc", "dataset_name": "iris", "dataset_digest": "x"}, ""),
        ({"field_name": "metrics.unknown"}, ""),
        ({"field_name": "name", "ascending": False}, "fedcba"),
        ({"field_name": "status"}, ""),
    ):
        seen, token = "", ""
        while True:
            body = {"order_by": [order], "max_results": 2, "page_token": token}
            page = api.post("logged-models/search", experiment_ids=["0"], **body)
            seen += "".join(names(page))
            if not (token := page.get("next_page_token", "")):
                break
        assert sorted(seen) == list("abcdef")
        assert seen.startswith(start), order


@pytest.mark.parametrize(
    "body",
    [
        {"name": "a/b"},
        {"name": "n" * 501},
        {"model_type": "n" * 501},
        {"params": [{"key": "a", "value": "1"}] * 2},
        {"params": [{"value": "1"}]},
        {"params": "x"},
        {"params": ["x"]},
        {"tags": [{"key": "k" * 256, "value": "1"}]},
        {"tags": [{"key": "k", "value": "1" * 100_001}]},
        {"tags": [{"key": str(number), "value": ""} for number in range(1001)]},
        {"experiment_id": "abc"},
    ],
)
def test_a_bad_model_is_refused(api: Api, body: dict[str, Any]) -> None:
    good = {"experiment_id": "0", "name": "m"}
    assert api.refused("POST", "logged-models", json={**good, **body}) == INVALID
    assert find(api) == []


@pytest.mark.parametrize(
    "body",
    [
        {"filter": "name = "},
        {"filter": "name = 5"},
        {"filter": "unknown = 'x'"},
        {"filter": "metrics.acc > 'x'"},
        {"filter": "attribute.name = 'x'"},
        {"filter": "tags.x IS NULL"},
        {"order_by": [{"field_name": "params.x"}]},
        {"order_by": [{"field_name": "unknown"}]},
        {"order_by": [{"field_name": "metrics."}]},
        {"order_by": [{}]},
        {"order_by": ["name"]},
        {"order_by": [{"field_name": "name", "ascending": "x"}]},
        {"datasets": [{}]},
        {"datasets": ["x"]},
        {"max_results": -1},
        {"page_token": "garbage"},
        {"page_token": "e30="},
        {"experiment_ids": ["abc"]},
        {"experiment_ids": None},
    ],
)
def test_a_bad_search_is_refused(api: Api, body: dict[str, Any]) -> None:
    good = {"experiment_ids": ["0"]}
    assert api.refused("POST", "logged-models/search", json={**good, **body}) == INVALID


@pytest.mark.parametrize("status", [5, -1, "READY", "nothing", 1.5, True, None])
def test_an_unknown_status_is_refused(api: Api, status: object) -> None:
    model_id = make(api)
    body = {"model_id": model_id, "status": status}
    assert api.refused("PATCH", f"logged-models/{model_id}", json=body) == INVALID
    assert get(api, model_id)["info"]["status"] == "LOGGED_MODEL_PENDING"


def test_a_body_that_names_another_model_is_refused(api: Api) -> None:
    model_id, other = make(api), make(api)
    body = {"model_id": other, "status": 2, "params": pairs(a="1"), "tags": pairs(a="1")}
    path = f"logged-models/{model_id}"
    assert api.refused("PATCH", path, json=body) == INVALID
    assert api.refused("POST", f"{path}/params", json=body) == INVALID
    assert api.refused("PATCH", f"{path}/tags", json=body) == INVALID


def test_names_of_datasets_have_a_limit(api: Api) -> None:
    run_id, model_id = api.create_run(), make(api)
    point = {"key": "m", "value": 1, "timestamp": 1, "model_id": model_id}
    good = {"dataset_name": "\N{GRINNING FACE}" * 500, "dataset_digest": "\N{GRINNING FACE}" * 36}
    api.post("runs/log-metric", run_id=run_id, **{**point, **good, "key": "k" * 250})
    for bad in ({"dataset_name": "n" * 501}, {"dataset_digest": "d" * 37}):
        body = {"run_id": run_id, **point, **bad}
        assert api.refused("POST", "runs/log-metric", json=body) == INVALID
        batch = {"run_id": run_id, "metrics": [{**point, **bad}]}
        assert api.refused("POST", "runs/log-batch", json=batch) == INVALID


def test_an_answer_has_the_latest_points_where_there_are_too_many(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "MAX_POINTS", 4)
    run_id = api.create_run()
    for name in ("first", "second"):
        model_id = make(api, name)
        for step in range(5):
            measure(api, run_id, model_id, 0.5, step=step, timestamp=step)
    alone = get(api, model_id)["data"]["metrics"]
    assert [point["step"] for point in alone] == [1, 2, 3, 4]
    for model in api.post("logged-models/search", experiment_ids=["0"])["models"]:
        assert [point["step"] for point in model["data"]["metrics"]] == [3, 4]


def test_a_point_of_no_model_costs_no_statement(app: Flask, api: Api) -> None:
    run_id, model_id = api.create_run(), make(api)
    measure(api, run_id, "", 0.1)

    def statements(model: str) -> list[str]:
        with counted_statements(app) as found:
            measure(api, run_id, model, 0.2)
        return found

    plain = statements("")
    assert not any("logged_model" in statement for statement in plain)
    assert len(statements(model_id)) == len(plain) + 4


def test_the_number_of_statements_does_not_depend_on_what_is_found(app: Flask, api: Api) -> None:
    def statements() -> int:
        with counted_statements(app) as found:
            api.post("logged-models/search", experiment_ids=["0"])
        return len(found)

    make(api, params=pairs(a="1"), tags=pairs(a="1"))
    one = statements()
    for _ in range(5):
        make(api, params=pairs(a="1"), tags=pairs(a="1"))
    assert statements() == one


def test_the_job_that_made_a_model_is_noted(forge: Forge, app: Flask) -> None:
    project_id = forge.project()
    user_id = forge.member(project_id, "developer")
    by_hand = make(forge.api(project_id, forge.token(user_id)))
    in_ci = make(forge.api(project_id, forge.job_token(project_id, user_id)))
    statement = select(LoggedModel.model_id, LoggedModel.actor_id, LoggedModel.job_id)
    with app.app_context():
        found = {row[0]: row[1:] for row in db.session.execute(statement)}
    assert found[by_hand] == (str(user_id), None)
    assert found[in_ci][0] == str(user_id)
    assert found[in_ci][1]
