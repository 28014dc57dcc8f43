"""The default database, SQLite, under more clients than it can write for at once."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from gitlab_mlops.models import Candidate, MetricPoint, MetricSeries, Param
from gitlab_mlops.models.candidates import CandidateTag
from host_stub.database import db
from tests.factories import Forge
from tests.serving import Client, made, served

CLIENTS = 32
SECONDS = 5


@dataclass
class Told:
    """What one client was told has been stored."""

    runs: set[str] = field(default_factory=set)
    points: int = 0
    params: int = 0
    tags: int = 0
    statuses: Counter[int] = field(default_factory=Counter)


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    """A forge as it is without any settings for its database."""
    return {
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "SECRET_KEY": secrets.token_hex(32),
        "MLOPS_ARTIFACTS_URL": str(tmp_path / "artifacts"),
    }


@pytest.fixture
def forge(config: dict[str, Any]) -> Iterator[Forge]:
    """The same forge in process."""
    with made(config) as forge:
        yield forge


def test_thirty_two_clients_at_once_lose_nothing_and_meet_no_lock(
    forge: Forge, config: dict[str, Any], tmp_path: Path
) -> None:
    project = forge.project()
    token = forge.token(forge.member(project, "developer"))
    with served(config, tmp_path, workers=2, threads=16) as url:
        uri = f"{url}/api/v4/projects/{project}/ml/mlflow"
        ends = time.monotonic() + SECONDS
        with ThreadPoolExecutor(CLIENTS) as crowd:
            told = list(crowd.map(lambda _: _work(uri, token, ends), range(CLIENTS)))
    statuses: Counter[int] = sum((each.statuses for each in told), Counter())
    assert set(statuses) == {200}
    assert all(each.runs for each in told)
    assert _stored(forge, project) == {
        "runs": sum(len(each.runs) for each in told),
        "points": sum(each.points for each in told),
        "params": sum(each.params for each in told),
        "tags": sum(each.tags for each in told),
    }


def _work(uri: str, token: str, ends: float) -> Told:
    """One training script after the other, until the time is over."""
    told = Told()
    with Client(uri, token) as client:
        while time.monotonic() < ends:
            _train(client, told)
    return told


def _train(client: Client, told: Told) -> None:
    run_id = client.create_run()
    told.runs.add(run_id)
    told.statuses[200] += 1
    points = [{"key": f"m{n % 3}", "value": n, "timestamp": n, "step": n} for n in range(30)]
    params = [{"key": f"p{n}", "value": "1"} for n in range(5)]
    calls = [
        client.post("runs/log-batch", run_id=run_id, metrics=points, params=params),
        client.post("runs/log-metric", run_id=run_id, key="loss", value=1, timestamp=1, step=1),
        client.post("runs/search", experiment_ids=["0"], filter="metrics.m0 > 3", max_results=20),
        client.post("runs/set-tag", run_id=run_id, key="stage", value="done"),
        client.get(f"runs/get?run_id={run_id}"),
        client.post("runs/update", run_id=run_id, status="FINISHED", end_time=2),
    ]
    told.statuses.update(answer.status for answer in calls)
    told.points += 31 if calls[0].status == calls[1].status == 200 else 0
    told.params += 5 if calls[0].status == 200 else 0
    told.tags += 1 if calls[3].status == 200 else 0


def _stored(forge: Forge, project: int) -> dict[str, int]:
    """How many rows the project has, by what they hold."""
    mine = select(Candidate.id).where(Candidate.project_id == project)
    series = select(MetricSeries.id).where(MetricSeries.candidate_id.in_(mine))
    stage = CandidateTag.candidate_id.in_(mine) & (CandidateTag.key == "stage")
    counted = {
        "runs": select(func.count()).select_from(Candidate).where(Candidate.project_id == project),
        "points": select(func.count()).where(MetricPoint.series_id.in_(series)),
        "params": select(func.count()).where(Param.candidate_id.in_(mine)),
        "tags": select(func.count()).where(stage),
    }
    with forge.app.app_context():
        return {name: db.session.scalar(query) or 0 for name, query in counted.items()}
