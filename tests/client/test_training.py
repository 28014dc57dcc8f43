"""The stock clients, MLflow 3 and MLflow 2, log a real training to a project and read it back."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from gitlab_mlops.models.candidates import Candidate
from host_stub.database import db
from tests.client import clients
from tests.factories import Api, Forge


@dataclass(frozen=True)
class Session:
    """A data scientist with one client, and the project where the scripts have run.

    `made` and `found` are what the scripts say of it; `listed`, `exported` and `downloaded` what
    the commands of MLflow's command line printed, or where they put it.
    """

    client: str
    api: Api
    user_id: int
    made: dict[str, Any]
    found: dict[str, Any]
    listed: str
    exported: str
    downloaded: Path

    def run(self, name: str) -> dict[str, Any]:
        """A run of the training script, as the server has it."""
        run: dict[str, Any] = self.api.get("runs/get", run_id=self.made[name])["run"]
        return run


@pytest.fixture(scope="module", params=clients.CLIENTS)
def session(
    request: pytest.FixtureRequest,
    app: Flask,
    live_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Session:
    """Run the scripts, with nothing but the project's address and a token."""
    forge, folder = Forge(app), tmp_path_factory.mktemp("scientist")
    project_id = forge.project()
    user_id = forge.member(project_id, "developer")
    token = forge.token(user_id)
    api = forge.api(project_id, token)
    log = {"uri": live_url + api.base, "token": token, "folder": folder}
    # In this order: the second script counts the project's experiments when it starts.
    found = clients.run_script(request.param, "housekeeping.py", **log)
    made = clients.run_script(request.param, "training.py", **log)
    digits = api.get("runs/get", run_id=made["digits"])["run"]["info"]["experiment_id"]
    downloaded = tmp_path_factory.mktemp("downloaded")
    commands = [
        ["runs", "list", "--experiment-id", "0"],
        ["experiments", "csv", "-x", digits],
        ["artifacts", "download", "--run-id", made["files"], "-d", str(downloaded)],
    ]
    listed, exported, _ = clients.run_script(
        request.param, "commands.py", **log, stdin=json.dumps(commands)
    )
    return Session(
        client=request.param,
        api=api,
        user_id=user_id,
        made=made,
        found=found,
        listed=listed,
        exported=exported,
        downloaded=downloaded,
    )


def data_of(run: dict[str, Any], kind: str) -> dict[str, Any]:
    """The params, tags or metrics of a run by their keys."""
    return {item["key"]: item["value"] for item in run["data"].get(kind, [])}


def test_the_clients_are_the_promised_versions(session: Session) -> None:
    promised = {"MLflow 3": "3.", "MLflow 2": "2.22."}
    for seen in (session.made, session.found):
        assert seen["version"].startswith(promised[session.client])


def test_a_run_without_an_experiment_is_in_default(session: Session) -> None:
    run = session.run("first")
    assert run["info"]["experiment_id"] == "0"
    assert run["info"]["status"] == "FINISHED"
    assert data_of(run, "params") == {"greeting": "hello"}
    assert data_of(run, "metrics") == {"answer": 42.0}


@pytest.mark.parametrize("key", ["loss", "accuracy"])
def test_every_epoch_of_a_metric_is_stored(session: Session, key: str) -> None:
    history = session.api.get("metrics/get-history", run_id=session.made["digits"], metric_key=key)
    assert [int(point["step"]) for point in history["metrics"]] == list(
        range(session.made["epochs"])
    )
    assert all(0 < point["value"] < 5 for point in history["metrics"])


def test_what_is_not_a_number_is_stored(session: Session) -> None:
    metrics = data_of(session.run("digits"), "metrics")
    assert metrics["diverged"] == "NaN"
    assert float(metrics["best"]) > 1e308
    assert float(metrics["worst"]) < -1e308


def test_the_note_and_the_source_are_tags(session: Session) -> None:
    tags = data_of(session.run("digits"), "tags")
    assert tags["mlflow.note.content"] == "**Baseline** of the year"
    assert tags["mlflow.source.name"].endswith("training.py")
    assert tags["mlflow.runName"] == "sgd"


def test_datasets_are_stored_with_their_purpose(session: Session) -> None:
    inputs = session.run("digits")["inputs"]["dataset_inputs"]
    purposes = {
        item["dataset"]["name"]: {tag["key"]: tag["value"] for tag in item["tags"]}
        for item in inputs
    }
    assert purposes["digits-train"]["mlflow.data.context"] == "training"
    assert purposes["digits"]["mlflow.data.context"] == "validation"
    schemas = [json.loads(item["dataset"]["schema"]) for item in inputs]
    assert any("mlflow_tensorspec" in schema for schema in schemas)


def test_grid_search_is_a_parent_with_children(session: Session) -> None:
    parent, *children = session.made["grid"]
    text = f"tags.mlflow.parentRunId = '{parent}'"
    experiment = session.api.get("experiments/get-by-name", experiment_name="wine")["experiment"]
    found = session.api.post(
        "runs/search", experiment_ids=[experiment["experiment_id"]], filter=text
    )
    assert {run["info"]["run_id"] for run in found["runs"]} == set(children)
    assert len(children) == 6


def test_autolog_fills_a_run_by_itself(session: Session) -> None:
    run = session.run("autolog")
    assert {"cv", "param_grid", "best_logisticregression__C"} <= data_of(run, "params").keys()
    assert data_of(run, "metrics")["best_cv_score"] > 0.9
    assert data_of(run, "tags")["estimator_name"] == "GridSearchCV"


def test_a_training_that_raised_has_failed(session: Session) -> None:
    assert session.run("failed")["info"]["status"] == "FAILED"


def test_metrics_of_the_machine_are_stored(session: Session) -> None:
    keys = data_of(session.run("watched"), "metrics").keys()
    assert {"system/cpu_utilization_percentage", "system/system_memory_usage_megabytes"} <= keys


def test_files_are_where_the_server_said(session: Session) -> None:
    run = session.run("files")
    answer = session.api.get("artifacts/list", run_id=run["info"]["run_id"], path="data")
    sizes = {item["path"]: int(item.get("file_size", 0)) for item in answer["files"]}
    assert answer["root_uri"] == run["info"]["artifact_uri"]
    assert sizes == {"data/big.bin": 12_000_000, "data/deep": 0, "data/empty": 0}


def test_uploaded_html_comes_back_as_a_download_only(session: Session) -> None:
    root = session.run("files")["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
    path = f"/api/2.0/mlflow-artifacts/artifacts/{root}/data/deep/deeper/page.html"
    answer = session.api.call("GET", path)
    assert answer.text == "<script>alert(1)</script>"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_model_is_kept_with_its_description(session: Session) -> None:
    answer = session.api.get("artifacts/list", run_id=session.made["model"], path="model")
    assert "model/MLmodel" in {item["path"] for item in answer["files"]}


def test_everything_belongs_to_the_person_behind_the_token(session: Session) -> None:
    wanted = select(Candidate.actor_id).where(Candidate.project_id == session.api.project_id)
    with session.api.app.app_context():
        assert set(db.session.scalars(wanted)) == {str(session.user_id)}


def test_candidates_are_counted_without_gaps(session: Session) -> None:
    wanted = select(Candidate.iid).where(Candidate.project_id == session.api.project_id)
    with session.api.app.app_context():
        numbers = sorted(db.session.scalars(wanted))
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 25


def test_corrections_are_stored(session: Session) -> None:
    run = session.api.get("runs/get", run_id=session.found["renamed"])["run"]
    tags = data_of(run, "tags")
    assert run["info"]["run_name"] == tags["mlflow.runName"] == "Renamed"
    assert tags["resumed"] == "yes"
    assert "temporary" not in tags
    assert data_of(run, "params")["depth"] == "1"


def test_deleted_runs_stay_deleted_and_restored_ones_are_back(session: Session) -> None:
    stages = {
        name: session.api.get("runs/get", run_id=session.found[name])["run"]["info"][
            "lifecycle_stage"
        ]
        for name in ("restored", "deleted")
    }
    assert stages == {"restored": "active", "deleted": "deleted"}
    experiment = session.api.get("experiments/get", experiment_id=session.found["experiment"])
    assert experiment["experiment"]["name"] == "long-lived"
    assert experiment["experiment"]["lifecycle_stage"] == "active"


def test_the_command_line_lists_runs(session: Session) -> None:
    assert session.made["first"] in session.listed
    assert session.made["digits"] not in session.listed


def test_the_command_line_exports_an_experiment(session: Session) -> None:
    rows = list(csv.DictReader(io.StringIO(session.exported)))
    assert [row["run_id"] for row in rows] == [session.made["digits"]]
    assert rows[0]["params.loss"] == "log_loss"
    assert float(rows[0]["metrics.accuracy"]) > 0.8


def test_the_command_line_downloads_artifacts(session: Session) -> None:
    folder = session.downloaded
    assert (folder / "data" / "big.bin").stat().st_size == 12_000_000
    assert (folder / "folders" / "deep" / "ä b+c 100%.bin").read_bytes() == bytes(range(256))
