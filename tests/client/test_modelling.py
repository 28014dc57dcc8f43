"""The stock clients log models to a project, load them again, and keep track of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from tests.client import clients
from tests.factories import Api, Forge


@dataclass(frozen=True)
class Modelling:
    """What the script made with one client, and the project where it did."""

    api: Api
    made: dict[str, Any]


@pytest.fixture(scope="module", params=clients.CLIENTS)
def modelling(
    request: pytest.FixtureRequest,
    app: Flask,
    live_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Modelling:
    """Run the script, with nothing but the project's address and a token."""
    forge = Forge(app)
    project_id = forge.project()
    token = forge.token(forge.member(project_id, "developer"))
    api = forge.api(project_id, token)
    folder = tmp_path_factory.mktemp("modeller")
    made = clients.run_script(
        request.param, "modelling.py", uri=live_url + api.base, token=token, folder=folder
    )
    return Modelling(api, made)


def files(api: Api, folder: str) -> set[str]:
    listed = api.get("/api/2.0/mlflow-artifacts/artifacts", path=folder).get("files", [])
    return {file["path"] for file in listed}


def test_a_model_lies_where_its_version_of_mlflow_looks(modelling: Modelling) -> None:
    api, ridge = modelling.api, modelling.made["ridge"]
    run = api.get("runs/get", run_id=ridge["run"])["run"]
    if ridge["model"] is None:
        where = f"{run['info']['experiment_id']}/{ridge['run']}/artifacts/model"
        assert "mlflow.log-model.history" in {tag["key"] for tag in run["data"]["tags"]}
    else:
        where = f"models/{ridge['model']}/artifacts"
        outputs = run["outputs"]["model_outputs"]
        assert [output["model_id"] for output in outputs] == [ridge["model"]]
        model = api.get(f"logged-models/{ridge['model']}")["model"]["info"]
        assert model["status"] == "LOGGED_MODEL_READY"
        assert model["source_run_id"] == ridge["run"]
    assert {"MLmodel", "input_example.json", "python_env.yaml"} <= files(api, where)


def test_a_grid_search_knows_its_models(modelling: Modelling) -> None:
    api, run_id = modelling.api, modelling.made["grid"]["run"]
    if modelling.made["version"].startswith("2."):
        pytest.skip("MLflow 2 has no logged models")
    run = api.get("runs/get", run_id=run_id)["run"]
    found = api.post(
        "logged-models/search",
        experiment_ids=[run["info"]["experiment_id"]],
        filter=f"source_run_id = '{run_id}'",
    )["models"]
    assert {model["info"]["name"] for model in found} == {"best_estimator", "model"}
    linked = {output["model_id"] for output in run["outputs"]["model_outputs"]}
    assert linked == {model["info"]["model_id"] for model in found}


def test_a_deleted_model_is_gone_for_the_client(modelling: Modelling) -> None:
    if "tracked" not in modelling.made:
        pytest.skip("MLflow 2 has no logged models")
    path = f"logged-models/{modelling.made['tracked']['deleted']}"
    assert modelling.api.refused("GET", path) == (404, "RESOURCE_DOES_NOT_EXIST")
