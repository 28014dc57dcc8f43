"""Where a version's files may be: in this project, and nowhere else in the world."""

from __future__ import annotations

import pytest

from tests.contract.registry import INVALID, MISSING, make_version, place, register, version
from tests.factories import Api, Forge

NOBODY = "f" * 32


@pytest.fixture
def api(forge: Forge) -> Api:
    """A developer's API, with the registered model `churn`."""
    api = forge.developer()
    register(api)
    return api


def log_model(api: Api, run_id: str = "") -> str:
    """A logged model; its id."""
    body = {"experiment_id": "0", "name": "model", "source_run_id": run_id}
    made = api.post("logged-models", **body)
    model_id: str = made["model"]["info"]["model_id"]
    return model_id


def refused(api: Api, source: str, **said: str) -> tuple[int, str]:
    """How a version of this source is refused."""
    body = {"name": "churn", "source": source, **said}
    return api.refused("POST", "model-versions/create", json=body)


def test_files_of_a_run_are_found_by_either_address(api: Api) -> None:
    run_id = api.create_run()
    root = f"mlflow-artifacts:/0/{run_id}/artifacts"
    for source in (f"runs:/{run_id}/a/model", f"{root}/a/model", f"{root}/a/./model/"):
        made = make_version(api, source=source)
        assert (made["source"], made["run_id"]) == (source, run_id)
        assert place(api, int(made["version"])) == f"{root}/a/model"


def test_a_logged_model_is_found_by_either_address(api: Api) -> None:
    run_id = api.create_run()
    model_id = log_model(api, run_id)
    root = f"mlflow-artifacts:/models/{model_id}/artifacts"
    for source in (f"models:/{model_id}", root, f"{root}/part"):
        made = make_version(api, source=source, model_id=model_id)
        assert made["run_id"] == run_id
        assert place(api, int(made["version"])).startswith(root)
    tags = {
        tag["key"]: tag["value"]
        for tag in api.get(f"logged-models/{model_id}")["model"]["info"]["tags"]
    }
    assert '{"name": "churn", "version": 3}' in tags["mlflow.modelVersions"]


def test_another_versions_files_are_taken_over_without_a_chain(api: Api) -> None:
    first = make_version(api)
    register(api, "loyalty")
    for source in ("models:/churn/1", "models:/churn/latest", "models:/churn/none"):
        copy = make_version(api, "loyalty", source)
        assert (copy["source"], copy["run_id"]) == ("models:/churn/1", first["run_id"])
    api.post("registered-models/alias", name="loyalty", alias="best", version="2")
    copy = make_version(api, "loyalty", "models:/loyalty@best")
    assert copy["source"] == "models:/loyalty/2"
    api.call("DELETE", "registered-models/delete", json={"name": "churn"})
    assert place(api, 4, "loyalty") == f"mlflow-artifacts:/0/{first['run_id']}/artifacts/model"


@pytest.mark.parametrize(
    "source",
    [
        "file:///etc/passwd",
        "/etc/passwd",
        "model",
        "s3://bucket/model",
        "http://169.254.169.254/latest",
        "https://example.com/api/2.0/mlflow-artifacts/artifacts/0/x/artifacts",
        "dbfs:/model",
        "mlflow-artifacts://elsewhere:80/0/x/artifacts",
        "mlflow-artifacts:/",
        "mlflow-artifacts:/../../etc",
        "mlflow-artifacts:/0/%2e%2e/x",
        "mlflow-artifacts:/elsewhere",
        f"mlflow-artifacts:/0/{NOBODY}/artifacts",
        f"mlflow-artifacts:/models/m-{NOBODY}/artifacts",
        f"runs:/{NOBODY}/model",
        "runs:/",
        "runs://profile@databricks/x",
        f"models:/m-{NOBODY}",
        "models:/a/b/c",
        "models:/@alias",
        "models:/churn/",
        "models:/churn@nobody",
        "models:/churn/Staging",
        "models:/churn/Limbo",
        "dummy-source",
        "runs:/" + "x" * 5000,
    ],
)
def test_an_address_of_elsewhere_is_refused(api: Api, source: str) -> None:
    assert refused(api, source) == INVALID
    assert make_version(api)["version"] == "1"


def test_files_of_another_project_are_not_there(forge: Forge, api: Api) -> None:
    other = forge.developer()
    register(other)
    run_id = other.create_run()
    model_id = log_model(other)
    made = make_version(other, source=f"runs:/{run_id}/model")
    assert made["version"] == "1"
    for source in (
        f"runs:/{run_id}/model",
        f"mlflow-artifacts:/0/{run_id}/artifacts/model",
        f"models:/{model_id}",
        f"mlflow-artifacts:/models/{model_id}/artifacts",
    ):
        assert refused(api, source) == INVALID
    assert refused(api, "models:/churn/1") == MISSING


def test_what_is_deleted_is_no_source(api: Api) -> None:
    run_id, model_id = api.create_run(), log_model(api)
    api.post("runs/delete", run_id=run_id)
    api.call("DELETE", f"logged-models/{model_id}", json={})
    assert refused(api, f"runs:/{run_id}/model") == INVALID
    assert refused(api, f"models:/{model_id}") == INVALID


def test_a_run_or_logged_model_that_is_not_the_sources_is_refused(api: Api) -> None:
    run_id, other = api.create_run(), api.create_run()
    made, alone = log_model(api, run_id), log_model(api)
    assert refused(api, f"runs:/{run_id}/model", run_id=other) == INVALID
    assert refused(api, f"runs:/{run_id}/model", model_id=made) == INVALID
    assert refused(api, f"models:/{made}", run_id=other) == INVALID
    assert refused(api, f"models:/{made}", model_id=alone) == INVALID
    assert refused(api, f"models:/{alone}", run_id=NOBODY) == INVALID
    # Nothing contradicts this one: the model was logged outside of any run.
    assert make_version(api, source=f"models:/{alone}", run_id=other)["run_id"] == other


def test_a_prompt_has_no_files(api: Api) -> None:
    tag = {"key": "mlflow.prompt.is_prompt", "value": "true"}
    register(api, "greet", tags=[tag])
    made = make_version(api, "greet", "dummy-source", tags=[tag])
    assert (made["source"], made["run_id"]) == ("dummy-source", "")
    assert place(api, 1, "greet") == "dummy-source"
    body = {"name": "greet", "source": f"runs:/{api.create_run()}/x", "tags": [tag]}
    assert api.refused("POST", "model-versions/create", json=body) == INVALID
    assert refused(api, "models:/greet/1") == INVALID


def test_a_version_stays_when_its_run_goes_to_the_trash(api: Api) -> None:
    run_id = make_version(api)["run_id"]
    api.post("runs/delete", run_id=run_id)
    assert version(api, 1)["run_id"] == run_id
