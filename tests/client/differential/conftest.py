"""A stock MLflow server beside ours, started once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from .call import Scenario
from .replay import Replay, Target, replay

STARTING = 120

# The worker that runs jobs takes as long to start as the server, and no call needs it.
ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


@pytest.fixture(scope="session")
def stock_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    if not newest_mlflow():
        pytest.skip("the whole of MLflow 3 is needed, to be the server to compare with")
    folder = tmp_path_factory.mktemp("stock")
    port = free_port()
    with open(folder / "log.txt", "wb") as log:
        process = subprocess.Popen(
            command(folder, port),
            cwd=folder,
            env={**os.environ, **ENVIRONMENT},
            stdout=log,
            stderr=subprocess.STDOUT,
            # Its workers are ended with it, by the id of its own process group.
            start_new_session=True,
        )
    try:
        target = Target(f"http://127.0.0.1:{port}")
        wait_for(target, process, folder / "log.txt")
        yield target
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture(scope="session")
def stock_answers(stock_server: Target) -> Callable[[Scenario], Replay]:
    """What stock answers to a scenario, asked once however many databases ours has."""
    known: dict[str, Replay] = {}

    def answers(scenario: Scenario) -> Replay:
        if scenario.name not in known:
            known[scenario.name] = replay(scenario, stock_server)
        return known[scenario.name]

    return answers


def newest_mlflow() -> bool:
    try:
        return int(version("mlflow").split(".")[0]) >= 3
    except PackageNotFoundError:
        return False


def command(folder: Path, port: int) -> list[str]:
    options = {
        "--backend-store-uri": f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination": f"{folder}/artifacts",
        "--host": "127.0.0.1",
        "--port": str(port),
        "--workers": "1",
    }
    flat = [word for option in options.items() for word in option]
    return [sys.executable, "-m", "mlflow", "server", "--serve-artifacts", *flat]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(target: Target, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + STARTING
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{target.tracking_uri}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"The stock server did not start:\n{log.read_text()[-3000:]}")
