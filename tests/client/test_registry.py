"""The stock clients, MLflow 3 and MLflow 2, register, promote and load models and prompts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask

from tests.client import clients
from tests.factories import Api, Forge


@dataclass(frozen=True)
class Registry:
    """A project in which the script has run."""

    client: str
    api: Api
    made: dict[str, Any]

    def version(self, name: str, version: int) -> dict[str, Any]:
        """A version as the server has it."""
        found = self.api.get("model-versions/get", name=name, version=str(version))
        answer: dict[str, Any] = found["model_version"]
        return answer


@pytest.fixture(scope="module", params=clients.CLIENTS)
def registry(
    request: pytest.FixtureRequest,
    app: Flask,
    live_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Registry:
    """Run the script, with nothing but the project's address and a token."""
    forge = Forge(app)
    project_id = forge.project()
    token = forge.token(forge.member(project_id, "developer"))
    api = forge.api(project_id, token)
    made = clients.run_script(
        request.param, "registering.py",
        uri=live_url + api.base, token=token, folder=tmp_path_factory.mktemp("scientist"),
    )  # fmt: skip
    return Registry(request.param, api, made)


def test_versions_know_their_runs(registry: Registry) -> None:
    assert registry.version("churn", 1)["run_id"] == registry.made["first"]
    assert registry.version("churn", 2)["run_id"] == registry.made["second"]


def test_a_version_is_where_its_client_keeps_models(registry: Registry) -> None:
    uri = registry.api.get("model-versions/get-download-uri", name="churn", version="1")
    folder = {"MLflow 3": "models/m-", "MLflow 2": "1/"}[registry.client]
    assert uri["artifact_uri"].startswith(f"mlflow-artifacts:/{folder}")


def test_the_semantic_version_is_a_tag(registry: Registry) -> None:
    tags = {tag["key"]: tag["value"] for tag in registry.version("churn", 1)["tags"]}
    assert tags == {"gitlab.version": "1.0.0", "checked": "yes"}


def test_the_alias_is_where_the_script_left_it(registry: Registry) -> None:
    model = registry.api.get("registered-models/get", name="churn")["registered_model"]
    assert model["aliases"] == [{"alias": "champion", "version": "2"}]
    assert model["description"] == "# Churn"


def test_a_prompt_is_a_version_without_files(registry: Registry) -> None:
    prompt = registry.version("greet", 1)
    assert prompt["source"] in ("dummy-source", "prompt-template")
    assert {"key": "mlflow.prompt.text", "value": "Hello {{name}}!"} in prompt["tags"]
