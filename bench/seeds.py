"""What a server holds before it is driven, made when an operation first needs it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bench.bulk import Batch, add_candidates, add_history
from bench.servers import Server

CLIENTS = 8
"""Who asks at once; each logs to a candidate of its own."""
HISTORY = "curve"
"""The metric of the long histories."""


@dataclass(frozen=True)
class Scale:
    """How much there is: candidates of the large experiment, points of the longest history; and
    how often a training calls `log_metric`.
    """

    candidates: int = 100_000
    points: int = 1_000_000
    calls: int = 1000


def call(server: Server, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """One request of MLflow's API; its JSON. Raises `HTTPError` for any answer but 200."""
    request = urllib.request.Request(
        f"{server.uri}/api/2.0/mlflow/{path}",
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={**server.headers, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.loads(response.read())


class Seeds(dict[str, str]):
    """Ids of what was seeded, by name; what has not been asked for is not there yet."""

    def __init__(self, server: Server, scale: Scale) -> None:
        super().__init__()
        self.server = server
        self.scale = scale

    def __missing__(self, name: str) -> str:
        """Make it, and keep its id."""
        if self.server.is_floor:
            self[name] = "0" * 32
        else:
            self[name] = _MAKERS[name](self)
        return self[name]

    def runs(self) -> list[str]:
        """A candidate for each client."""
        return [self[f"run{number}"] for number in range(CLIENTS)]


def new_run(server: Server, experiment: str) -> str:
    """Begin a candidate; its id."""
    body = {"experiment_id": experiment, "start_time": 1}
    run_id: str = call(server, "POST", "runs/create", body)["run"]["info"]["run_id"]
    return run_id


def new_experiment(server: Server, name: str) -> str:
    """Make an experiment; its id."""
    made: str = call(server, "POST", "experiments/create", {"name": name})["experiment_id"]
    return made


def _run(seeds: Seeds) -> str:
    return new_run(seeds.server, seeds["load"])


def _batch(seeds: Seeds, name: str, count: int) -> str:
    experiment = new_experiment(seeds.server, name)
    # No server reads histories to search, so the many candidates have none.
    batch = Batch(name, experiment, count, steps=3 if count <= 1000 else 0)
    add_candidates(seeds.server, batch)
    return experiment


def _first(seeds: Seeds) -> str:
    return Batch("small", seeds["small"], 1).eid(1)


def _history(seeds: Seeds, points: int) -> str:
    run = new_run(seeds.server, seeds["load"])
    add_history(seeds.server, run, HISTORY, points)
    return run


_MAKERS: dict[str, Callable[[Seeds], str]] = {
    "load": lambda seeds: new_experiment(seeds.server, "load"),
    "small": lambda seeds: _batch(seeds, "small", 1000),
    "large": lambda seeds: _batch(seeds, "large", seeds.scale.candidates),
    "first": _first,
    "empty": _run,
    "long": lambda seeds: _history(seeds, 10_000),
    "longest": lambda seeds: _history(seeds, seeds.scale.points),
    **{f"run{number}": _run for number in range(CLIENTS)},
}
