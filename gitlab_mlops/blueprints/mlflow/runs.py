"""`/mlflow/runs/...`: the life of a run. Inside, a run is a candidate."""

from __future__ import annotations

from typing import Any

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import endpoint
from gitlab_mlops.blueprints.mlflow.blueprint import api
from gitlab_mlops.blueprints.mlflow.written_runs import written_runs
from gitlab_mlops.services import candidates, experiments
from gitlab_mlops.services.search import search_candidates
from gitlab_mlops.wire import filters, paging
from gitlab_mlops.wire import runs as wire
from gitlab_mlops.wire.experiments import page
from gitlab_mlops.wire.order import parse_candidate_order

BASE = "/api/2.0/mlflow/runs"


@endpoint(api, "POST", f"{BASE}/create", access=WriteAccess, takes=wire.Create)
def create(access: WriteAccess, experiment_iid: int, **given: Any) -> Any:
    """Start a run."""
    return {"run": wire.new_run(candidates.create(access, experiment_iid, **given))}


@endpoint(api, "GET", f"{BASE}/get", access=ReadAccess, takes=wire.ByEitherId)
def get(access: ReadAccess, run_id: str) -> Any:
    """One run with its latest metrics, parameters, tags and inputs."""
    return {"run": wire.run(candidates.get_written(access, run_id))}


@endpoint(api, "POST", f"{BASE}/update", access=WriteAccess, takes=wire.Update)
def update(access: WriteAccess, run_id: str, **given: Any) -> Any:
    """Change a run's status, end or name."""
    return {"run_info": wire.info(candidates.change(access, run_id, **given))}


@endpoint(api, "POST", f"{BASE}/delete", access=WriteAccess, takes=wire.ById)
def delete(access: WriteAccess, run_id: str) -> Any:
    """Move a run to the trash."""
    candidates.delete(access, run_id)
    return {}


@endpoint(api, "POST", f"{BASE}/restore", access=WriteAccess, takes=wire.ById)
def restore(access: WriteAccess, run_id: str) -> Any:
    """Take a run out of the trash."""
    candidates.restore(access, run_id)
    return {}


@endpoint(api, "POST", f"{BASE}/set-tag", access=WriteAccess, takes=wire.SetTag)
def set_tag(access: WriteAccess, run_id: str, key: str, value: str) -> Any:
    """Set a tag of a run."""
    candidates.set_tags(access, run_id, [(key, value)])
    return {}


@endpoint(api, "POST", f"{BASE}/delete-tag", access=WriteAccess, takes=wire.DeleteTag)
def delete_tag(access: WriteAccess, run_id: str, key: str) -> Any:
    """Remove a tag of a run."""
    candidates.delete_tag(access, run_id, key)
    return {}


@endpoint(api, "POST", f"{BASE}/search", access=ReadAccess, takes=wire.Search)
def search(access: ReadAccess, max_results: int, page_token: str, **query: Any) -> Any:
    """The runs of some experiments that match a filter."""
    order = parse_candidate_order(query["order_by"])
    found = search_candidates(
        access,
        experiments.ids(access, query["experiment_ids"]),
        where=filters.parse_candidate_filter(query["filter"]),
        order=order,
        view=query["view"],
        limit=max_results,
        after=paging.search_position(page_token, order),
    )
    items = written_runs(access, found.rows)
    after = found.first(len(items)).after
    return page("runs", items, paging.search_token(after, order) if after else None)
