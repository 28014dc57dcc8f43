"""What holds when many clients of one project write at the same moment, or write again."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from threading import Barrier
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select

from gitlab_mlops.models import (
    AliasMove,
    Candidate,
    Experiment,
    MetricPoint,
    MetricSeries,
    ModelAlias,
    ModelVersion,
    Param,
)
from gitlab_mlops.models.candidates import CandidateTag
from host_stub.database import db
from tests.client import clients

T = TypeVar("T")
PATIENCE = 120


@dataclass(frozen=True)
class Wire:
    """Plain HTTP to the served forge, without the client's retries and locks."""

    uri: str
    token: str

    def post(self, path: str, /, **body: Any) -> tuple[int, dict[str, Any]]:
        """Send a request on a connection of its own; status and JSON."""
        connection = self.send(path, body)
        response = connection.getresponse()
        answer = json.loads(response.read())
        connection.close()
        return response.status, answer

    def send(self, path: str, body: dict[str, Any]) -> http.client.HTTPConnection:
        """Send a request, and leave the answer to the caller."""
        where = urlsplit(self.uri)
        connection = http.client.HTTPConnection(where.netloc, timeout=PATIENCE)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        path = f"{where.path}/api/2.0/mlflow/{path}"
        connection.request("POST", path, json.dumps(body), headers)
        return connection

    def create_run(self) -> str:
        """Start a run; its id."""
        status, answer = self.post("runs/create", experiment_id="0", start_time=1)
        assert status == 200, answer
        return str(answer["run"]["info"]["run_id"])


@pytest.fixture
def wire(live_project: Any) -> Wire:
    """A developer's connection to a fresh project, where nothing was ever logged."""
    return Wire(live_project.tracking_uri, live_project.token)


def at_once(count: int, act: Callable[[int], T]) -> list[T]:
    """Call `act` with 0, 1, ... from as many threads at the same moment; what they returned."""
    gate = Barrier(count)

    def wait_and_act(number: int) -> T:
        gate.wait(PATIENCE)
        return act(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(wait_and_act, range(count)))


def batch() -> dict[str, list[dict[str, Any]]]:
    """A batch as training loops send it, with points that differ in one part of their key only."""
    points = [
        {"key": f"loss {step % 3}", "value": value, "timestamp": 1000 + step // 2, "step": step}
        for step in range(100)
        for value in (step / 7, "NaN")
    ]
    params = [{"key": f"p{number}", "value": str(number)} for number in range(50)]
    tags = [{"key": f"t{number}", "value": "v"} for number in range(20)]
    return {"metrics": points, "params": params, "tags": tags}


def rows(app: Flask, run_id: str) -> dict[str, int]:
    """How many rows a run has, by what they hold."""
    mine = select(Candidate.id).where(Candidate.eid == run_id).scalar_subquery()
    series = select(MetricSeries.id).where(MetricSeries.candidate_id == mine)
    counted = {
        "metrics": select(func.count()).where(MetricPoint.series_id.in_(series)),
        "series": select(func.count()).where(MetricSeries.candidate_id == mine),
        "params": select(func.count()).where(Param.candidate_id == mine),
        "tags": select(func.count()).where(CandidateTag.candidate_id == mine),
    }
    with app.app_context():
        return {name: db.session.scalar(query) or 0 for name, query in counted.items()}


def test_a_batch_whose_answer_was_lost_and_is_sent_again_is_stored_once(
    app: Flask, wire: Wire
) -> None:
    once, again = wire.create_run(), wire.create_run()
    assert wire.post("runs/log-batch", run_id=once, **batch()) == (200, {})
    # Five senders at once who hang up before the answer, then five who wait for it.
    at_once(5, lambda _: wire.send("runs/log-batch", {"run_id": again, **batch()}).close())
    answers = at_once(5, lambda _: wire.post("runs/log-batch", run_id=again, **batch()))
    assert answers == [(200, {})] * 5
    assert rows(app, again) == rows(app, once)
    assert rows(app, once)["metrics"] == 200


@pytest.mark.parametrize(
    ("kind", "last"),
    [
        ("metrics", {"key": "a#b", "value": 1, "timestamp": 1, "step": 1}),
        ("metrics", {"key": "loss", "value": "much", "timestamp": 1, "step": 1}),
        ("metrics", {"key": "loss", "value": 1, "timestamp": 1, "step": 2**63}),
        ("params", {"key": "depth", "value": "4"}),
        ("params", {"key": "x" * 251, "value": "1"}),
        ("tags", {"key": "../x", "value": "1"}),
    ],
)
def test_a_batch_whose_last_item_is_invalid_stores_nothing(
    app: Flask, wire: Wire, kind: str, last: dict[str, Any]
) -> None:
    run_id = wire.create_run()
    assert wire.post("runs/log-parameter", run_id=run_id, key="depth", value="3")[0] == 200
    before, body = rows(app, run_id), batch()
    body[kind].append(last)
    status, answer = wire.post("runs/log-batch", run_id=run_id, **body)
    assert (status, answer["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert rows(app, run_id) == before


def test_sixty_four_runs_created_at_once_are_numbered_without_gaps(
    app: Flask, wire: Wire, live_project: Any
) -> None:
    run_ids = at_once(64, lambda _: wire.create_run())
    assert len(set(run_ids)) == 64
    numbers = select(Candidate.iid).where(Candidate.project_id == live_project.id)
    with app.app_context():
        assert sorted(db.session.scalars(numbers)) == list(range(1, 65))


def test_runs_and_experiments_made_at_once_are_numbered_without_gaps(
    app: Flask, wire: Wire, live_project: Any
) -> None:
    """They share a row of numbers; every fourth asks for a name that only one of them can get."""

    def make(number: int) -> tuple[int, dict[str, Any]]:
        if number % 2:
            return wire.post("runs/create", experiment_id="0")
        name = "taken" if number % 4 else f"experiment {number}"
        return wire.post("experiments/create", name=name)

    answers = at_once(48, make)
    codes = [answer.get("error_code") for _, answer in answers]
    assert sorted(codes, key=str) == [None] * 37 + ["RESOURCE_ALREADY_EXISTS"] * 11
    with app.app_context():
        for table, expected in ((Candidate, range(1, 25)), (Experiment, range(14))):
            numbers = select(table.iid).where(table.project_id == live_project.id)
            assert sorted(db.session.scalars(numbers)) == list(expected)


def test_runs_that_log_at_once_do_not_hinder_each_other(app: Flask, wire: Wire) -> None:
    run_ids = [wire.create_run() for _ in range(24)]
    answers = at_once(
        24, lambda number: wire.post("runs/log-batch", run_id=run_ids[number], **batch())
    )
    assert answers == [(200, {})] * 24
    assert {rows(app, run_id)["metrics"] for run_id in run_ids} == {200}


@pytest.mark.parametrize("client", clients.CLIENTS)
def test_a_team_that_sets_the_same_new_experiment_at_once_shares_one(
    app: Flask, live_project: Any, tmp_path: Path, client: str
) -> None:
    ids = clients.run_script(
        client, "crowd.py", "32", "new",
        uri=live_project.tracking_uri, token=live_project.token, folder=tmp_path,
    )  # fmt: skip
    mine = select(Experiment.iid).where(
        Experiment.project_id == live_project.id, Experiment.name == "new"
    )
    with app.app_context():
        assert [str(iid) for iid in db.session.scalars(mine)] == ["1"]
    assert ids == ["1"] * 32


@pytest.mark.parametrize("path", ["log-parameter", "log-batch"])
def test_the_same_parameter_with_the_same_value_succeeds_for_all(wire: Wire, path: str) -> None:
    run_id = wire.create_run()
    answers = at_once(32, lambda _: wire.post(f"runs/{path}", **parameter(path, run_id, "0.1")))
    assert answers == [(200, {})] * 32


@pytest.mark.parametrize("path", ["log-parameter", "log-batch"])
def test_the_same_parameter_with_other_values_succeeds_for_one(
    app: Flask, wire: Wire, path: str
) -> None:
    run_id = wire.create_run()
    answers = at_once(
        32, lambda number: wire.post(f"runs/{path}", **parameter(path, run_id, str(number)))
    )
    codes = [(status, answer.get("error_code")) for status, answer in answers]
    assert sorted(codes, key=str) == [(200, None), *[(400, "INVALID_PARAMETER_VALUE")] * 31]
    stored = select(Param.value).join(Candidate).where(Candidate.eid == run_id)
    with app.app_context():
        assert list(db.session.scalars(stored)) == [str(codes.index((200, None)))]


def parameter(path: str, run_id: str, value: str) -> dict[str, Any]:
    """The body that logs `lr` in one way or the other."""
    item = {"key": "lr", "value": value}
    return {"run_id": run_id, **(item if path == "log-parameter" else {"params": [item]})}


def test_renaming_and_tagging_the_name_at_once_do_not_block_each_other(wire: Wire) -> None:
    """Both change the candidate and its tag; in different orders they would deadlock."""
    run_id = wire.create_run()

    def rename(number: int) -> int:
        name = f"name-{number}"
        if number % 2:
            return wire.post("runs/update", run_id=run_id, run_name=name)[0]
        return wire.post("runs/set-tag", run_id=run_id, key="mlflow.runName", value=name)[0]

    assert at_once(32, rename) == [200] * 32


def test_models_logged_at_once_are_all_noted(app: Flask, wire: Wire) -> None:
    run_id = wire.create_run()
    fields = {"artifact_path": "m", "flavors": {}, "utc_time_created": "t", "run_id": run_id}
    model = json.dumps(fields)
    answers = at_once(16, lambda _: wire.post("runs/log-model", run_id=run_id, model_json=model))
    assert [status for status, _ in answers] == [200] * 16
    with app.app_context():
        value = db.session.scalar(
            select(CandidateTag.value)
            .join(Candidate, Candidate.id == CandidateTag.candidate_id)
            .where(Candidate.eid == run_id, CandidateTag.key == "mlflow.log-model.history")
        )
    assert len(json.loads(value or "[]")) == 16


def test_versions_made_at_once_get_different_numbers(wire: Wire) -> None:
    wire.post("registered-models/create", name="churn")
    source = f"runs:/{wire.create_run()}/model"

    def make(number: int) -> tuple[int, dict[str, Any]]:
        return wire.post("model-versions/create", name="churn", source=source)

    made = at_once(16, make)
    assert {status for status, _ in made} == {200}
    numbers = sorted(int(answer["model_version"]["version"]) for _, answer in made)
    assert numbers == list(range(1, 17))


def test_an_alias_moved_at_once_is_where_its_history_says(app: Flask, wire: Wire) -> None:
    wire.post("registered-models/create", name="churn")
    source = f"runs:/{wire.create_run()}/model"
    for _ in range(8):
        wire.post("model-versions/create", name="churn", source=source)

    def move(number: int) -> int:
        body = {"name": "churn", "alias": "champion", "version": str(number + 1)}
        return wire.post("registered-models/alias", **body)[0]

    assert set(at_once(8, move)) == {200}
    with app.app_context():
        newest = select(AliasMove).order_by(AliasMove.id.desc()).limit(8)
        moves = list(reversed(db.session.scalars(newest).all()))
        ended = db.session.scalar(
            select(ModelVersion.version)
            .join(ModelAlias, ModelAlias.version_id == ModelVersion.id)
            .where(ModelAlias.model_id == moves[0].model_id)
        )
    for earlier, later in pairwise(moves):
        assert later.version_before == earlier.version_after
    assert moves[-1].version_after == ended
