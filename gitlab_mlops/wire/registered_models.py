"""Registered models on the wire: `mlflow.protos.model_registry_pb2.RegisteredModel`."""

from __future__ import annotations

from typing import Any

from gitlab_mlops.services.registry.records import ModelRecord
from gitlab_mlops.wire.fields import Repeated, Value
from gitlab_mlops.wire.model_versions import model_version, pairs
from gitlab_mlops.wire.registry_values import (
    to_alias,
    to_description,
    to_model_name,
    to_new_alias,
    to_registry_tag,
    to_registry_value,
    to_version,
)
from gitlab_mlops.wire.schema import Request
from gitlab_mlops.wire.values import to_key, to_page_size, to_text

MAX_RESULTS = 1000
DEFAULT_RESULTS = 100


class ByName(Request):
    """A request that names a registered model."""

    name = Value(to_model_name, required=True)


class Create(ByName):
    """registered-models/create; of a tag that comes twice, the last value counts."""

    tags = Repeated(to_registry_tag)
    description = Value(to_description, load_default="")


class Update(ByName):
    """registered-models/update; without a description it is removed, as in MLflow."""

    description = Value(to_description, load_default="")


class Rename(ByName):
    """registered-models/rename."""

    new_name = Value(to_model_name, required=True)


class Latest(ByName):
    """registered-models/get-latest-versions."""

    stages = Repeated(to_text)


class Search(Request):
    """registered-models/search."""

    filter = Value(to_text, load_default="")
    max_results = Value(to_page_size(MAX_RESULTS), load_default=DEFAULT_RESULTS)
    order_by = Repeated(to_text)
    page_token = Value(to_text, load_default="")


class SetTag(ByName):
    """registered-models/set-tag."""

    key = Value(to_key, required=True)
    value = Value(to_registry_value, load_default="")


class DeleteTag(ByName):
    """registered-models/delete-tag."""

    key = Value(to_key, required=True)


class ByAlias(ByName):
    """registered-models/alias, GET and DELETE."""

    alias = Value(to_alias, required=True)


class SetAlias(ByName):
    """registered-models/alias, POST."""

    alias = Value(to_new_alias, required=True)
    version = Value(to_version, required=True)


def registered_model(record: ModelRecord) -> dict[str, Any]:
    """MLflow's RegisteredModel: what is empty is left out, as in protocol buffers' JSON."""
    answer: dict[str, Any] = {
        "name": record.name,
        "creation_timestamp": record.created_at,
        "last_updated_timestamp": record.updated_at,
    }
    if record.description:
        answer["description"] = record.description
    if record.latest:
        answer["latest_versions"] = [model_version(version) for version in record.latest]
    if record.tags:
        answer["tags"] = pairs(record.tags)
    if record.aliases:
        answer["aliases"] = [
            {"alias": alias, "version": str(version)} for alias, version in record.aliases
        ]
    return answer
