"""The requests that every server is asked, and what is the same in everybody's answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench import names
from bench.seeds import HISTORY, Scale, Seeds

UNIQUE = "@"
"""In a body: a number that no other request has."""
RUN = "#"
"""In a body: the candidate of the client that asks."""


@dataclass(frozen=True)
class Operation:
    """One kind of request; `{small}` and the like stand for ids of what was seeded.

    `essence` picks out of an answer what must be equal on every server.
    """

    name: str
    method: str
    path: str
    essence: Callable[[Any], Any]
    body: dict[str, Any] | None = None
    floor: bool = False

    def filled(self, seeds: Seeds) -> tuple[str, str | None]:
        """Path and body, but for what differs from request to request."""
        # Numbers, not strings, where only a number is unique.
        path = _fill(self.path, seeds)
        if self.body is None:
            return path, None
        return path, _fill(json.dumps(self.body).replace(f'"{UNIQUE}"', UNIQUE), seeds)


def _fill(text: str, seeds: Seeds) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: seeds[found[1]], text)


def _nothing(answer: Any) -> Any:
    return answer


def _status(answer: Any) -> Any:
    return answer["run"]["info"]["status"]


def _data(answer: Any) -> Any:
    """Metrics and parameters of a candidate. Tags differ: each server adds some of its own."""
    data = answer["run"]["data"]
    metrics = sorted((each["key"], each["value"], each["step"]) for each in data["metrics"])
    return metrics, sorted((each["key"], each["value"]) for each in data["params"])


def _found(answer: Any) -> Any:
    """Which candidates, in which order, but for those of the same value."""
    runs = answer["runs"]
    values = [
        next(each["value"] for each in run["data"]["metrics"] if each["key"] == "m1")
        for run in runs
    ]  # fmt: skip
    return values, [len(run["data"]["params"]) for run in runs]


def _points(answer: Any) -> Any:
    return [(each["step"], each["value"]) for each in answer["metrics"]]


POINT = {"key": "m", "value": 0.5, "timestamp": UNIQUE, "step": UNIQUE}
PARAM = {"run_id": RUN, "key": f"p{UNIQUE}", "value": "v"}
START = {"experiment_id": "{load}", "start_time": UNIQUE}
PAGE = f"metrics/get-history?run_id={{long}}&metric_key={HISTORY}"


def search_small() -> Operation:
    """A search by a metric and a parameter, ordered by another metric."""
    return _search(names.SEARCH.format(1000), "{small}")


def search_large(scale: Scale) -> Operation:
    """The same search in the large experiment."""
    return _search(names.SEARCH.format(scale.candidates), "{large}")


def operations(scale: Scale) -> list[Operation]:
    """What is driven by wrk, in the order of the table."""
    return [
        Operation(names.CREATE, "POST", "runs/create", _status, START),
        _log_metric(names.LOG_METRIC, {"run_id": RUN, **POINT}, floor=True),
        Operation(names.LOG_PARAMETER, "POST", "runs/log-parameter", _nothing, PARAM),
        _batch(100),
        _batch(1000),
        Operation(names.GET, "GET", "runs/get?run_id={first}", _data, floor=True),
        search_small(),
        search_large(scale),
        Operation(names.HISTORY, "GET", PAGE, _points),
    ]


def logging_into(points: int, run: str) -> Operation:
    """Log points of the long histories' metric into one candidate, which has so many."""
    return _log_metric(names.LOG_TIME.format(points), {"run_id": run, **POINT, "key": HISTORY})


def _log_metric(name: str, body: dict[str, Any], *, floor: bool = False) -> Operation:
    return Operation(name, "POST", "runs/log-metric", _nothing, body, floor=floor)


def _batch(count: int) -> Operation:
    metrics = [
        {"key": f"b{i}", "value": i, "timestamp": UNIQUE, "step": UNIQUE} for i in range(count)
    ]  # fmt: skip
    body = {"run_id": RUN, "metrics": metrics}
    return Operation(names.LOG_BATCH.format(count), "POST", "runs/log-batch", _nothing, body)


def _search(name: str, experiment: str) -> Operation:
    body = {
        "experiment_ids": [experiment],
        "filter": "metrics.m3 > 0.5 and params.p3 = '3'",
        "order_by": ["metrics.m1 DESC"],
        "max_results": 100,
    }
    return Operation(name, "POST", "runs/search", _found, body)
