"""Seconds that MLflow's own client takes with each server."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable

from bench import environments, names
from bench.results import Results, Row, Unit
from bench.servers import Server

SETTINGS = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


def measure(servers: Iterable[Server], calls: int, rounds: int, results: Results) -> None:
    """Run the training loop and autolog against each server; adds a row of medians for both.

    Raises `SystemExit` with the client's words if it fails.
    """
    asked = [
        {"name": each.name, "uri": each.uri, "token": each.forge.token if each.forge else ""}
        for each in servers
    ]
    finished = subprocess.run(
        [sys.executable, "-m", "bench.training"],
        input=json.dumps({"servers": asked, "calls": calls, "rounds": rounds}),
        capture_output=True,
        text=True,
        cwd=environments.ROOT,
        env={**os.environ, **SETTINGS},
    )
    if finished.returncode != 0:
        raise SystemExit(f"the client failed:\n{finished.stderr[-3000:]}")
    found = json.loads(finished.stdout.splitlines()[-1])
    for what, name in (("loop", names.LOOP.format(calls)), ("autolog", names.AUTOLOG)):
        medians = {server: statistics.median(taken) for server, taken in found[what].items()}
        results.rows.append(Row(name, Unit.SECONDS, medians))
