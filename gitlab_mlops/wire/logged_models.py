"""Logged models on the wire: `mlflow.protos.service_pb2.LoggedModel` and its requests."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError

from gitlab_mlops.errors import Invalid
from gitlab_mlops.models import LoggedModelStatus
from gitlab_mlops.services.expressions import Entity, Order
from gitlab_mlops.services.logged_models.records import LoggedModelRecord, ModelPoint
from gitlab_mlops.services.logged_models.search import ModelOrder, OnDataset
from gitlab_mlops.services.search import MAX_EXPERIMENTS
from gitlab_mlops.wire.experiments import to_iid
from gitlab_mlops.wire.fields import Repeated, Value
from gitlab_mlops.wire.grammar import LOGGED_MODELS
from gitlab_mlops.wire.order import MAX_ORDERS
from gitlab_mlops.wire.schema import Request
from gitlab_mlops.wire.values import (
    from_double,
    invalid,
    missing,
    to_dataset_name,
    to_digest,
    to_int64,
    to_object,
    to_page_size,
    to_text,
)

MAX_NAME = 500
MAX_KEY = 255
MAX_VALUE = 100_000
MAX_PAIRS = 1000  # parameters or tags of one request
MAX_RESULTS = 1000
DEFAULT_RESULTS = 50
MAX_DATASETS = 100
STATUS_NAMES = {
    LoggedModelStatus.UNSPECIFIED: "LOGGED_MODEL_STATUS_UNSPECIFIED",
    LoggedModelStatus.PENDING: "LOGGED_MODEL_PENDING",
    LoggedModelStatus.READY: "LOGGED_MODEL_READY",
    LoggedModelStatus.FAILED: "LOGGED_MODEL_UPLOAD_FAILED",
}
_STATUSES = {name: status for status, name in STATUS_NAMES.items()}
_BAD_IN_NAMES = re.compile(r"[/:.%\"']")


def to_name(value: Any, path: str) -> str:
    """The name of a model; empty for one that the server makes up."""
    name = to_limited(value, path)
    if _BAD_IN_NAMES.search(name):
        raise ValidationError(
            f"Invalid model name ({name[:100]!r}) provided. Model name must be a non-empty string "
            "and cannot contain the following characters: / : . % \" '"
        )
    return name


def to_limited(value: Any, path: str) -> str:
    """A text of at most 500 characters."""
    text = to_text(value, path)
    if len(text) > MAX_NAME:
        raise ValidationError(f"'{path}' exceeds the maximum length of {MAX_NAME} characters")
    return text


def to_pair(item: Any, path: str) -> tuple[str, str]:
    """A parameter or tag as (key, value). MLflow checks no characters of these keys."""
    pair = to_object(item, path)
    key = to_text(pair.get("key") or "", f"{path}.key")
    if not key:
        raise missing(f"{path}.key")
    if len(key) > MAX_KEY:
        raise invalid(f"{path}.key", key, f"It exceeds the maximum length of {MAX_KEY} characters")
    value = to_text(pair.get("value") or "", f"{path}.value")
    if len(value) > MAX_VALUE:
        raise ValidationError(f"'{path}.value' exceeds the limit of {MAX_VALUE} characters")
    return key, value


def to_status(value: Any, path: str) -> LoggedModelStatus:
    """A LoggedModelStatus, by its name or its number."""
    if isinstance(value, str) and value in _STATUSES:
        return _STATUSES[value]
    try:
        return LoggedModelStatus(to_int64(value, path))
    except (ValueError, ValidationError):
        raise invalid(path, value, f"It must be one of {', '.join(_STATUSES)}.") from None


def to_dataset(item: Any, path: str) -> OnDataset:
    """A dataset that metrics are meant on; its name is required."""
    given = to_object(item, path)
    dataset = _dataset(given, path)
    if dataset is None:
        raise ValidationError("`dataset_name` in the `datasets` clause must be specified.")
    return dataset


def to_order(item: Any, path: str) -> Order:
    """An OrderBy: a field, its direction, and for a metric perhaps a dataset."""
    given = to_object(item, path)
    ascending = given.get("ascending")
    if ascending not in (None, True, False):
        raise invalid(f"{path}.ascending", ascending, "It must be true or false.")
    name = to_text(given.get("field_name") or "", f"{path}.field_name")
    if not name:
        raise missing(f"{path}.field_name")
    entity, key = _ordered_by(name)
    return ModelOrder(entity, key, ascending is False, _dataset(given, path))


def _ordered_by(name: str) -> tuple[Entity, str]:
    """A field's entity and what services call it. The name is as it is, without quotes."""
    prefix, _, key = name.partition(".")
    if prefix == "metrics" and key:
        return "metric", key
    if name not in LOGGED_MODELS.order_attributes:
        raise Invalid(
            f"Invalid order by field name: {name[:100]}. Order by metrics.<key> or by one of "
            f"{', '.join(sorted(LOGGED_MODELS.order_attributes))}."
        )
    return "attribute", LOGGED_MODELS.column("attribute", name)


def _dataset(given: dict[str, Any], path: str) -> OnDataset | None:
    name = to_dataset_name(given.get("dataset_name") or "", f"{path}.dataset_name")
    digest = to_digest(given.get("dataset_digest") or "", f"{path}.dataset_digest")
    return OnDataset(name, digest) if name else None


class Create(Request):
    """POST logged-models."""

    experiment_iid = Value(to_iid, data_key="experiment_id", required=True)
    name = Value(to_name, load_default="")
    model_type = Value(to_limited, load_default="")
    source_eid = Value(to_limited, data_key="source_run_id", load_default="")
    params = Repeated(to_pair, limit=MAX_PAIRS)
    tags = Repeated(to_pair, limit=MAX_PAIRS)


class Named(Request):
    """A request whose body may repeat the id that its path has."""

    repeated_id = Value(to_text, data_key="model_id", load_default="")


class Finalize(Named):
    """PATCH logged-models/<id>."""

    status = Value(to_status, required=True)


class LogParams(Named):
    """POST logged-models/<id>/params."""

    params = Repeated(to_pair, limit=MAX_PAIRS)


class SetTags(Named):
    """PATCH logged-models/<id>/tags."""

    tags = Repeated(to_pair, limit=MAX_PAIRS)


def to_flag(value: Any, path: str) -> bool:
    """A flag of a query: `true` in any letters, everything else is false, as with MLflow."""
    return to_text(value, path).lower() == "true"


def to_size(value: Any, path: str) -> int:
    """How many models a page may have; who wants more than the most goes on to the next page."""
    size = min(to_int64(value, path), MAX_RESULTS)
    return to_page_size(MAX_RESULTS)(size, path) if size else DEFAULT_RESULTS


class Get(Request):
    """GET logged-models/<id>."""

    deleted = Value(to_flag, data_key="allow_deleted", load_default=False)


class ListFolder(Request):
    """GET logged-models/<id>/artifacts/directories. There is one page."""

    path = Value(to_text, data_key="artifact_directory_path", load_default="")


class Search(Request):
    """POST logged-models/search."""

    experiment_iids = Repeated(
        to_iid, data_key="experiment_ids", limit=MAX_EXPERIMENTS, required=True
    )
    filter = Value(to_text, load_default="")
    datasets = Repeated(to_dataset, limit=MAX_DATASETS)
    max_results = Value(to_size, load_default=DEFAULT_RESULTS)
    order = Repeated(to_order, data_key="order_by", limit=MAX_ORDERS)
    page_token = Value(to_text, load_default="")


def check_same(model_id: str, repeated_id: str) -> None:
    """Raise `Invalid` if the body of a request names another model than its path."""
    if repeated_id not in ("", model_id):
        raise Invalid(f"The body names the model {repeated_id[:100]}, the path {model_id[:100]}.")


def artifact_uri(record: LoggedModelRecord) -> str:
    """Where the model's files are, relative to whatever tracking URI the client uses."""
    return f"mlflow-artifacts:/models/{record.model_id}/artifacts"


def model(record: LoggedModelRecord) -> dict[str, Any]:
    """MLflow's LoggedModel: what is empty is left out, as in protocol buffers' JSON."""
    data: dict[str, Any] = {}
    if record.params:
        data["params"] = _pairs(record.params)
    if record.metrics:
        data["metrics"] = [_metric(record, point) for point in record.metrics]
    return {"info": _info(record), "data": data}


def _info(record: LoggedModelRecord) -> dict[str, Any]:
    info = {
        "model_id": record.model_id,
        "experiment_id": str(record.experiment_iid),
        "name": record.name,
        "creation_timestamp_ms": record.created_at,
        "last_updated_timestamp_ms": record.updated_at,
        "artifact_uri": artifact_uri(record),
        "status": STATUS_NAMES[LoggedModelStatus(record.status)],
        "model_type": record.model_type,
        "source_run_id": record.source_eid,
    }
    return {**info, "tags": _pairs(record.tags)} if record.tags else info


def _metric(record: LoggedModelRecord, point: ModelPoint) -> dict[str, Any]:
    """MLflow's Metric, of a model."""
    metric = {
        "key": point.key,
        "value": from_double(point.value),
        "timestamp": point.timestamp,
        "step": point.step,
    }
    if point.dataset_name:
        metric["dataset_name"] = point.dataset_name
    if point.dataset_digest:
        metric["dataset_digest"] = point.dataset_digest
    return {**metric, "model_id": record.model_id, "run_id": point.eid}


def _pairs(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in pairs]
