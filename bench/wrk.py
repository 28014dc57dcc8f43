"""Drives a server with wrk, and reads what wrk says."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlsplit

from bench.operations import RUN, UNIQUE, Operation
from bench.seeds import CLIENTS, Seeds
from bench.servers import Server

SCRIPT = """
local n = 0
local runs = {%(runs)s}
request = function()
  n = n + 1
  local body = %(body)s
  if body then
    body = body:gsub("@", string.format("%%d", n + %(first)d)):gsub("#", runs[n %% #runs + 1])
  end
  return wrk.format("%(method)s", "%(path)s", %(headers)s, body)
end
done = function(summary, latency, requests)
  local e = summary.errors
  local bad = e.status + e.connect + e.read + e.write + e.timeout
  io.write(string.format("GOOD %%d\\nBAD %%d\\n", summary.requests - e.status, bad))
  io.write(string.format("SECONDS %%f\\n", summary.duration / 1e6))
  io.write(string.format("MEDIAN %%f\\n", latency:percentile(50) / 1e6))
end
"""
_numbers = count(1)


@dataclass(frozen=True)
class Speed:
    """What a load showed: good answers per second, the median of their durations in seconds, and
    which part of the requests failed (an answer that is not 2xx, or none).
    """

    rate: float
    median: float
    failed: float


def parsed(output: str) -> Speed:
    """What the script wrote at its end; raises `SystemExit` if nothing went well."""
    found = {name: float(value) for name, value in re.findall(r"^([A-Z]+) (\S+)$", output, re.M)}
    if not found.get("GOOD"):
        raise SystemExit(f"wrk got no good answer:\n{output}")
    good, bad = found["GOOD"], found["BAD"]
    return Speed(good / found["SECONDS"], found["MEDIAN"], bad / (good + bad))


def probe(seeds: Seeds, operation: Operation) -> tuple[Any, float]:
    """Ask once; the essence of the answer, and the seconds it took."""
    server = seeds.server
    path, body = operation.filled(seeds)
    if body is not None:
        body = body.replace(UNIQUE, str(next(_numbers))).replace(RUN, seeds["run0"])
    request = urllib.request.Request(
        f"{server.uri}/api/2.0/mlflow/{path}",
        data=None if body is None else body.encode(),
        method=operation.method,
        headers=_headers(server),
    )
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=300) as response:
        content = response.read()
    seconds = time.perf_counter() - began
    answer = json.loads(content)
    return answer if server.is_floor else operation.essence(answer), seconds


def drive(
    seeds: Seeds, operation: Operation, seconds: float, *, clients: int = CLIENTS
) -> Speed:  # fmt: skip
    """Ask for some seconds; raises `SystemExit` if there is no good answer at all."""
    server = seeds.server
    parts = urlsplit(server.uri)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(_script(seeds, operation))
        file.flush()
        command = [
            "wrk", "-t", "1", "-c", str(clients), "-d", f"{max(1, round(seconds))}s",
            "--timeout", "120s", "-s", file.name, f"{parts.scheme}://{parts.netloc}",
        ]  # fmt: skip
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return parsed(output)


def _script(seeds: Seeds, operation: Operation) -> str:
    path, body = operation.filled(seeds)
    headers = ", ".join(f'["{key}"]="{value}"' for key, value in _headers(seeds.server).items())
    return SCRIPT % {
        "runs": ", ".join(f'"{run}"' for run in seeds.runs()),
        "body": "nil" if body is None else f"[==[{body}]==]",
        # No load asks for a million, so no two loads send the same number.
        "first": next(_numbers) * 1_000_000,
        "method": operation.method,
        "path": f"{urlsplit(seeds.server.uri).path}/api/2.0/mlflow/{path}",
        "headers": f"{{{headers}}}",
    }


def _headers(server: Server) -> dict[str, str]:
    return {**server.headers, "Content-Type": "application/json"}
