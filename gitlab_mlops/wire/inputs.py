"""Datasets and models of a run on the wire: log-inputs, outputs, log-model, search-datasets."""

from __future__ import annotations

import json
from typing import Any

from marshmallow import ValidationError

from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.records import DatasetInput
from gitlab_mlops.wire.experiments import to_iid
from gitlab_mlops.wire.fields import Repeated, Value
from gitlab_mlops.wire.runs import ById
from gitlab_mlops.wire.schema import Request
from gitlab_mlops.wire.values import (
    MAX_DATASET_DIGEST,
    MAX_DATASET_NAME,
    invalid,
    missing,
    to_int64,
    to_object,
    to_text,
)

# From `mlflow.utils.validation`; lengths in characters.
MAX_DATASET = {
    "name": MAX_DATASET_NAME,
    "digest": MAX_DATASET_DIGEST,
    "source": 65_535,
    "schema": 1_048_575,
    "profile": 16_777_215,
}
MAX_SOURCE_TYPE = 36
MAX_TAG_KEY = 255
MAX_TAG_VALUE = 500
MAX_MODEL_ID = 50
MAX_EXPERIMENTS = 20
MAX_ITEMS = 1000  # datasets or models of one request
MAX_INPUT_TAGS = 100
MAX_MODEL_SUMMARY = 20_000
MODEL_FIELDS = ("artifact_path", "flavors", "utc_time_created", "run_id")


def to_dataset_input(item: Any, path: str) -> DatasetInput:
    """A DatasetInput: a dataset with the tags of its use."""
    given = to_object(item, path)
    dataset = to_object(given.get("dataset") or {}, f"{path}.dataset")
    texts = {name: _limited(dataset, name, f"{path}.dataset", size) for name, size in _SIZES}
    for name in ("name", "digest", "source_type", "source"):
        if not texts[name]:
            raise missing(f"{path}.dataset.{name}")
    tags = given.get("tags") or []
    if not isinstance(tags, list):
        raise invalid(f"{path}.tags", tags, "It must be a list.")
    if len(tags) > MAX_INPUT_TAGS:
        raise ValidationError(f"'{path}.tags' has {len(tags)} tags; at most {MAX_INPUT_TAGS}.")
    pairs = [_to_input_tag(tag, f"{path}.tags[{index}]") for index, tag in enumerate(tags)]
    if len(dict(pairs)) != len(pairs):
        raise invalid(f"{path}.tags", tags, "A tag key is given more than once.")
    return DatasetInput(**texts, tags=pairs)


_SIZES = (*MAX_DATASET.items(), ("source_type", MAX_SOURCE_TYPE))


def _limited(given: dict[str, Any], name: str, path: str, size: int) -> Any:
    value = given.get(name)
    if value is None:
        return None
    text = to_text(value, f"{path}.{name}")
    if len(text) > size:
        raise ValidationError(f"'{path}.{name}' exceeds the maximum length of {size} characters")
    return text


def _to_input_tag(item: Any, path: str) -> tuple[str, str]:
    tag = to_object(item, path)
    key = _limited(tag, "key", path, MAX_TAG_KEY)
    if not key:
        raise missing(f"{path}.key")
    return key, _limited(tag, "value", path, MAX_TAG_VALUE) or ""


def to_model_id(item: Any, path: str) -> str:
    """The id of a LoggedModelInput."""
    model_id = to_text(to_object(item, path).get("model_id") or "", f"{path}.model_id")
    if not model_id:
        raise missing(f"{path}.model_id")
    if len(model_id) > MAX_MODEL_ID:
        raise invalid(f"{path}.model_id", model_id, "No logged model has an ID this long.")
    return model_id


def to_model_output(item: Any, path: str) -> tuple[str, int]:
    """A LoggedModelOutput as (model id, step)."""
    return to_model_id(item, path), to_int64(item.get("step") or 0, f"{path}.step")


def to_model_info(value: Any, path: str) -> dict[str, Any]:
    """The content of an `MLmodel` file as JSON, of which MLflow keeps a summary in a tag."""
    text = to_text(value, path)
    try:
        model = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        model = None
    if not isinstance(model, dict):
        raise ValidationError(f"Malformed model info. {text[:200]!r} is not a valid JSON object.")
    if lacking := [name for name in MODEL_FIELDS if name not in model]:
        raise ValidationError(f"Model json is missing mandatory fields: {', '.join(lacking)}")
    return model


def _refuse_constant(literal: str) -> None:
    """NaN and Infinity are no JSON, and would make the tag none."""
    raise ValueError(literal)


def model_summary(model: dict[str, Any]) -> dict[str, Any]:
    """What MLflow keeps of a model in the run's tag (`Model.get_tags_dict`): no flavor's config.

    Raises `Invalid` for one so large that it cannot be a summary.
    """
    summary = _summary(model)
    if len(json.dumps(summary)) > MAX_MODEL_SUMMARY:
        raise Invalid(f"The model's flavors have over {MAX_MODEL_SUMMARY} characters.")
    return summary


def _summary(model: dict[str, Any]) -> dict[str, Any]:
    flavors = model["flavors"] if isinstance(model["flavors"], dict) else {}
    kept = ("run_id", "artifact_path", "utc_time_created", "model_uuid")
    return {
        **{name: model.get(name) for name in kept},
        "flavors": {
            name: {key: value for key, value in config.items() if key != "config"}
            if isinstance(config, dict)
            else config
            for name, config in flavors.items()
        },
    }


class LogInputs(ById):
    """runs/log-inputs."""

    datasets = Repeated(to_dataset_input, limit=MAX_ITEMS)
    models = Repeated(to_model_id, limit=MAX_ITEMS)


class LogOutputs(ById):
    """runs/outputs."""

    models = Repeated(to_model_output, limit=MAX_ITEMS, required=True)


class LogModel(ById):
    """runs/log-model, sent by MLflow 2 after it logged a model's files."""

    model = Value(to_model_info, data_key="model_json", required=True)


class SearchDatasets(Request):
    """experiments/search-datasets."""

    experiment_ids = Repeated(to_iid, limit=MAX_EXPERIMENTS, required=True, filled=True)


def dataset_summary(iid: int, name: str, digest: str, context: str | None) -> dict[str, str]:
    """MLflow's DatasetSummary."""
    summary = {"experiment_id": str(iid), "name": name, "digest": digest}
    return summary if context is None else {**summary, "context": context}
