"""The demo's forge under gunicorn, as a child process that ends with us."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from demo.errors import DemoError
from demo.instance import Instance

HOST = "127.0.0.1"
ROOT = Path(__file__).parents[1]
SETTINGS = Path(__file__).with_name("gunicorn_settings.py")
STARTING = 60
"""Seconds until a server that does not answer is given up."""


def check_port(port: int) -> None:
    """Raise `DemoError` if the port cannot be listened to."""
    with socket.socket() as probe:
        # As gunicorn does, so that a port in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            raise DemoError(
                f"Port {port} cannot be used ({error}). Choose another: PORT={port + 1} make demo"
            ) from None


@dataclass
class Server:
    """A running gunicorn."""

    url: str
    log: Path
    process: subprocess.Popen[bytes]

    def wait_until_up(self) -> None:
        """Return when the forge answers."""
        deadline = time.monotonic() + STARTING
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise self._gone()
            try:
                urllib.request.urlopen(f"{self.url}/health", timeout=5).close()
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise DemoError(f"{self.url} did not answer within {STARTING} s; see {self.log}.")

    def wait_until_gone(self) -> None:
        """Serve until somebody interrupts; raise `DemoError` if gunicorn ends by itself."""
        self.process.wait()
        raise self._gone()

    def _gone(self) -> DemoError:
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        return DemoError(f"gunicorn has ended ({self.process.returncode}); its log:\n{tail}")


@contextmanager
def serving(instance: Instance, port: int) -> Iterator[Server]:
    """Serve the forge of the instance while the block runs."""
    command = [
        sys.executable, "-m", "gunicorn", "--config", str(SETTINGS), "--bind", f"{HOST}:{port}",
        "host_stub:create_app()",
    ]  # fmt: skip
    given = {f"HOST_STUB_{key}": value for key, value in instance.config.items()}
    log = instance.log("gunicorn")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **given},
            stdout=output,
            stderr=output,
            # Ctrl-C goes to us alone; we end it when its work is done.
            start_new_session=True,
        )
    try:
        server = Server(f"http://{HOST}:{port}", log, process)
        server.wait_until_up()
        yield server
    finally:
        process.terminate()
        try:
            process.wait(35)  # a little more than gunicorn gives its workers
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
