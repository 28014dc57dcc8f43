"""Versions of registered models on the wire: `mlflow.protos.model_registry_pb2.ModelVersion`."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from gitlab_mlops.services.registry.records import VersionRecord
from gitlab_mlops.wire.fields import Repeated, Value
from gitlab_mlops.wire.registry_values import (
    to_description,
    to_link,
    to_model_name,
    to_registry_tag,
    to_registry_value,
    to_version,
)
from gitlab_mlops.wire.schema import Request
from gitlab_mlops.wire.sources import to_source
from gitlab_mlops.wire.values import invalid, to_key, to_page_size, to_text

MAX_RESULTS = 200_000
MAX_PAGE = 10_000
"""Versions in one answer; who wants more gets a page token with it."""


def to_bool(value: Any, path: str) -> bool:
    """A JSON boolean."""
    if not isinstance(value, bool):
        raise invalid(path, value, "It must be a boolean.")
    return value


def to_wanted(value: Any, path: str) -> int:
    """`max_results`, of which an answer has fewer if these are too many for one."""
    return min(to_page_size(MAX_RESULTS)(value, path), MAX_PAGE)


def to_id(value: Any, path: str) -> str:
    """The id of a run or logged model, to be looked up."""
    text = to_text(value, path)
    if len(text) > 256:
        raise ValidationError(f"'{path}' exceeds the maximum length of 256 characters")
    return text


class ByNumber(Request):
    """A request that names a version."""

    name = Value(to_model_name, required=True)
    version = Value(to_version, required=True)


class Create(Request):
    """model-versions/create; of a tag that comes twice, the last value counts."""

    name = Value(to_model_name, required=True)
    source = Value(to_source, required=True)
    run_id = Value(to_id, load_default="")
    model_id = Value(to_id, load_default="")
    tags = Repeated(to_registry_tag)
    description = Value(to_description, load_default="")
    run_link = Value(to_link, load_default="")


class Update(ByNumber):
    """model-versions/update; without a description it is removed, as in MLflow."""

    description = Value(to_description, load_default=None)


class Transition(ByNumber):
    """model-versions/transition-stage."""

    stage = Value(to_text, required=True)
    archive_existing_versions = Value(to_bool, load_default=False)


class Search(Request):
    """model-versions/search."""

    filter = Value(to_text, load_default="")
    max_results = Value(to_wanted, load_default=MAX_PAGE)
    order_by = Repeated(to_text)
    page_token = Value(to_text, load_default="")


class SetTag(ByNumber):
    """model-versions/set-tag."""

    key = Value(to_key, required=True)
    value = Value(to_registry_value, load_default="")


class DeleteTag(ByNumber):
    """model-versions/delete-tag."""

    key = Value(to_key, required=True)


def model_version(record: VersionRecord) -> dict[str, Any]:
    """MLflow's ModelVersion; these fields are there even if they are empty, as in MLflow."""
    answer: dict[str, Any] = {
        "name": record.name,
        "version": str(record.version),
        "creation_timestamp": record.created_at,
        "last_updated_timestamp": record.updated_at,
        "current_stage": record.stage,
        "source": record.source,
        "run_id": record.eid,
        "status": record.status,
        "run_link": record.run_link,
    }
    if record.description is not None:
        answer["description"] = record.description
    if record.status_message:
        answer["status_message"] = record.status_message
    if record.tags:
        answer["tags"] = pairs(record.tags)
    if record.aliases:
        answer["aliases"] = record.aliases
    return answer


def pairs(tags: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Tags as MLflow writes them."""
    return [{"key": key, "value": value} for key, value in tags]
