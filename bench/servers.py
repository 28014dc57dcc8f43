"""What is compared: ours, the stock server, FastTrackML and the floor, each on its database."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import environments, floor
from bench.forge import Forge, make_forge
from bench.postgresql import Database
from bench.processes import free_port, running

# As many processes and threads as an operator of two cores would choose.
WORKERS, THREADS = "2", "4"
HOST = "127.0.0.1"


@dataclass(frozen=True)
class Server:
    """A running server: its name, tracking URI, database, headers to send, and first process."""

    name: str
    uri: str
    database: Database
    pid: int
    headers: dict[str, str] = field(default_factory=dict)
    forge: Forge | None = None

    @property
    def is_floor(self) -> bool:
        """Whether it only pretends to be a tracking server."""
        return self.name == "floor"


Start = Callable[[Path, Database], AbstractContextManager[Server]]


def gunicorn(application: str, port: int, *, workers: str = WORKERS) -> list[str]:
    """The command that serves an application of Flask."""
    return [
        sys.executable, "-m", "gunicorn", application, "--bind", f"{HOST}:{port}",
        "--workers", workers, "--threads", THREADS, "--keep-alive", "60",
    ]  # fmt: skip


@contextmanager
def ours(folder: Path, database: Database) -> Iterator[Server]:
    """The forge with the plugin; every request brings a token, and permissions are checked."""
    forge = make_forge(database, folder / "instance")
    port = free_port()
    origin = f"http://{HOST}:{port}"
    environment = {f"HOST_STUB_{key}": value for key, value in forge.config.items()}
    command = gunicorn("host_stub:create_app()", port)
    with running(command, environment, folder / "ours.log", f"{origin}/users/sign_in") as pid:
        uri = f"{origin}/api/v4/projects/{forge.project_id}/ml/mlflow"
        headers = {"Authorization": f"Bearer {forge.token}"}
        yield Server("ours", uri, database, pid, headers, forge)


@contextmanager
def stock(folder: Path, database: Database) -> Iterator[Server]:
    """The newest `mlflow server`, without the processes for jobs of evaluation."""
    environments.STOCK.make()
    port = free_port()
    command = [
        str(environments.STOCK.python), "-m", "mlflow", "server", "--workers", WORKERS,
        "--backend-store-uri", database.sqlalchemy_url, "--host", HOST, "--port", str(port),
        "--artifacts-destination", str(folder / "artifacts"),
    ]  # fmt: skip
    settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "DO_NOT_TRACK": "true"}
    origin = f"http://{HOST}:{port}"
    with running(command, settings, folder / "stock.log", f"{origin}/health") as pid:
        yield Server("stock", origin, database, pid)


@contextmanager
def fasttrackml(folder: Path, database: Database) -> Iterator[Server]:
    """FastTrackML: one process in Go, which asks nobody for a token."""
    environments.FASTTRACKML.make()
    port = free_port()
    command = [
        str(environments.FASTTRACKML.bin / "fml"), "server", "--database-uri", database.dsn,
        "--listen-address", f"{HOST}:{port}", "--log-level", "error",
        "--default-artifact-root", str(folder / "fasttrackml"),
    ]  # fmt: skip
    origin = f"http://{HOST}:{port}"
    with running(command, {}, folder / "fasttrackml.log", f"{origin}/health") as pid:
        yield Server("fasttrackml", origin, database, pid)


@contextmanager
def bare(folder: Path, database: Database) -> Iterator[Server]:
    """Flask with one statement, and Flask with none, under the same gunicorn."""
    with database.connect() as connection:
        connection.execute(floor.TABLE)
    port = free_port()
    origin = f"http://{HOST}:{port}"
    command = gunicorn("bench.floor:create_app()", port)
    environment = {floor.DATABASE: database.dsn}
    answers = f"{origin}/api/2.0/mlflow/runs/get"
    with running(command, environment, folder / "floor.log", answers) as pid:
        yield Server("floor", origin, database, pid)


SERVERS: dict[str, Start] = {
    "ours": ours, "stock": stock, "fasttrackml": fasttrackml, "floor": bare
}  # fmt: skip
PEERS = ("stock", "fasttrackml")
