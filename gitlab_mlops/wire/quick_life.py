"""The requests with which runs begin and end, read by hand if they are plainly valid.

What they load is what the schemas of `wire/runs.py` and `wire/experiments.py` load. Everything
else, wrong or only unusual, gives None, as in `quick_logging`.
"""

from __future__ import annotations

from typing import Any

from gitlab_mlops.models import Status
from gitlab_mlops.wire.values import MAX_EXPERIMENT_NAME, MAX_KEY

Json = dict[str, Any]
LAST = 2**63 - 1
MAX_DIGITS = 9
"""Fewer than a column of numbers can hold, so that no number of so many digits is too large."""
STATUSES = dict(Status.__members__)


def create_run(data: Json) -> Json | None:
    """runs/create."""
    iid = _iid(data.get("experiment_id"))
    name = data.get("run_name", "")
    user_id = data.get("user_id", "")
    start_time = data.get("start_time", 0)
    tags = _start_tags(data.get("tags", []))
    if not (
        iid is not None
        and tags is not None
        and type(name) is type(user_id) is str
        and _is_int64(start_time)
    ):
        return None
    return {
        "experiment_iid": iid,
        "name": name,
        "user_id": user_id,
        "start_time": start_time,
        "tags": tags,
    }


def update_run(data: Json) -> Json | None:
    """runs/update with a status and an end, as clients end a run."""
    run_id = data.get("run_id")
    status = data.get("status")
    end_time = data.get("end_time")
    name = data.get("run_name")
    if not (
        type(run_id) is type(status) is str
        and run_id
        and (name is None or type(name) is str)
        and status in STATUSES
        and _is_int64(end_time)
    ):
        return None
    return {"run_id": run_id, "status": STATUSES[status], "end_time": end_time, "name": name}


def delete_tag(data: Json) -> Json | None:
    """runs/delete-tag."""
    run_id = data.get("run_id")
    key = data.get("key")
    if type(run_id) is type(key) is str and run_id and key:
        return {"run_id": run_id, "key": key}
    return None


def create_experiment(data: Json) -> Json | None:
    """experiments/create without tags."""
    name = data.get("name")
    if type(name) is str and 0 < len(name) <= MAX_EXPERIMENT_NAME and data.get("tags", []) == []:
        return {"name": name, "tags": []}
    return None


def experiment_by_id(data: Json) -> Json | None:
    """experiments/get, and what else names an experiment only."""
    iid = _iid(data.get("experiment_id"))
    return None if iid is None else {"experiment_id": iid}


def experiment_by_name(data: Json) -> Json | None:
    """experiments/get-by-name."""
    name = data.get("experiment_name")
    return {"experiment_name": name} if type(name) is str and name else None


def _iid(value: Any) -> int | None:
    if type(value) is str and len(value) <= MAX_DIGITS and value.isascii() and value.isdigit():
        return int(value)
    return None


def _is_int64(value: Any) -> bool:
    return type(value) is int and -LAST <= value <= LAST


def _start_tags(items: Any) -> list[tuple[str, str]] | None:
    if type(items) is not list:
        return None
    pairs = []
    for item in items:
        if type(item) is not dict:
            return None
        key = item.get("key")
        value = item.get("value", "")
        if not (type(key) is type(value) is str and 0 < len(key) <= MAX_KEY):
            return None
        pairs.append((key, value))
    return pairs
