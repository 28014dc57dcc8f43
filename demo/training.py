"""Runs `train.py` with the stock MLflow client: it gets an address and a token, nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.errors import DemoError

SCRIPT = Path(__file__).with_name("train.py")
SETTINGS = {
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # The matrices are small: threads would only wait for each other.
    "OMP_NUM_THREADS": "1",
}
ORDER = ["metrics.accuracy DESC", "metrics.loss ASC"]


@dataclass(frozen=True)
class Training:
    """One data set, trained on in one project."""

    data: str
    tracking_uri: str
    token: str
    epochs: int
    log: Path

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the script beside the block, and wait for it at the end of the block.

        Raises `DemoError` with its last words if it failed, and ends it if the block fails.
        """
        with self.log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, str(SCRIPT), "--data", self.data, "--epochs", str(self.epochs)],
                env={**_environment(), **self._target()},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
            try:
                yield
                failed = process.wait() != 0
            finally:
                _end(process)
        if failed:
            tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-20:])
            raise DemoError(f"The training on {self.data} failed:\n{tail}")

    def _target(self) -> dict[str, str]:
        return {"MLFLOW_TRACKING_URI": self.tracking_uri, "MLFLOW_TRACKING_TOKEN": self.token}


def best_runs(tracking_uri: str, token: str, data: str) -> list[dict[str, Any]]:
    """The finished runs on a data set, the best first, as the tracking API gives them."""
    found = _call(
        tracking_uri, token, "experiments/search", filter=f"name = '{data}'", max_results=1
    )
    ids = [each["experiment_id"] for each in found.get("experiments", [])]
    if not ids:
        return []
    query = {"filter": "attributes.status = 'FINISHED'", "order_by": ORDER}
    runs: list[dict[str, Any]] = _call(
        tracking_uri, token, "runs/search", experiment_ids=ids, **query
    ).get("runs", [])
    return runs


def _environment() -> dict[str, str]:
    """Ours, without what MLflow's client would take from it."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}
    return {**clean, **SETTINGS}


def _call(tracking_uri: str, token: str, path: str, **body: Any) -> dict[str, Any]:
    request = urllib.request.Request(
        f"{tracking_uri}/api/2.0/mlflow/{path}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        answer: dict[str, Any] = json.load(response)
    return answer


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        process.wait()
