"""Runs the trainings, each a process that knows an address and a token, a few at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from demo.errors import DemoError
from demo.training import SETTINGS

ROOT = Path(__file__).parents[1]
AT_ONCE = 3


@dataclass(frozen=True)
class Training:
    """One module of this package that trains, and as whom it logs."""

    module: str
    token: str
    user: str
    environment: Mapping[str, str]
    """What CI says to its job; nothing where a person trains."""
    arguments: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called in logs."""
        return "-".join([self.module, *self.arguments])

    def start(self, tracking_uri: str, log: Path) -> subprocess.Popen[bytes]:
        """Start it; its output goes into the log."""
        clean = {
            key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "CI"))
        }
        own = {"MLFLOW_TRACKING_URI": tracking_uri, "MLFLOW_TRACKING_TOKEN": self.token}
        with log.open("wb") as output:
            return subprocess.Popen(
                [sys.executable, "-m", f"gallery.{self.module}", *self.arguments],
                cwd=ROOT,
                # MLflow believes the variable about who trains.
                env={**clean, **SETTINGS, **own, **self.environment, "LOGNAME": self.user},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )


class Trainings:
    """Trainings that run; when one fails or we are interrupted, the others end."""

    def __init__(self, tracking_uri: str, logs: Path) -> None:
        self.tracking_uri, self.logs = tracking_uri, logs
        self.lock = threading.Lock()
        self.started: list[subprocess.Popen[bytes]] = []
        self.given_up = False

    def run(self, trainings: Iterable[Training]) -> None:
        """Run them all; raises `DemoError` with the last words of one that failed."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            waiting = [pool.submit(self._run, each) for each in trainings]
            try:
                for each in as_completed(waiting):
                    each.result()
            except BaseException:
                self._give_up()
                raise

    def _run(self, training: Training) -> None:
        log = self.logs / f"{training.name}.log"
        with self.lock:
            if self.given_up:
                return
            process = training.start(self.tracking_uri, log)
            self.started.append(process)
        if process.wait() != 0 and not self.given_up:
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise DemoError(f"The training {training.name} failed:\n{tail}")
        print(f"  {training.name} done", flush=True)

    def _give_up(self) -> None:
        with self.lock:
            self.given_up = True
            for process in self.started:
                if process.poll() is None:
                    process.terminate()
