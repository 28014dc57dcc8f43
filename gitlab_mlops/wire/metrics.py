"""Metric histories on the wire: get-history, get-history-bulk and get-history-bulk-interval."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError
from orjson import Fragment

from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.history import History, Position
from gitlab_mlops.services.points import Point
from gitlab_mlops.wire import paging
from gitlab_mlops.wire.experiments import page
from gitlab_mlops.wire.fields import Repeated, Value
from gitlab_mlops.wire.runs import ByEitherId, metric
from gitlab_mlops.wire.schema import Request
from gitlab_mlops.wire.values import (
    from_double,
    invalid,
    to_double,
    to_int64,
    to_page_size,
    to_text,
)

MAX_RUNS = 100
MAX_BULK = 25_000
MAX_SAMPLE = 2500


def to_sample_size(value: Any, path: str) -> int:
    """How many points a sample may have."""
    size = to_int64(value, path)
    if not 1 <= size <= MAX_SAMPLE:
        raise invalid(path, size, f"{path} must be between 1 and {MAX_SAMPLE}.")
    return size


def to_bulk_size(value: Any, path: str) -> int:
    """How many points a bulk answer may have; more than the largest counts as the largest."""
    size = to_int64(value, path)
    return min(size, MAX_BULK) if size >= 0 else MAX_BULK


class GetHistory(ByEitherId):
    """metrics/get-history."""

    metric_key = Value(to_text, required=True)
    max_results = Value(to_page_size(2**31 - 2), load_default=None)
    page_token = Value(to_text, load_default="")


class GetHistoryBulk(Request):
    """metrics/get-history-bulk."""

    run_ids = Repeated(to_text, data_key="run_id", limit=MAX_RUNS, required=True, filled=True)
    metric_key = Value(to_text, required=True)
    max_results = Value(to_bulk_size, load_default=MAX_BULK)


class GetHistoryBulkInterval(Request):
    """metrics/get-history-bulk-interval."""

    run_ids = Repeated(to_text, limit=MAX_RUNS, required=True, filled=True)
    metric_key = Value(to_text, required=True)
    start_step = Value(to_int64, load_default=None)
    end_step = Value(to_int64, load_default=None)
    max_results = Value(to_sample_size, load_default=MAX_SAMPLE)


def step_range(start: int | None, end: int | None) -> tuple[int, int] | None:
    """Both ends of a range of steps, or None for all."""
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise Invalid("If either start step or end step are specified, both must be specified.")
    if start > end:
        raise Invalid(
            f"end_step must be greater than start_step. Found start_step={start} and "
            f"end_step={end}."
        )
    return start, end


def history(found: History) -> dict[str, Any]:
    """The answer to get-history."""
    points = found.points
    written = Fragment(points) if isinstance(points, str) else [metric(each) for each in points]
    return page("metrics", written, token(found.after) if found.after else None)


def token(after: Position) -> str:
    """The token of the page after a position."""
    timestamp, step, value = after
    return paging.encode({"after": [timestamp, step, from_double(value)]})


def position(page_token: str) -> Position | None:
    """Where a page starts; None for the first. Raises `Invalid` for what `token` did not make."""
    if not page_token:
        return None
    try:
        timestamp, step, value = paging.decode(page_token)["after"]
        return to_int64(timestamp, "after"), to_int64(step, "after"), to_double(value, "after")
    except (KeyError, TypeError, ValueError, ValidationError):
        raise Invalid("Invalid page token: send a next_page_token as it was received.") from None


def run_metric(eid: str, point: Point) -> dict[str, Any]:
    """MLflow's MetricWithRunId."""
    return {**metric(point), "run_id": eid}
