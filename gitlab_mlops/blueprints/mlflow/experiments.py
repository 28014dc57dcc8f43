"""`/mlflow/experiments/...`"""

from __future__ import annotations

from typing import Any

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import endpoint
from gitlab_mlops.blueprints.mlflow.blueprint import api
from gitlab_mlops.services import experiment_records, experiments
from gitlab_mlops.services.search import search_experiments
from gitlab_mlops.wire import experiments as wire
from gitlab_mlops.wire import filters, paging
from gitlab_mlops.wire.order import parse_experiment_order

BASE = "/api/2.0/mlflow/experiments"


@endpoint(api, "POST", f"{BASE}/create", access=WriteAccess, takes=wire.Create)
def create(access: WriteAccess, name: str, tags: list[tuple[str, str]]) -> Any:
    """Create an experiment."""
    return {"experiment_id": str(experiments.create(access, name, tags))}


@endpoint(api, "GET", f"{BASE}/get", access=ReadAccess, takes=wire.ById)
def get(access: ReadAccess, experiment_id: int) -> Any:
    """One experiment."""
    return {"experiment": wire.experiment(experiments.get(access, experiment_id))}


@endpoint(api, "GET", f"{BASE}/get-by-name", access=ReadAccess, takes=wire.ByName)
def get_by_name(access: ReadAccess, experiment_name: str) -> Any:
    """One experiment, by its name."""
    return {"experiment": wire.experiment(experiments.get_by_name(access, experiment_name))}


@endpoint(api, "GET", f"{BASE}/search", access=ReadAccess, takes=wire.Search)
@endpoint(api, "POST", f"{BASE}/search", access=ReadAccess, takes=wire.Search)
def search(access: ReadAccess, max_results: int, page_token: str, **query: Any) -> Any:
    """The experiments that match a filter."""
    experiments.ensure_default(access)
    where = filters.parse_experiment_filter(query["filter"])
    order = parse_experiment_order(query["order_by"])
    found = search_experiments(
        access,
        where=where,
        order=order,
        view=query["view_type"],
        limit=max_results,
        after=paging.search_position(page_token, order),
    )
    items = [wire.experiment(record) for record in experiment_records.load(access, found.rows)]
    token = paging.search_token(found.after, order) if found.after else None
    return wire.page("experiments", items, token)


@endpoint(api, "POST", f"{BASE}/update", access=WriteAccess, takes=wire.Update)
def update(access: WriteAccess, experiment_id: int, new_name: str) -> Any:
    """Rename an experiment."""
    experiments.rename(access, experiment_id, new_name)
    return {}


@endpoint(api, "POST", f"{BASE}/delete", access=WriteAccess, takes=wire.ById)
def delete(access: WriteAccess, experiment_id: int) -> Any:
    """Move an experiment and its runs to the trash."""
    experiments.delete(access, experiment_id)
    return {}


@endpoint(api, "POST", f"{BASE}/restore", access=WriteAccess, takes=wire.ById)
def restore(access: WriteAccess, experiment_id: int) -> Any:
    """Take an experiment and its runs out of the trash."""
    experiments.restore(access, experiment_id)
    return {}


@endpoint(api, "POST", f"{BASE}/set-experiment-tag", access=WriteAccess, takes=wire.SetTag)
def set_tag(access: WriteAccess, experiment_id: int, key: str, value: str) -> Any:
    """Set a tag of an experiment."""
    experiments.set_tag(access, experiment_id, key, value)
    return {}


@endpoint(api, "POST", f"{BASE}/delete-experiment-tag", access=WriteAccess, takes=wire.DeleteTag)
def delete_tag(access: WriteAccess, experiment_id: int, key: str) -> Any:
    """Remove a tag of an experiment."""
    experiments.delete_tag(access, experiment_id, key)
    return {}
