"""The requests of training loops, read by hand if they are plainly valid.

What they load is what the schemas of `wire/runs.py` load. Everything else, wrong or only unusual,
gives None: the schemas know all that is allowed, and the words for what is not.
"""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from gitlab_mlops.services.points import Point
from gitlab_mlops.wire.values import (
    MAX_METRICS,
    MAX_PARAM_VALUE,
    MAX_PARAMS,
    MAX_TAG_VALUE,
    MAX_TAGS,
    is_run_id,
    wrong_with_key,
)

Json = dict[str, Any]
LAST = 2**63 - 1
# The client says the run twice, under the name of old servers too.
_POINT = frozenset(("run_id", "run_uuid", "key", "value", "timestamp", "step"))
_PAIR = frozenset(("run_id", "run_uuid", "key", "value"))
_BATCH = frozenset(("run_id", "metrics", "params", "tags"))
_point_of = itemgetter("key", "value", "timestamp", "step")
_pair_of = itemgetter("key", "value")


def log_metric(data: Json) -> Json | None:
    """runs/log-metric with a finite value and a step, and no logged model."""
    run_id = data.get("run_id")
    if not (type(run_id) is str and run_id and data.keys() <= _POINT):
        return None
    try:
        key, value, timestamp, step = _point_of(data)
    except KeyError:
        return None
    if not _is_point(key, value, timestamp, step):
        return None
    return {
        "run_id": run_id,
        "key": key,
        "value": float(value),
        "timestamp": timestamp,
        "step": step,
    }


def log_param(data: Json) -> Json | None:
    """runs/log-parameter."""
    return _log_pair(data, MAX_PARAM_VALUE)


def set_tag(data: Json) -> Json | None:
    """runs/set-tag."""
    return _log_pair(data, MAX_TAG_VALUE)


def log_batch(data: Json) -> Json | None:
    """runs/log-batch of finite values with steps, and no logged model."""
    run_id = data.get("run_id")
    if not (type(run_id) is str and is_run_id(run_id) and data.keys() <= _BATCH):
        return None
    metrics = _points(data.get("metrics", []))
    params = _pairs(data.get("params", []), MAX_PARAMS, MAX_PARAM_VALUE)
    tags = _pairs(data.get("tags", []), MAX_TAGS, MAX_TAG_VALUE)
    if metrics is None or params is None or tags is None:
        return None
    return {"run_id": run_id, "metrics": metrics, "params": params, "tags": tags}


def _log_pair(data: Json, limit: int) -> Json | None:
    key: Any = data.get("key")
    value: Any = data.get("value")
    run_id = data.get("run_id")
    if not (type(run_id) is str and run_id and data.keys() <= _PAIR and _is_pair(key, value)):
        return None
    return {"run_id": run_id, "key": key, "value": value[:limit]}


def _is_point(key: Any, value: Any, timestamp: Any, step: Any) -> bool:
    return (
        type(key) is str
        and (type(value) is float or type(value) is int)  # and no bool
        and type(timestamp) is int
        and type(step) is int
        and 0 <= timestamp <= LAST
        and -LAST <= step <= LAST
        and not wrong_with_key(key)
    )


def _is_pair(key: Any, value: Any) -> bool:
    return type(key) is str and type(value) is str and not wrong_with_key(key)


def _points(items: Any) -> list[Point] | None:
    if type(items) is not list or len(items) > MAX_METRICS:
        return None
    points = []
    for item in items:
        if type(item) is not dict or len(item) != 4:
            return None
        try:
            key, value, timestamp, step = _point_of(item)
        except KeyError:
            return None
        if not _is_point(key, value, timestamp, step):
            return None
        # Ten times as fast as a call of the class.
        points.append(tuple.__new__(Point, (key, float(value), timestamp, step, "", "", "")))
    return points


def _pairs(items: Any, most: int, limit: int) -> list[tuple[str, str]] | None:
    if type(items) is not list or len(items) > most:
        return None
    pairs = []
    for item in items:
        if type(item) is not dict or len(item) != 2:
            return None
        try:
            key, value = _pair_of(item)
        except KeyError:
            return None
        if not _is_pair(key, value):
            return None
        pairs.append((key, value[:limit]))
    return pairs
