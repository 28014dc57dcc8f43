"""`python -m bench.artifacts`: a large artifact up and down, ours and a bare WSGI handler in turn.

Both run under gunicorn, one worker, on a folder or (`--s3`) on one `rclone serve s3`. What counts
is the ratio of the medians, and by how much the worker's memory grows at its highest.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore

from bench import bare
from bench.processes import children_of, free_port, running
from bench.servers import HOST, gunicorn
from gitlab_mlops import migrations
from gitlab_mlops.storage.connect import connect
from host_stub import create_app
from host_stub.database import db
from tests import s3
from tests.factories import Api, Forge

MEGABYTE = 2**20
WAYS = {"up": "PUT", "down": "GET"}


@dataclass
class Server:
    """A server with the address of a file in it; per way, the seconds and the bytes grown."""

    name: str
    url: str
    headers: dict[str, str]
    worker: int
    seconds: dict[str, list[float]] = field(default_factory=lambda: {way: [] for way in WAYS})
    grown: dict[str, list[int]] = field(default_factory=lambda: {way: [] for way in WAYS})

    def copy(self, way: str, source: Path) -> None:
        """Move the file once, and note how long that took."""
        status = Path(f"/proc/{self.worker}")
        (status / "clear_refs").write_text("5")  # forgets the highest memory so far
        before, began = self._memory("VmRSS"), time.perf_counter()
        received = send(WAYS[way], self.url, self.headers, source if way == "up" else None)
        self.seconds[way].append(time.perf_counter() - began)
        self.grown[way].append(self._memory("VmHWM") - before)
        if way == "down" and received < source.stat().st_size:
            raise SystemExit(f"{self.name} sent {received} bytes only")

    def _memory(self, kind: str) -> int:
        lines = Path(f"/proc/{self.worker}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(kind))


def send(method: str, url: str, headers: dict[str, str], source: Path | None) -> int:
    """One request through a plain socket; the bytes of its answer, with the head."""
    where, length = urlsplit(url), source.stat().st_size if source else 0
    lines = [f"{method} {where.path} HTTP/1.1", f"Host: {where.netloc}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {length}"] if source else []
    with socket.create_connection((where.hostname, where.port), 600) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        if source:
            with source.open("rb") as file:
                connection.sendfile(file)
        return _received(connection)


def _received(connection: socket.socket) -> int:
    buffer, count, head = bytearray(MEGABYTE), 0, b""
    while size := connection.recv_into(buffer):
        head = head or bytes(buffer[:20])
        count += size
    if b" 200 " not in head:
        raise SystemExit(f"the answer begins with {head!r}")
    return count


@contextmanager
def both(folder: Path, *, over_s3: bool) -> Iterator[Sequence[Server]]:
    """Ours and the bare one, on the same store."""
    with ExitStack() as stack:
        settings: dict[str, Any] = {"MLOPS_ARTIFACTS_URL": str(folder / "artifacts")}
        application, environment = "bench.bare:folder", {bare.FOLDER: str(folder)}
        if over_s3:
            bucket = stack.enter_context(s3.serve(folder / "s3"))
            settings = {
                "MLOPS_ARTIFACTS_URL": bucket.url,
                "MLOPS_ARTIFACTS_OPTIONS": bucket.options,
            }
            application, environment = "bench.bare:store", _signed(bucket)
        api, config = _forge(folder, settings)
        path = f"{api.base}/api/2.0/mlflow-artifacts/artifacts/0/{api.create_run()}/artifacts/f"
        ours = _served(stack, "host_stub:create_app()", config, folder / "ours.log", "/health")
        other = _served(stack, application, environment, folder / "bare.log", "/")
        yield (
            Server("ours", ours[0] + path, api.headers, ours[1]),
            Server("bare", other[0] + bare.FILE, {}, other[1]),
        )


def _signed(bucket: s3.Bucket) -> dict[str, str]:
    store: Any = connect(bucket.url, bucket.options)
    while_it_runs = timedelta(hours=6)
    return {
        bare.UP: obstore.sign(store, "PUT", "bare.bin", while_it_runs),
        bare.DOWN: obstore.sign(store, "GET", "bare.bin", while_it_runs),
    }


def _forge(folder: Path, settings: dict[str, Any]) -> tuple[Api, dict[str, str]]:
    """A developer of a forge, and the environment in which it starts again."""
    config = {
        "DATABASE_URL": f"sqlite:///{folder / 'forge.sqlite3'}",
        "SECRET_KEY": secrets.token_hex(32),
        "INSTANCE_PATH": str(folder / "instance"),
        **settings,
    }
    app = create_app(config)
    with app.app_context():
        db.create_all()
        migrations.upgrade(db.engine)
    texts = {
        f"HOST_STUB_{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
    }
    return Forge(app).developer(), texts


def _served(
    stack: ExitStack, application: str, environment: dict[str, str], log: Path, answers: str
) -> tuple[str, int]:
    """The origin of a server that `answers` at a path, and its worker."""
    port = free_port()
    origin = f"http://{HOST}:{port}"
    command = gunicorn(application, port, workers="1")
    pid = stack.enter_context(running(command, environment, log, origin + answers))
    return origin, children_of(pid)[0]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.artifacts", description=__doc__)
    parser.add_argument("--megabytes", type=int, default=2048, help="of the file (default: 2048)")
    parser.add_argument("--rounds", type=int, default=3, help="(default: 3)")
    parser.add_argument("--s3", action="store_true", help="on an object store")
    parser.add_argument("--folder", help="where everything is (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="bench-") as name:
        source = Path(name, "source.bin")
        with source.open("wb") as file:
            for _ in range(options.megabytes):
                file.write(os.urandom(MEGABYTE))
        with both(Path(name), over_s3=options.s3) as servers:
            for _ in range(options.rounds):
                for way in WAYS:
                    for server in servers:
                        server.copy(way, source)
    report(servers, options.megabytes)


def report(servers: Sequence[Server], megabytes: int) -> None:
    """Print the medians, and what they are to each other."""
    for way in WAYS:
        medians = [statistics.median(server.seconds[way]) for server in servers]
        rates = [f"{server.name} {megabytes / median:.0f} MB/s" for server, median in
                 zip(servers, medians, strict=True)]  # fmt: skip
        grown = max(servers[0].grown[way]) / MEGABYTE
        print(f"{way}: {', '.join(rates)}, ratio {medians[1] / medians[0]:.2f}; "
              f"the worker grew by {grown:.0f} MB")  # fmt: skip


if __name__ == "__main__":
    main()
