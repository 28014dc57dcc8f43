"""The folder that holds all of the demo: database, artifacts, logs, and `demo.env`."""

from __future__ import annotations

import fcntl
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from demo.errors import DemoError

DATABASE = "host_stub.sqlite3"
MADE = (
    DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "secret_key", "artifacts", "repositories",
    "demo.env",
)  # fmt: skip
ENVIRONMENT = """\
# What `make demo` made. `source` it, and MLflow's client logs to the demo's project.
export MLFLOW_TRACKING_URI={tracking_uri}
export MLFLOW_TRACKING_TOKEN={token}
# The project's page, and two who can sign in: its owner, and somebody who may only read it.
export DEMO_WEB_URL={web_url}
export DEMO_USER={user}
export DEMO_PASSWORD={password}
export DEMO_READER={reader}
export DEMO_READER_PASSWORD={reader_password}
"""
NAMES = {
    "MLFLOW_TRACKING_URI": "tracking_uri",
    "MLFLOW_TRACKING_TOKEN": "token",
    "DEMO_WEB_URL": "web_url",
    "DEMO_USER": "user",
    "DEMO_PASSWORD": "password",
    "DEMO_READER": "reader",
    "DEMO_READER_PASSWORD": "reader_password",
}


@dataclass(frozen=True)
class Keys:
    """How to get in: the content of `demo.env`."""

    tracking_uri: str
    token: str
    web_url: str
    user: str
    password: str
    reader: str
    reader_password: str

    def at(self, origin: str) -> Keys:
        """The same for a forge that is served at another address."""
        moved = {
            name: urlsplit(value)._replace(scheme="http", netloc=urlsplit(origin).netloc).geturl()
            for name, value in (("tracking_uri", self.tracking_uri), ("web_url", self.web_url))
        }
        return Keys(**{**vars(self), **moved})


@dataclass(frozen=True)
class Instance:
    """The folder, by what is in it."""

    path: Path

    @property
    def config(self) -> dict[str, str]:
        """The configuration of `host_stub` that keeps everything in this folder."""
        return {
            "INSTANCE_PATH": str(self.path),
            "DATABASE_URL": f"sqlite:///{self.path / DATABASE}",
            "MLOPS_ARTIFACTS_URL": str(self.path / "artifacts"),
        }

    def log(self, name: str) -> Path:
        """Where the output of one of the demo's processes goes."""
        return self.path / f"{name}.log"

    def clear(self) -> None:
        """Delete what an earlier demo made, and nothing else."""
        for name in MADE:
            path = self.path / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def write(self, keys: Keys) -> None:
        """Write `demo.env`, readable by its owner only from the first byte on."""
        path = self.path / "demo.env"
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            quoted = {name: shlex.quote(value) for name, value in vars(keys).items()}
            file.write(ENVIRONMENT.format(**quoted))

    def read(self) -> Keys | None:
        """What `demo.env` says; None unless there is a whole demo here."""
        path = self.path / "demo.env"
        if not path.exists() or not (self.path / DATABASE).exists():
            return None
        words = [word for word in shlex.split(path.read_text(), comments=True) if "=" in word]
        found = dict(word.split("=", 1) for word in words)
        if not found.keys() >= NAMES.keys():
            return None
        return Keys(**{field: found[name] for name, field in NAMES.items()})


@contextmanager
def opened(path: Path) -> Iterator[Instance]:
    """The folder, made if it is missing, while no other demo uses it."""
    path.mkdir(parents=True, exist_ok=True)
    with open(path / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"Another demo is running in {path}; end it first.") from None
        yield Instance(path)
