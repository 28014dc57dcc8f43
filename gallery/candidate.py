"""One candidate, logged with few requests: what is measured is kept, and sent in batches."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import DatasetInput, InputTag, Metric, Param, RunTag
from mlflow.tracking.context.registry import resolve_tags
from sklearn.base import BaseEstimator

from demo.train import Data

CLIENT = mlflow.MlflowClient()
BATCH = 1000
"""What the tracking API takes in one request."""
NOTE = "mlflow.note.content"
_INPUTS: dict[str, list[DatasetInput]] = {}


@dataclass
class Candidate:
    """What a training says about itself until it is sent."""

    run_id: str
    folder: Path = Path()
    """Files put here become its artifacts."""
    points: list[Metric] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    def measure(self, step: int = 0, /, **values: float) -> None:
        """Keep a point of each metric, at this moment."""
        now = time.time_ns() // 1_000_000
        self.points += [Metric(key, float(value), now, step) for key, value in values.items()]

    def latest(self, key: str) -> float:
        """The last value of a metric."""
        return next(point.value for point in reversed(self.points) if point.key == key)

    def send(self) -> None:
        """Send all points."""
        for first in range(0, len(self.points), BATCH):
            CLIENT.log_batch(self.run_id, metrics=self.points[first : first + BATCH])


@contextmanager
def candidate(
    name: str,
    experiment_id: str,
    params: Mapping[str, Any],
    *,
    data: Data | None = None,
    parent: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> Iterator[Candidate]:
    """Start a candidate, send what the block measures and writes, and end it; failed if it raises.

    Training goes wrong with `FloatingPointError` or `ValueError`; these go no further.
    """
    run_id = start(name, experiment_id, params, data=data, parent=parent, tags=tags)
    with tempfile.TemporaryDirectory() as folder:
        made = Candidate(run_id, Path(folder))
        status = "FINISHED"
        try:
            yield made
        except (FloatingPointError, ValueError) as error:
            status = "FAILED"
            made.tags["error"] = str(error).partition(".")[0]
            print(f"  {name} failed: {error}", flush=True)
        made.send()
        if made.tags:
            CLIENT.log_batch(run_id, tags=[RunTag(*pair) for pair in made.tags.items()])
        if any(made.folder.iterdir()):
            CLIENT.log_artifacts(run_id, folder)
    CLIENT.set_terminated(run_id, status)


def start(
    name: str,
    experiment_id: str,
    params: Mapping[str, Any],
    *,
    data: Data | None = None,
    parent: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Start a candidate with its parameters and data sets; its run id."""
    given = {**claims(), **(tags or {})}
    if parent is not None:
        given["mlflow.parentRunId"] = parent
    run_id: str = CLIENT.create_run(experiment_id, run_name=name, tags=given).info.run_id
    CLIENT.log_batch(run_id, params=[Param(key, str(value)) for key, value in params.items()])
    if data is not None:
        CLIENT.log_inputs(run_id, inputs_of(data))
    return run_id


def claims() -> dict[str, str]:
    """What the client says about itself, as `mlflow.start_run` does; in a job, GitLab's variables.

    The path of the source is the one in the repository.
    """
    found = dict(resolve_tags())
    source = Path(found.get("mlflow.source.name", "train.py"))
    found["mlflow.source.name"] = f"gallery/{source.name}"
    job = {f"gitlab.{key}": value for key, value in os.environ.items() if key.startswith("CI_")}
    if "gitlab.CI_COMMIT_SHA" in job:
        found["mlflow.source.type"] = "JOB"
        found["mlflow.source.git.commit"] = job["gitlab.CI_COMMIT_SHA"]
        found["mlflow.source.git.branch"] = job["gitlab.CI_COMMIT_REF_NAME"]
    return {**found, **job}


def inputs_of(data: Data) -> list[DatasetInput]:
    """What is trained and judged on. Reading a data set takes a while, so once is enough."""
    if data.name not in _INPUTS:
        _INPUTS[data.name] = [
            _input(data, "training", data.x_train, data.y_train),
            _input(data, "evaluation", data.x_test, data.y_test),
        ]
    return _INPUTS[data.name]


def _input(data: Data, context: str, x: Any, y: Any) -> DatasetInput:
    frame = x.assign(target=y.astype(float))
    dataset = mlflow.data.from_pandas(frame, targets="target", name=f"{data.name}-{context}")
    tags = [InputTag("mlflow.data.context", context)]
    return DatasetInput(dataset._to_mlflow_entity(), tags)


def experiment(name: str, metric: str, *, greater_is_better: bool, note: str) -> str:
    """Make an experiment that says what it is about, unless it is there; its id."""
    tags = {
        "mlflow.experiment.primaryMetric.name": metric,
        "mlflow.experiment.primaryMetric.greaterIsBetter": str(greater_is_better),
        NOTE: note,
    }
    experiment_id: str = mlflow.set_experiment(name).experiment_id
    mlflow.set_experiment_tags(tags)
    return experiment_id


def name_of(kind: str, settings: Mapping[str, Any], grid: Mapping[str, list[Any]]) -> str:
    """What tells a candidate of a grid from the others: the settings that are tried."""
    tried = [settings[key] for key, values in grid.items() if len(values) > 1]
    words = [f"{value:g}" if isinstance(value, int | float) else str(value) for value in tried]
    return "-".join([kind, *words])


def params_of(model: BaseEstimator) -> dict[str, Any]:
    """The kind of the model, and its parameters that are set."""
    given = {key: value for key, value in model.get_params().items() if value is not None}
    return {"model": type(model).__name__, **given}
