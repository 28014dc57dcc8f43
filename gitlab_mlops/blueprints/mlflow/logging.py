"""`/mlflow/runs/log-...`: metrics, parameters and tags, one by one and in batches."""

from __future__ import annotations

from typing import Any

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.blueprints.endpoint import endpoint
from gitlab_mlops.blueprints.mlflow.blueprint import api
from gitlab_mlops.services import logging
from gitlab_mlops.services.points import Point
from gitlab_mlops.wire import runs as wire

BASE = "/api/2.0/mlflow/runs"


@endpoint(api, "POST", f"{BASE}/log-metric", access=WriteAccess, takes=wire.LogMetric)
def log_metric(access: WriteAccess, run_id: str, **point: Any) -> Any:
    """Log one point of a metric."""
    logging.log(access, run_id, points=[Point(**point)])
    return {}


@endpoint(api, "POST", f"{BASE}/log-parameter", access=WriteAccess, takes=wire.LogParam)
def log_parameter(access: WriteAccess, run_id: str, key: str, value: str) -> Any:
    """Log one parameter."""
    logging.log(access, run_id, params=[(key, value)])
    return {}


@endpoint(api, "POST", f"{BASE}/log-batch", access=WriteAccess, takes=wire.LogBatch)
def log_batch(access: WriteAccess, run_id: str, **batch: Any) -> Any:
    """Log metrics, parameters and tags; all of them or, if one is wrong, none."""
    wire.check_batch(batch)
    logging.log(access, run_id, points=batch["metrics"], params=batch["params"], tags=batch["tags"])
    return {}
