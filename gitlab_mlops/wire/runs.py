"""Runs on the wire: `mlflow.protos.service_pb2.Run` and its requests. Inside, a candidate."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, pre_load, validates_schema
from orjson import Fragment

from gitlab_mlops.errors import Invalid
from gitlab_mlops.models import Status
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.records import CandidateRecord, DatasetInput
from gitlab_mlops.services.search import MAX_EXPERIMENTS
from gitlab_mlops.services.written import WrittenCandidate
from gitlab_mlops.wire import quick_life, quick_logging
from gitlab_mlops.wire.experiments import to_iid, to_view
from gitlab_mlops.wire.fields import Repeated, Value
from gitlab_mlops.wire.schema import Request
from gitlab_mlops.wire.values import (
    MAX_METRICS,
    MAX_PARAMS,
    MAX_TAG_VALUE,
    MAX_TAGS,
    check_dataset,
    from_double,
    invalid,
    is_run_id,
    to_dataset_name,
    to_digest,
    to_double,
    to_int64,
    to_key,
    to_page_size,
    to_param,
    to_param_value,
    to_point,
    to_start_tag,
    to_tag,
    to_text,
    to_timestamp,
)

MAX_BATCH = 1000
MAX_RESULTS = 50_000
BATCH = "batch logging request"
STATUS_NUMBERS = {status.value: status.name for status in Status}


def to_status(value: Any, path: str) -> Status | None:
    """A RunStatus; an unknown name counts as absent, as with MLflow."""
    if isinstance(value, int) and value not in STATUS_NUMBERS:
        raise ValidationError(f"Unknown run status number {value} in '{path}'.")
    if isinstance(value, str):
        return Status[value] if value in Status.__members__ else None
    return Status(value) if isinstance(value, int) else None


def to_run_id(value: Any, path: str) -> str:
    """A run id in the form that MLflow demands where it checks one."""
    run_id = to_text(value, path)
    if not is_run_id(run_id):
        raise invalid(path, run_id, "It must be alphanumeric, with at most 256 characters.")
    return run_id


def to_tag_value(value: Any, path: str) -> str:
    """The value of a tag; one that is too long is cut, as MLflow does."""
    return to_text(value, path)[:MAX_TAG_VALUE]


class ById(Request):
    """A request that names a run."""

    run_id = Value(to_text, required=True)


class ByEitherId(ById):
    """A request that may name the run by `run_uuid`, the name of old clients, too."""

    @pre_load
    def _either(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if not data.get("run_id") and data.get("run_uuid"):
            return {**data, "run_id": data["run_uuid"]}
        return data


class Create(Request):
    """runs/create."""

    quick = staticmethod(quick_life.create_run)
    experiment_iid = Value(to_iid, data_key="experiment_id", required=True)
    name = Value(to_text, data_key="run_name", load_default="")
    user_id = Value(to_text, load_default="")
    start_time = Value(to_int64, load_default=0)
    tags = Repeated(to_start_tag)


class Update(ByEitherId):
    """runs/update."""

    quick = staticmethod(quick_life.update_run)
    status = Value(to_status, load_default=None)
    end_time = Value(to_int64, load_default=None)
    name = Value(to_text, data_key="run_name", load_default=None)


class LogMetric(ByEitherId):
    """runs/log-metric."""

    quick = staticmethod(quick_logging.log_metric)
    key = Value(to_key, required=True)
    value = Value(to_double, required=True)
    timestamp = Value(to_timestamp, required=True)
    step = Value(to_int64, load_default=0)
    model_id = Value(to_text, load_default="")
    dataset_name = Value(to_dataset_name, load_default="")
    dataset_digest = Value(to_digest, load_default="")

    @validates_schema
    def _whole_dataset(self, data: dict[str, Any], **_: Any) -> None:
        check_dataset(data["dataset_name"], data["dataset_digest"])


class LogParam(ByEitherId):
    """runs/log-parameter."""

    quick = staticmethod(quick_logging.log_param)
    key = Value(to_key, required=True)
    value = Value(to_param_value, load_default="")


class SetTag(ByEitherId):
    """runs/set-tag."""

    quick = staticmethod(quick_logging.set_tag)
    key = Value(to_key, required=True)
    value = Value(to_tag_value, load_default="")


class DeleteTag(ById):
    """runs/delete-tag."""

    quick = staticmethod(quick_life.delete_tag)
    key = Value(to_text, required=True)


class LogBatch(Request):
    """runs/log-batch."""

    quick = staticmethod(quick_logging.log_batch)
    run_id = Value(to_run_id, required=True)
    metrics = Repeated(to_point, limit=MAX_METRICS, request=BATCH)
    params = Repeated(to_param, limit=MAX_PARAMS, request=BATCH)
    tags = Repeated(to_tag, limit=MAX_TAGS, request=BATCH)


class Search(Request):
    """runs/search."""

    experiment_ids = Repeated(to_iid, limit=MAX_EXPERIMENTS)
    filter = Value(to_text, load_default="")
    view = Value(to_view, data_key="run_view_type", load_default="active")
    max_results = Value(to_page_size(MAX_RESULTS), load_default=1000)
    order_by = Repeated(to_text)
    page_token = Value(to_text, load_default="")


def check_batch(batch: dict[str, list[Any]]) -> None:
    """Raise `Invalid` if a batch as a whole is over MLflow's limit."""
    total = sum(map(len, batch.values()))
    if total > MAX_BATCH:
        raise Invalid(
            f"A batch logging request can contain at most {MAX_BATCH} metrics, params and tags "
            f"together. Got {total}. Please split them up across multiple requests and try again."
        )


def info(record: CandidateRecord | WrittenCandidate) -> dict[str, Any]:
    """MLflow's RunInfo. `artifact_uri` keeps the tracking URI's prefix, as the root would not."""
    answer: dict[str, Any] = {
        "run_uuid": record.eid,
        "experiment_id": str(record.experiment_iid),
        "run_name": record.name,
        "user_id": record.user_id,
        "status": STATUS_NUMBERS[record.status],
        "start_time": record.start_time or 0,
        "artifact_uri": artifact_uri(record),
        "lifecycle_stage": "active" if record.deleted_at is None else "deleted",
        "run_id": record.eid,
    }
    if record.end_time:
        answer["end_time"] = record.end_time
    return answer


def artifact_uri(record: CandidateRecord | WrittenCandidate) -> str:
    """Where the run's artifacts are, relative to whatever tracking URI the client uses."""
    return f"mlflow-artifacts:/{record.experiment_iid}/{record.eid}/artifacts"


def run(record: CandidateRecord | WrittenCandidate) -> dict[str, Any]:
    """MLflow's Run: what is empty is left out, as in protocol buffers' JSON."""
    if isinstance(record, WrittenCandidate):
        return _written_run(record)
    data: dict[str, Any] = {}
    if record.metrics:
        data["metrics"] = [metric(point) for point in record.metrics]
    if record.params:
        data["params"] = _pairs(record.params)
    if record.tags:
        data["tags"] = _pairs(record.tags)
    return {
        "info": info(record),
        "data": data,
        "inputs": _inputs(record),
        "outputs": _outputs(record),
    }


def _written_run(record: WrittenCandidate) -> dict[str, Any]:
    """As `run`; the database's objects have MLflow's names, and NaN is a text there, too."""
    data = {"metrics": record.metrics, "params": record.params, "tags": record.tags}
    inputs: dict[str, Any] = {}
    if record.datasets:
        inputs["dataset_inputs"] = [_dataset_input(used) for used in record.datasets]
    if record.used_models:
        inputs["model_inputs"] = Fragment(record.used_models)
    made = record.made_models
    return {
        "info": info(record),
        "data": {name: Fragment(text) for name, text in data.items() if text},
        "inputs": inputs,
        "outputs": {"model_outputs": Fragment(made)} if made else {},
    }


def new_run(record: CandidateRecord) -> dict[str, Any]:
    """MLflow's Run as it answers a create: there are no outputs yet."""
    answer = run(record)
    del answer["outputs"]
    return answer


def metric(point: Point) -> dict[str, Any]:
    """MLflow's Metric."""
    return {
        "key": point.key,
        "value": from_double(point.value),
        "timestamp": point.timestamp,
        "step": point.step,
    }


def _pairs(pairs: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in pairs]


def _inputs(record: CandidateRecord) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if record.datasets:
        answer["dataset_inputs"] = [_dataset_input(used) for used in record.datasets]
    if used_models := [link for link in record.models if link[0] == "input"]:
        answer["model_inputs"] = [{"model_id": model_id} for _, model_id, _ in used_models]
    return answer


def _outputs(record: CandidateRecord) -> dict[str, Any]:
    made = [link for link in record.models if link[0] == "output"]
    if not made:
        return {}
    return {"model_outputs": [{"model_id": model_id, "step": step} for _, model_id, step in made]}


def _dataset_input(used: DatasetInput) -> dict[str, Any]:
    dataset = {
        "name": used.name,
        "digest": used.digest,
        "source_type": used.source_type,
        "source": used.source,
    }
    if used.schema is not None:
        dataset["schema"] = used.schema
    if used.profile is not None:
        dataset["profile"] = used.profile
    return {"tags": _pairs(used.tags), "dataset": dataset} if used.tags else {"dataset": dataset}
