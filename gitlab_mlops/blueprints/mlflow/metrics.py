"""`/mlflow/metrics/...`: the histories of metrics."""

from __future__ import annotations

from typing import Any

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import endpoint
from gitlab_mlops.blueprints.mlflow.blueprint import api
from gitlab_mlops.services import history
from gitlab_mlops.wire import metrics as wire
from gitlab_mlops.wire.experiments import page

BASE = "/api/2.0/mlflow/metrics"


@endpoint(api, "GET", f"{BASE}/get-history", access=ReadAccess, takes=wire.GetHistory)
def get_history(
    access: ReadAccess, run_id: str, metric_key: str, max_results: int | None, page_token: str
) -> Any:
    """The points of a metric of a run."""
    after = wire.position(page_token)
    return wire.history(
        history.get_history(access, run_id, metric_key, limit=max_results, after=after)
    )


@endpoint(api, "GET", f"{BASE}/get-history-bulk", access=ReadAccess, takes=wire.GetHistoryBulk)
def get_history_bulk(
    access: ReadAccess, run_ids: list[str], metric_key: str, max_results: int
) -> Any:
    """The points of a metric of several runs."""
    found = history.get_histories(access, run_ids, metric_key, limit=max_results)
    return {"metrics": [wire.run_metric(eid, point) for eid, point in found]}


@endpoint(
    api,
    "GET",
    f"{BASE}/get-history-bulk-interval",
    access=ReadAccess,
    takes=wire.GetHistoryBulkInterval,
)
def get_history_bulk_interval(
    access: ReadAccess,
    run_ids: list[str],
    metric_key: str,
    start_step: int | None,
    end_step: int | None,
    max_results: int,
) -> Any:
    """A metric of several runs, each sampled evenly over a range of steps."""
    steps = wire.step_range(start_step, end_step)
    found = [
        wire.run_metric(eid, point)
        for eid in run_ids
        for point in history.sample(access, eid, metric_key, size=max_results, steps=steps)
    ]
    return page("metrics", found, None)
