"""Uploads that end badly: a worker that is killed, a disk that is full."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.client import clients
from tests.factories import Api, Forge
from tests.ports import free_port
from tests.serving import ROOT, made, wait_until_up

BELOW = "/api/2.0/mlflow-artifacts"
MEGABYTE = 2**20


@dataclass(frozen=True)
class Served:
    """A forge of the test's own, and the process that keeps its one worker alive."""

    forge: Forge
    api: Api
    root: str
    url: str
    pid: int
    store: Path

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request to the tracking API."""
        url = f"{self.url}{self.api.base}{path}"
        return requests.request(method, url, headers=self.api.headers, timeout=60, **options)

    def file(self, name: str) -> str:
        """The address of an artifact, below the tracking URI."""
        return f"{BELOW}/artifacts/{self.root}/{name}"

    def listed(self) -> list[str]:
        answer = self.call("GET", f"{BELOW}/artifacts", params={"path": self.root})
        return [file["path"] for file in answer.json().get("files", [])]

    def worker(self) -> int:
        """The process that answers."""
        (child,) = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return int(child)

    def unfinished(self) -> list[Path]:
        return [path for path in self.store.rglob("*#*") if path.stat().st_size]


@contextmanager
def serving(folder: Path, store: Path, *within: str) -> Iterator[Served]:
    """A forge under gunicorn, whose command is run `within` another."""
    config = {
        "DATABASE_URL": f"sqlite:///{folder / 'forge.sqlite3'}",
        "SECRET_KEY": secrets.token_hex(32),
        "INSTANCE_PATH": str(folder / "instance"),
        "MLOPS_ARTIFACTS_URL": str(store),
        "MLOPS_WEBHOOKS_THREAD": False,
    }
    port = free_port()
    with made(config) as forge, running(folder / "log", config, port, within) as pid:
        api = forge.developer()
        root = f"0/{api.create_run()}/artifacts"
        yield Served(forge, api, root, f"http://127.0.0.1:{port}", pid, store)


@contextmanager
def running(log: Path, config: dict[str, Any], port: int, within: Sequence[str]) -> Iterator[int]:
    command = [
        *within, sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}",
        "--threads", "4", "--graceful-timeout", "3", "host_stub:create_app()",
    ]  # fmt: skip
    texts = {
        f"HOST_STUB_{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
    }
    with log.open("wb") as output:
        environment = {**texts, "PATH": os.environ["PATH"]}
        server = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_until_up(f"http://127.0.0.1:{port}/users/sign_in", log)
        yield server.pid
    finally:
        server.terminate()
        server.wait(30)


def wait_for(condition: Callable[[], Any]) -> None:
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail("it did not come to that in half a minute")


@contextmanager
def half_sent(served: Served, path: str) -> Iterator[socket.socket]:
    """A PUT of 24 MB below the tracking URI, of which half has arrived."""
    where = urlsplit(served.url)
    head = [
        f"PUT {path} HTTP/1.1",
        f"Host: {where.netloc}",
        f"Authorization: {served.api.headers['Authorization']}",
        f"Content-Length: {24 * MEGABYTE}",
    ]
    with socket.create_connection((where.hostname, where.port), 30) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        connection.sendall(b"n" * 12 * MEGABYTE)
        wait_for(served.unfinished)
        yield connection


def kill_worker(served: Served) -> None:
    """Kill the worker in the middle of what it does, and wait until there is another."""
    worker = served.worker()
    os.kill(worker, signal.SIGKILL)

    def is_replaced() -> bool:
        try:
            return served.worker() != worker and served.call("GET", "/health").ok
        except (ValueError, requests.ConnectionError):
            return False

    wait_for(is_replaced)


def test_a_killed_worker_leaves_the_old_file_and_the_rest_is_swept(tmp_path: Path) -> None:
    with serving(tmp_path, tmp_path / "store") as served:
        served.call("PUT", served.file("f"), data=b"old").raise_for_status()
        with half_sent(served, f"{served.api.base}{served.file('f')}") as connection:
            kill_worker(served)
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""
        assert served.call("GET", served.file("f")).content == b"old"
        assert served.listed() == ["f"]
        (left,) = served.unfinished()
        os.utime(left, (0, 0))
        sweep = ["mlops", "sweep-uploads"]
        told = served.forge.app.test_cli_runner().invoke(args=sweep, catch_exceptions=False)
        assert "1 files of other uploads" in told.output
        assert [path.name for path in served.store.rglob("*") if path.is_file()] == ["f"]
        served.call("PUT", served.file("f"), data=b"new").raise_for_status()
        assert served.call("GET", served.file("f")).content == b"new"


def test_a_part_that_a_killed_worker_had_is_sent_again(tmp_path: Path) -> None:
    with serving(tmp_path, tmp_path / "store") as served:
        folder = f"{BELOW}/mpu"
        begin = {"path": "big", "num_parts": 1}
        begun = served.call("POST", f"{folder}/create/{served.root}", json=begin).json()
        url = begun["credentials"][0]["url"]
        with half_sent(served, urlsplit(url).path):
            kill_worker(served)
        named = {"path": "big", "upload_id": begun["upload_id"]}
        complete = f"{folder}/complete/{served.root}"
        part = {"part_number": 1, "etag": "x"}
        assert served.call("POST", complete, json={**named, "parts": [part]}).status_code == 400
        assert served.listed() == []
        part["etag"] = requests.put(url, data=b"all of it", timeout=60).headers["ETag"]
        served.call("POST", complete, json={**named, "parts": [part]}).raise_for_status()
        assert served.call("GET", served.file("big")).content == b"all of it"


SCRIPT = """
import time
import mlflow

with mlflow.start_run() as run:
    started = time.monotonic()
    try:
        mlflow.log_artifact("large.bin")
    except Exception as error:
        print("507" in str(error), time.monotonic() - started < 30)
    mlflow.log_artifact("small.bin")
    print([file.path for file in mlflow.MlflowClient().list_artifacts(run.info.run_id)])
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Served]:
    """A forge whose artifacts are on a disk of 8 MB of its own."""
    own_mounts = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*own_mounts, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk (unshare --mount)")
    store = tmp_path / "store"
    store.mkdir()
    mount = 'mount -t tmpfs -o size=8m tmpfs "$0" && exec "$@"'
    with serving(tmp_path, store, *own_mounts, "sh", "-c", mount, str(store)) as served:
        yield served


def test_a_full_disk_takes_no_more_and_gives_what_it_has_and_recovers(small_disk: Served) -> None:
    served, full = small_disk, (507, "RESOURCE_EXHAUSTED")
    served.call("PUT", served.file("old"), data=b"o" * MEGABYTE).raise_for_status()
    for size in (9, 40):
        answer = served.call("PUT", served.file("old"), data=b"x" * size * MEGABYTE)
        assert (answer.status_code, answer.json()["error_code"]) == full
        assert "Retry-After" not in answer.headers
    assert served.call("GET", served.file("old")).content == b"o" * MEGABYTE
    assert served.listed() == ["old"]
    begun = served.call(
        "POST", f"{BELOW}/mpu/create/{served.root}", json={"path": "f", "num_parts": 1}
    ).json()
    answer = requests.put(begun["credentials"][0]["url"], data=b"x" * 9 * MEGABYTE, timeout=60)
    assert (answer.status_code, answer.json()["error_code"]) == full
    # What was refused has left nothing behind, so there is room without anybody's help.
    served.call("PUT", served.file("new"), data=b"n" * 6 * MEGABYTE).raise_for_status()
    assert served.call("PUT", served.file("f"), data=b"x" * 2 * MEGABYTE).status_code == 507
    served.call("DELETE", served.file("new")).raise_for_status()
    served.call("PUT", served.file("f"), data=b"x" * 2 * MEGABYTE).raise_for_status()


@pytest.mark.parametrize("client", clients.CLIENTS)
def test_a_client_hears_of_a_full_disk_at_once(
    small_disk: Served, tmp_path: Path, client: str
) -> None:
    (tmp_path / "large.bin").write_bytes(b"x" * 60 * MEGABYTE)
    (tmp_path / "small.bin").write_bytes(b"x" * MEGABYTE)
    token = small_disk.api.headers["Authorization"].removeprefix("Bearer ")
    uri = f"{small_disk.url}{small_disk.api.base}"
    printed = clients.run(client, "-c", SCRIPT, uri=uri, token=token, folder=tmp_path)
    assert printed.splitlines()[:2] == ["True True", "['small.bin']"]
