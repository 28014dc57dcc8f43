"""Experiments on the wire: `mlflow.protos.service_pb2.Experiment` and its requests."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from gitlab_mlops.services.experiment_records import ExperimentRecord
from gitlab_mlops.wire import quick_life
from gitlab_mlops.wire.fields import Repeated, Value
from gitlab_mlops.wire.schema import Request
from gitlab_mlops.wire.values import (
    MAX_EXPERIMENT_NAME,
    to_enum,
    to_experiment_tag,
    to_experiment_tag_value,
    to_key,
    to_page_size,
    to_text,
)

MAX_RESULTS = 50_000
MAX_DIGITS = 20
VIEWS = {"ACTIVE_ONLY": "active", "DELETED_ONLY": "deleted", "ALL": "all"}
VIEW_NUMBERS = {1: "ACTIVE_ONLY", 2: "DELETED_ONLY", 3: "ALL"}


def to_name(value: Any, path: str) -> str:
    """An experiment's name; any characters, at most 500."""
    name = to_text(value, path)
    if len(name) > MAX_EXPERIMENT_NAME:
        raise ValidationError(
            f"'{path}' exceeds the maximum length of {MAX_EXPERIMENT_NAME} characters"
        )
    return name


def to_iid(value: Any, path: str) -> int:
    """An experiment id; MLflow's are numbers written as strings."""
    text = to_text(value, path)
    try:
        iid = int(text) if len(text) <= MAX_DIGITS else None
    except ValueError:
        iid = None
    if iid is None:
        raise ValidationError(
            f"Invalid experiment ID '{text[:64]}'. Experiment ID must be a valid integer."
        )
    # Out of the column's range nothing is found, and PostgreSQL would raise.
    return iid if abs(iid) < 2**31 else -1


def to_view(value: Any, path: str) -> str:
    """A ViewType; an unknown name counts as absent, as with MLflow."""
    return VIEWS[to_enum(value, VIEW_NUMBERS, "ACTIVE_ONLY")]


class ById(Request):
    """A request that names an experiment."""

    quick = staticmethod(quick_life.experiment_by_id)
    experiment_id = Value(to_iid, required=True)


class ByName(Request):
    """experiments/get-by-name."""

    quick = staticmethod(quick_life.experiment_by_name)
    experiment_name = Value(to_text, required=True)


class Create(Request):
    """experiments/create; `artifact_location` is accepted and not used."""

    quick = staticmethod(quick_life.create_experiment)
    name = Value(to_name, required=True)
    tags = Repeated(to_experiment_tag)


class Update(ById):
    """experiments/update."""

    new_name = Value(to_name, required=True)


class SetTag(ById):
    """experiments/set-experiment-tag."""

    key = Value(to_key, required=True)
    value = Value(to_experiment_tag_value, load_default="")


class DeleteTag(ById):
    """experiments/delete-experiment-tag."""

    key = Value(to_text, required=True)


class Search(Request):
    """experiments/search."""

    max_results = Value(to_page_size(MAX_RESULTS), required=True)
    page_token = Value(to_text, load_default="")
    filter = Value(to_text, load_default="")
    order_by = Repeated(to_text)
    view_type = Value(to_view, load_default="active")


def experiment(record: ExperimentRecord) -> dict[str, Any]:
    """MLflow's Experiment. The artifact location is ours, whatever a client asked for."""
    answer: dict[str, Any] = {
        "experiment_id": str(record.iid),
        "name": record.name,
        "artifact_location": f"mlflow-artifacts:/{record.iid}",
        "lifecycle_stage": "active" if record.deleted_at is None else "deleted",
        "last_update_time": record.updated_at,
        "creation_time": record.created_at,
    }
    if record.tags:
        answer["tags"] = [{"key": key, "value": value} for key, value in record.tags]
    return answer


def page(key: str, items: Any, token: str | None) -> dict[str, Any]:
    """A page of a list: as in protocol buffers' JSON, what is empty is left out."""
    answer: dict[str, Any] = {key: items} if items else {}
    if token:
        answer["next_page_token"] = token
    return answer
