"""`/mlflow/runs/log-inputs`, `outputs`, `log-model`, and the search for datasets."""

from __future__ import annotations

from typing import Any

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import endpoint
from gitlab_mlops.blueprints.mlflow.blueprint import api
from gitlab_mlops.services import inputs
from gitlab_mlops.services.records import DatasetInput
from gitlab_mlops.wire import inputs as wire

BASE = "/api/2.0/mlflow"
MAX_SUMMARIES = 1000


@endpoint(api, "POST", f"{BASE}/runs/log-inputs", access=WriteAccess, takes=wire.LogInputs)
def log_inputs(
    access: WriteAccess, run_id: str, datasets: list[DatasetInput], models: list[str]
) -> Any:
    """Note which datasets and logged models a run used."""
    inputs.log_inputs(access, run_id, datasets, models)
    return {}


@endpoint(api, "POST", f"{BASE}/runs/outputs", access=WriteAccess, takes=wire.LogOutputs)
def log_outputs(access: WriteAccess, run_id: str, models: list[tuple[str, int]]) -> Any:
    """Note which logged models a run made."""
    inputs.log_outputs(access, run_id, models)
    return {}


@endpoint(api, "POST", f"{BASE}/runs/log-model", access=WriteAccess, takes=wire.LogModel)
def log_model(access: WriteAccess, run_id: str, model: dict[str, Any]) -> Any:
    """Note a model that MLflow 2 stored among a run's artifacts."""
    inputs.log_model(access, run_id, wire.model_summary(model))
    return {}


@endpoint(
    api,
    "POST",
    f"{BASE}/experiments/search-datasets",
    access=ReadAccess,
    takes=wire.SearchDatasets,
)
def search_datasets(access: ReadAccess, experiment_ids: list[int]) -> Any:
    """The datasets that the runs of some experiments used."""
    found = inputs.search_datasets(access, experiment_ids, MAX_SUMMARIES)
    if not found:
        return {}
    return {"dataset_summaries": [wire.dataset_summary(*row) for row in found]}
