"""Short ways to register models through MLflow's API, for the tests of the registry."""

from __future__ import annotations

from typing import Any

from tests.factories import Api

INVALID = (400, "INVALID_PARAMETER_VALUE")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")
TAKEN = (400, "RESOURCE_ALREADY_EXISTS")
FORBIDDEN = (403, "PERMISSION_DENIED")


def register(api: Api, name: str = "churn", **fields: Any) -> str:
    """A registered model; its name."""
    api.post("registered-models/create", name=name, **fields)
    return name


def make_version(api: Api, name: str = "churn", source: str = "", **fields: Any) -> dict[str, Any]:
    """A version, by default of a run of its own; as answered."""
    source = source or f"runs:/{api.create_run()}/model"
    made = api.post("model-versions/create", name=name, source=source, **fields)
    version: dict[str, Any] = made["model_version"]
    return version


def version(api: Api, number: int, name: str = "churn") -> dict[str, Any]:
    """A version as answered."""
    found = api.get("model-versions/get", name=name, version=str(number))
    answer: dict[str, Any] = found["model_version"]
    return answer


def model(api: Api, name: str = "churn") -> dict[str, Any]:
    """A registered model as answered."""
    found: dict[str, Any] = api.get("registered-models/get", name=name)["registered_model"]
    return found


def place(api: Api, number: int, name: str = "churn") -> str:
    """Where the files of a version are."""
    answer = api.get("model-versions/get-download-uri", name=name, version=str(number))
    uri: str = answer["artifact_uri"]
    return uri


def set_alias(api: Api, alias: str, number: int, name: str = "churn") -> None:
    """Set or move an alias."""
    api.post("registered-models/alias", name=name, alias=alias, version=str(number))


def names(api: Api, **query: Any) -> list[str]:
    """The names of the models that a search finds."""
    found = api.get("registered-models/search", **query)
    return [each["name"] for each in found.get("registered_models", [])]


def numbers(api: Api, **query: Any) -> list[str]:
    """Names and numbers of the versions that a search finds."""
    found = api.get("model-versions/search", **query)
    return [f"{each['name']}/{each['version']}" for each in found.get("model_versions", [])]
