"""The stock clients download from the object store itself, where the operator lets them."""

from __future__ import annotations

import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests import s3
from tests.client import clients
from tests.serving import made, served

SCRIPT = """
import sys
from pathlib import Path
import mlflow
from mlflow.artifacts import download_artifacts

with mlflow.start_run() as run:
    mlflow.log_artifact("data.bin", "a b")
    mlflow.log_text("<script>", "a b/page.html")
    mlflow.log_text("", "empty.txt")
found = download_artifacts(run_id=run.info.run_id, dst_path="there")
for path in sorted(Path(found).rglob("*.*")):
    print(path.relative_to(found).as_posix(), path.stat().st_size)
assert Path(found, "a b/data.bin").read_bytes() == Path("data.bin").read_bytes()
try:
    download_artifacts(run_id=run.info.run_id, artifact_path="nope.txt")
except Exception:
    print("missing")
"""


class Recorder:
    """Stands before a server, passes everything on, and keeps the heads of all requests."""

    def __init__(self, port: int) -> None:
        self.heads: list[str] = []
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                threading.Thread(target=self._pass, args=(client, server, True)).start()
                threading.Thread(target=self._pass, args=(server, client, False)).start()

    def _pass(self, source: socket.socket, target: socket.socket, keep: bool) -> None:
        with source, suppress(OSError):
            while piece := source.recv(65536):
                if keep and piece.split(b" ", 1)[0] in (b"GET", b"PUT", b"HEAD", b"POST"):
                    self.heads.append(piece.partition(b"\r\n\r\n")[0].decode("latin-1"))
                target.sendall(piece)
            target.shutdown(socket.SHUT_RDWR)


@contextmanager
def recorded(bucket: s3.Bucket) -> Iterator[tuple[Recorder, dict[str, str]]]:
    """The bucket behind a recorder, and the options that lead there."""
    port = urlsplit(bucket.options["endpoint"]).port
    assert port is not None
    recorder = Recorder(port)
    try:
        yield recorder, {**bucket.options, "endpoint": f"http://localhost:{recorder.port}"}
    finally:
        recorder.close()


@pytest.mark.parametrize("client", clients.CLIENTS)
def test_a_client_gets_files_from_the_store_and_shows_it_no_token(
    client: str, tmp_path: Path
) -> None:
    data = os.urandom(3_000_000)
    (tmp_path / "data.bin").write_bytes(data)
    with s3.serve(tmp_path / "s3") as bucket, recorded(bucket) as (recorder, options):
        config = {
            "DATABASE_URL": f"sqlite:///{tmp_path / 'forge.sqlite3'}",
            "SECRET_KEY": secrets.token_hex(32),
            "INSTANCE_PATH": str(tmp_path / "instance"),
            "MLOPS_WEBHOOKS_THREAD": False,
            "MLOPS_ARTIFACTS_URL": bucket.url,
            "MLOPS_ARTIFACTS_OPTIONS": options,
            "MLOPS_ARTIFACTS_REDIRECT": True,
            "MLOPS_ARTIFACTS_URL_SECONDS": 60,
        }
        with made(config) as forge, served(config, tmp_path, workers=1) as url:
            project_id = forge.project()
            token = forge.token(forge.member(project_id, "developer"))
            uri = f"{url}/api/v4/projects/{project_id}/ml/mlflow"
            printed = clients.run(client, "-c", SCRIPT, uri=uri, token=token, folder=tmp_path)
    lines = printed.splitlines()
    assert lines[-4:] == ["a b/data.bin 3000000", "a b/page.html 8", "empty.txt 0", "missing"]
    fetched = [head for head in recorder.heads if "X-Amz-Signature=" in head.split("\r\n")[0]]
    assert {head.split("?")[0].rpartition("/")[2] for head in fetched} >= {"data.bin", "page.html"}
    # MLflow 3 asks for an address and gets parts; MLflow 2 follows the redirect.
    assert any("\r\nrange: bytes=" in head.lower() for head in fetched) == (client == "MLflow 3")
    for head in fetched:
        assert "X-Amz-Expires=60" in head
        assert token not in head
        assert "\r\nauthorization:" not in head.lower()
        assert "\r\ncookie:" not in head.lower()
