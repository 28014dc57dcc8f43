"""The stock MLflow clients, each run by the Python of its own environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CLIENTS = ("MLflow 3", "MLflow 2")
HERE = Path(__file__).parent
LIMIT = 300

# A data scientist sets two variables. These keep a test quick and off the internet: a refusal
# that the client takes for a passing fault shows at once instead of after minutes.
QUIET = {
    "PATH": "/usr/bin:/bin",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "PYTHONWARNINGS": "ignore",
}


def interpreter(client: str) -> str:
    """The Python that has this client."""
    if client == "MLflow 3":
        return sys.executable
    python = os.environ.get("MLFLOW2_PYTHON", "")
    if not Path(python).is_file():
        pytest.fail(
            "MLFLOW2_PYTHON must be the Python of an environment with MLflow 2 "
            f"(tests/client/requirements-mlflow2.txt); it is {python!r}. `make test` makes one."
        )
    return python


def run(
    client: str, *command: str, uri: str, token: str | None, folder: Path, stdin: str = ""
) -> str:
    """Run Python with these arguments as a data scientist would; what it printed.

    Fails with all it said if it did not end well.
    """
    environment = {**QUIET, "HOME": str(folder), "MLFLOW_TRACKING_URI": uri}
    if token is not None:
        environment["MLFLOW_TRACKING_TOKEN"] = token
    done = subprocess.run(
        [interpreter(client), *command],
        env=environment,
        cwd=folder,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if done.returncode != 0 or " ERROR " in done.stderr:
        pytest.fail(f"{client}, {' '.join(command)}:\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}")
    return done.stdout


def run_script(
    client: str,
    name: str,
    *arguments: str,
    uri: str,
    token: str | None,
    folder: Path,
    stdin: str = "",
) -> Any:
    """Run a script of this folder; the JSON in its last line."""
    script = str(HERE / name)
    printed = run(client, script, *arguments, uri=uri, token=token, folder=folder, stdin=stdin)
    return json.loads(printed.splitlines()[-1])
