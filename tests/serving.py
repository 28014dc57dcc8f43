"""Forges of a test's own under gunicorn, and plain clients of their API without any retries."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import pytest

from gitlab_mlops import migrations
from host_stub import create_app
from host_stub.database import db
from tests.factories import Forge
from tests.ports import free_port

ROOT = Path(__file__).parents[1]


@contextmanager
def served(
    config: Mapping[str, Any],
    folder: Path,
    *,
    workers: int = 2,
    threads: int = 4,
    prefix: str = "",
    keep_alive: int = 60,
    environment: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """URL of a host_stub of this configuration under gunicorn, below the path `prefix`.

    `keep_alive` is in seconds: on a busy machine, a client that pauses must not meet the end of
    its connection.
    """
    port = free_port()
    log = folder / f"gunicorn-{port}.log"
    command = [
        sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", str(workers),
        "--threads", str(threads), "--timeout", "120", "--graceful-timeout", "3",
        "--limit-request-line", "8190", "--keep-alive", str(keep_alive),
        "host_stub:create_app()",
    ]  # fmt: skip
    # As `host_stub` reads them: texts as they are, everything else as JSON.
    texts = {
        f"HOST_STUB_{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
    }
    own = {"SCRIPT_NAME": prefix} if prefix else {}
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            env={**texts, **own, **(environment or {}), "PATH": "/usr/bin:/bin"},
            cwd=ROOT,
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{port}{prefix}"
    try:
        wait_until_up(f"{url}/users/sign_in", log)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def wait_until_up(url: str, log: Path) -> None:
    """Wait until a server answers; fail with its log after a minute."""
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"{url} did not answer; its log:\n{log.read_text()[-4000:]}")


@contextmanager
def made(config: Mapping[str, Any]) -> Iterator[Forge]:
    """A forge of this configuration in process, its tables made, to people it and look into it."""
    app = create_app(config)
    with app.app_context():
        db.create_all()
        migrations.upgrade(db.engine)
    yield Forge(app)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the JSON (or nothing), and the headers."""

    status: int
    json: dict[str, Any]
    headers: Mapping[str, str]


@dataclass
class Client:
    """One client of MLflow's API, on one connection that is kept open."""

    uri: str
    token: str
    timeout: float = 120
    _connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def post(self, path: str, /, **body: Any) -> Answer:
        """POST below `/api/2.0/mlflow/`; raises `OSError` if the server hangs up."""
        return self._send("POST", path, json.dumps(body))

    def get(self, path: str) -> Answer:
        """GET below `/api/2.0/mlflow/`, with the query in `path`."""
        return self._send("GET", path, None)

    def create_run(self, **fields: Any) -> str:
        """Start a run; its id."""
        answer = self.post("runs/create", **{"experiment_id": "0", "start_time": 1, **fields})
        assert answer.status == 200, answer
        return str(answer.json["run"]["info"]["run_id"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Hang up."""
        self.close()

    def close(self) -> None:
        """Hang up; the next request connects again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, method: str, path: str, body: str | None) -> Answer:
        where = urlsplit(self.uri)
        if self._connection is None:
            self._connection = http.client.HTTPConnection(where.netloc, timeout=self.timeout)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            url = f"{where.path}/api/2.0/mlflow/{path}"
            self._connection.request(method, url, body, headers)
            response = self._connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        return Answer(response.status, _object(text), dict(response.getheaders()))


def _object(text: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError:
        return {}
    return found
