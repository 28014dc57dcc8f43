"""Values by MLflow's rules, with MLflow's words when a rule is broken.

The rules are those of `mlflow.utils.validation` and of protocol buffers' JSON: int64 as number or
string, floats also as "NaN", "Infinity" and "-Infinity", absent strings equal to empty ones.
"""

from __future__ import annotations

import json
import math
import posixpath
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from marshmallow import ValidationError

from gitlab_mlops.services.points import Point

MAX_METRICS = 1000
MAX_PARAMS = 100
MAX_TAGS = 100
MAX_KEY = 250
MAX_PARAM_VALUE = 6000
MAX_TAG_VALUE = 8000
MAX_EXPERIMENT_NAME = 500
MAX_EXPERIMENT_TAG_VALUE = 20000
MAX_DATASET_NAME = 500
MAX_DATASET_DIGEST = 36

INT64 = range(-(2**63), 2**63)
_KEY = re.compile(r"[/\w.\- :]*\Z")
_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}\Z")
_WHOLE = re.compile(r"-?[0-9]{1,19}\Z")
_KEY_CHARACTERS = (
    "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), "
    "colon(:) and slashes (/)."
)


def missing(path: str) -> ValidationError:
    """MLflow's words for a required value that is not there."""
    return ValidationError(f"Missing value for required parameter '{path}'.")


def invalid(path: str, value: Any, why: str = "") -> ValidationError:
    """MLflow's words for a value that breaks a rule; a long value is shortened."""
    shown = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    if len(shown) > 200:
        shown = shown[:200] + "..."
    tail = f": {why}" if why else "."
    return ValidationError(f"Invalid value {shown} for parameter '{path}' supplied{tail}")


def to_text(value: Any, path: str) -> str:
    """A string; raise `ValidationError` for anything else."""
    if not isinstance(value, str):
        raise invalid(path, value, "It must be a string.")
    return value


def to_key(value: Any, path: str) -> str:
    """The name of a metric, parameter or tag, by `_validate_metric_name` and its siblings."""
    if value is None or value == "":
        raise missing(path)
    key = to_text(value, path)
    if why := wrong_with_key(key):
        raise invalid(path, key, why)
    return key


# A training loop sends the same few names for ever.
@lru_cache(maxsize=4096)
def wrong_with_key(key: str) -> str:
    """Why a text cannot be the name of a metric, parameter or tag; empty if it can."""
    if len(key) > MAX_KEY:
        return f"It exceeds the maximum length of {MAX_KEY} characters"
    if not _KEY.match(key):
        return _KEY_CHARACTERS
    normal = posixpath.normpath(key)
    if normal != key or normal == "." or normal.startswith(("..", "/")):
        return f"It must be a plain relative path; as a file name it would be {normal!r}."
    return ""


def is_run_id(text: str) -> bool:
    """Whether a run id has the form that MLflow demands where it checks one."""
    return _RUN_ID.match(text) is not None


def to_int64(value: Any, path: str) -> int:
    """An int64, given as a number without a fraction or as a string of digits."""
    if (isinstance(value, str) and _WHOLE.match(value)) or (
        isinstance(value, float) and value.is_integer()
    ):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value not in INT64:
        raise invalid(path, value, "It must be a 64-bit integer.")
    return value


def to_double(value: Any, path: str) -> float:
    """A double, given as a number or a string, NaN and the infinities included."""
    if isinstance(value, str):
        value = _parse_double(value, path)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise invalid(path, value, "Please specify value as a valid double (64-bit floating point)")
    return float(value)


def _parse_double(text: str, path: str) -> float:
    try:
        # float() also reads underscores and blanks, which no JSON number has.
        number = float(text) if text.strip() == text and "_" not in text else None
    except ValueError:
        number = None
    if number is None:
        raise invalid(path, text, "Please specify value as a valid double (64-bit floating point)")
    return number


def to_enum(value: Any, numbers: dict[int, str], default: str) -> str:
    """An enum's name from its name or number; an unknown one counts as absent, as with MLflow."""
    if isinstance(value, int):
        return numbers.get(value, default)
    return value if isinstance(value, str) and value in numbers.values() else default


def to_page_size(largest: int) -> Callable[[Any, str], int]:
    """A converter for `max_results`: from 1 to `largest`."""

    def convert(value: Any, path: str) -> int:
        size = to_int64(value, path)
        if size < 1:
            raise invalid(path, size, "It must be a positive integer")
        if size > largest:
            raise invalid(path, size, f"It must be at most {largest}")
        return size

    return convert


def from_double(value: float) -> float | str:
    """A double for JSON, which has no literal for NaN and the infinities."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def to_object(value: Any, path: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise invalid(path, value, "It must be an object.")
    return value


def to_param(item: Any, path: str = "") -> tuple[str, str]:
    """A parameter as (key, value); a value that is too long is cut, as MLflow does."""
    return _to_pair(item, path, MAX_PARAM_VALUE)


def to_tag(item: Any, path: str = "") -> tuple[str, str]:
    """A candidate's tag as (key, value); a value that is too long is cut, as MLflow does."""
    return _to_pair(item, path, MAX_TAG_VALUE)


def to_param_value(value: Any, path: str) -> str:
    """The value of a parameter; one that is too long is cut, as MLflow does."""
    return to_text(value, path)[:MAX_PARAM_VALUE]


def to_start_tag(item: Any, path: str = "") -> tuple[str, str]:
    """A tag given when a run starts: MLflow checks no characters and cuts no value here."""
    pair = to_object(item, path)
    key = to_text(pair.get("key") or "", f"{path}.key")
    if not key:
        raise missing(f"{path}.key")
    if len(key) > MAX_KEY:
        raise invalid(f"{path}.key", key, f"It exceeds the maximum length of {MAX_KEY} characters")
    value = pair.get("value")
    return key, "" if value is None else to_text(value, f"{path}.value")


def _to_pair(item: Any, path: str, limit: int) -> tuple[str, str]:
    pair = to_object(item, path)
    key = to_key(pair.get("key"), f"{path}.key")
    value = pair.get("value")
    return key, "" if value is None else to_text(value, f"{path}.value")[:limit]


def to_experiment_tag(item: Any, path: str = "") -> tuple[str, str]:
    """An experiment's tag as (key, value); a value that is too long is refused."""
    pair = to_object(item, path)
    key = to_key(pair.get("key"), f"{path}.key")
    value = pair.get("value")
    return key, to_experiment_tag_value("" if value is None else value, f"{path}.value")


def to_experiment_tag_value(value: Any, path: str) -> str:
    """The value of an experiment's tag."""
    text = to_text(value, path)
    if len(text) > MAX_EXPERIMENT_TAG_VALUE:
        raise ValidationError(
            f"'{path}' exceeds the maximum length of {MAX_EXPERIMENT_TAG_VALUE} characters"
        )
    return text


def to_point(item: Any, path: str = "") -> Point:
    """A metric point of a batch."""
    point = to_object(item, path)
    value, timestamp = point.get("value"), point.get("timestamp")
    key = to_key(point.get("key"), f"{path}.key")
    if value is None or value == "":
        raise missing(f"{path}.value")
    if timestamp is None or timestamp == "":
        raise missing(f"{path}.timestamp")
    plain = Point(
        key,
        to_double(value, f"{path}.value"),
        to_timestamp(timestamp, f"{path}.timestamp"),
        to_int64(point.get("step") or 0, f"{path}.step"),
    )
    if point.get("model_id") or point.get("dataset_name") or point.get("dataset_digest"):
        return _with_model(plain, point, path)
    return plain


def _with_model(plain: Point, point: dict[str, Any], path: str) -> Point:
    name = to_dataset_name(point.get("dataset_name") or "", f"{path}.dataset_name")
    digest = to_digest(point.get("dataset_digest") or "", f"{path}.dataset_digest")
    check_dataset(name, digest)
    model_id = to_text(point.get("model_id") or "", f"{path}.model_id")
    return plain._replace(model_id=model_id, dataset_name=name, dataset_digest=digest)


def check_dataset(name: str, digest: str) -> None:
    """Raise `ValidationError` if only one of them is said of a point."""
    if bool(name) != bool(digest):
        raise ValidationError(
            "Both dataset_name and dataset_digest must be provided if one is provided"
        )


def to_dataset_name(value: Any, path: str) -> str:
    """The name of a dataset, or an empty text."""
    return to_limited(value, path, MAX_DATASET_NAME)


def to_digest(value: Any, path: str) -> str:
    """The digest of a dataset, or an empty text."""
    return to_limited(value, path, MAX_DATASET_DIGEST)


def to_limited(value: Any, path: str, limit: int) -> str:
    """A text of at most `limit` characters, or an empty one."""
    text = to_text(value, path)
    if len(text) > limit:
        raise ValidationError(f"'{path}' exceeds the maximum length of {limit} characters")
    return text


def to_timestamp(value: Any, path: str) -> int:
    """A metric's time in milliseconds since 1970, not negative."""
    timestamp = to_int64(value, path)
    if timestamp < 0:
        raise invalid(path, timestamp, "Timestamp must be a nonnegative long (64-bit integer)")
    return timestamp
