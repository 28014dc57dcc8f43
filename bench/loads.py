"""What is asked of each server: the operations, and wrk that asks."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from bench.servers import Server

CONNECTIONS = 8
RUNS = 1000

# `@` in a body becomes a number that no other request has.
SCRIPT = """
local threads = 0
function setup(thread) thread:set("id", threads); threads = threads + 1 end
local n = 0
request = function()
  n = n + 1
  local body = %(body)s
  if body then body = body:gsub("@", string.format("%%d", id * 10000000 + n + %(offset)d)) end
  return wrk.format("%(method)s", "%(path)s", %(headers)s, body)
end
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("BAD %%d\\n", e.status + e.connect + e.read + e.write + e.timeout))
end
"""


@dataclass(frozen=True)
class Operation:
    """One kind of request; `{run}` and `{experiment}` stand for what was seeded."""

    name: str
    method: str
    path: str
    body: dict[str, Any] | None = None


def _metrics(count: int) -> list[dict[str, Any]]:
    return [{"key": f"b{i}", "value": i, "timestamp": "@", "step": "@"} for i in range(count)]


RUN = {"run_id": "{run}"}
SEARCH = {
    "experiment_ids": ["{experiment}"],
    "filter": "metrics.m3 > 0.5 and params.p3 = '3'",
    "order_by": ["metrics.m1 DESC"],
    "max_results": 100,
}
OPERATIONS = [
    Operation("runs/create", "POST", "runs/create", {"experiment_id": "{experiment}"}),
    Operation(
        "runs/log-metric",
        "POST",
        "runs/log-metric",
        {**RUN, "key": "m", "value": 0.5, "timestamp": "@", "step": "@"},
    ),
    Operation(
        "runs/log-parameter", "POST", "runs/log-parameter", {**RUN, "key": "p@", "value": "v"}
    ),
    Operation("log-batch of 100", "POST", "runs/log-batch", {**RUN, "metrics": _metrics(100)}),
    Operation("log-batch of 1000", "POST", "runs/log-batch", {**RUN, "metrics": _metrics(1000)}),
    Operation("runs/get", "GET", "runs/get?run_id={seeded}"),
    Operation("runs/search, 100 of 1000", "POST", "runs/search", SEARCH),
    Operation("get-history of 10000", "GET", "metrics/get-history?run_id={long}&metric_key=long"),
]


def call(server: Server, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """One request; its JSON."""
    request = urllib.request.Request(
        f"{server.uri}/api/2.0/mlflow/{path}",
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={**server.headers, "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.loads(response.read())


def seed(server: Server) -> dict[str, str]:
    """A thousand runs of 10 metrics x 3 steps, 20 parameters and 5 tags, and a long history."""
    experiment = call(server, "POST", "experiments/create", {"name": "bench"})["experiment_id"]
    runs = [_seed_run(server, experiment, number) for number in range(RUNS)]
    long = _create(server, experiment)
    for start in range(0, 10_000, 1000):
        points = [
            {"key": "long", "value": step / 7, "timestamp": step, "step": step}
            for step in range(start, start + 1000)
        ]
        call(server, "POST", "runs/log-batch", {"run_id": long, "metrics": points})
    other = call(server, "POST", "experiments/create", {"name": "load"})["experiment_id"]
    return {
        "experiment": experiment, "seeded": runs[0], "long": long, "run": _create(server, other)
    }  # fmt: skip


def _create(server: Server, experiment: str) -> str:
    body = {"experiment_id": experiment, "start_time": 1}
    run_id: str = call(server, "POST", "runs/create", body)["run"]["info"]["run_id"]
    return run_id


def _seed_run(server: Server, experiment: str, number: int) -> str:
    run_id = _create(server, experiment)
    metrics = [
        {"key": f"m{i}", "value": (number * (i + 1) % 997) / 997, "timestamp": step, "step": step}
        for i in range(10)
        for step in range(3)
    ]
    params = [{"key": f"p{i}", "value": str(number % 4 if i == 3 else i)} for i in range(20)]
    tags = [{"key": f"t{i}", "value": str(i)} for i in range(5)]
    body = {"run_id": run_id, "metrics": metrics, "params": params, "tags": tags}
    call(server, "POST", "runs/log-batch", body)
    return run_id


def rate(
    server: Server, operation: Operation, names: dict[str, str], seconds: int, offset: int
) -> float:
    """Requests per second of one operation; raises `SystemExit` if any failed."""
    path = _filled(operation.path, names)
    body = None if operation.body is None else _filled(json.dumps(operation.body), names)
    # Numbers, not strings, where only a number is unique.
    body = body and body.replace('"@"', "@")
    headers = {**server.headers, "Content-Type": "application/json"}
    script = SCRIPT % {
        "body": "nil" if body is None else f"[==[{body}]==]",
        "offset": offset,
        "method": operation.method,
        "path": f"{urlsplit(server.uri).path}/api/2.0/mlflow/{path}",
        "headers": "{" + ", ".join(f'["{k}"]="{v}"' for k, v in headers.items()) + "}",
    }
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        parts = urlsplit(server.uri)
        command = [
            "wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--timeout", "60s",
            "-s", file.name, f"{parts.scheme}://{parts.netloc}",
        ]  # fmt: skip
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if re.search(r"^BAD 0$", output, re.M) is None:
        raise SystemExit(f"{server.name}: {operation.name} failed:\n{output}")
    found = re.search(r"Requests/sec:\s+([0-9.]+)", output)
    return float(found[1]) if found else 0.0


def _filled(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return text
