"""`/mlflow/registered-models/...`"""

from __future__ import annotations

from typing import Any

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import endpoint, strongest
from gitlab_mlops.blueprints.mlflow.blueprint import api
from gitlab_mlops.services.registry import aliases, registered_models, versions
from gitlab_mlops.services.registry.records import load_models
from gitlab_mlops.services.registry.search import search_models
from gitlab_mlops.wire import filters, paging
from gitlab_mlops.wire import registered_models as wire
from gitlab_mlops.wire.experiments import page
from gitlab_mlops.wire.model_versions import model_version
from gitlab_mlops.wire.order import parse_registered_model_order

BASE = "/api/2.0/mlflow/registered-models"
ALIAS = f"{BASE}/alias"


@endpoint(api, "POST", f"{BASE}/create", access=WriteAccess, takes=wire.Create)
def create(access: WriteAccess, name: str, tags: list[tuple[str, str]], description: str) -> Any:
    """Register a name."""
    made = registered_models.create(access, name, dict(tags), description)
    return {"registered_model": wire.registered_model(made)}


@endpoint(api, "GET", f"{BASE}/get", access=ReadAccess, takes=wire.ByName)
def get(access: ReadAccess, name: str) -> Any:
    """One registered model, with its newest version of each stage."""
    return {"registered_model": wire.registered_model(registered_models.get(access, name))}


@endpoint(api, "GET", f"{BASE}/search", access=ReadAccess, takes=wire.Search)
def search(access: ReadAccess, max_results: int, page_token: str, **query: Any) -> Any:
    """The registered models that match a filter."""
    order = parse_registered_model_order(query["order_by"])
    found = search_models(
        access,
        where=filters.parse_registered_model_filter(query["filter"]),
        order=order,
        limit=max_results,
        after=paging.search_position(page_token, order),
    )
    items = [wire.registered_model(record) for record in load_models(access, found.rows)]
    token = paging.search_token(found.after, order) if found.after else None
    return page("registered_models", items, token)


@endpoint(api, "PATCH", f"{BASE}/update", access=WriteAccess, takes=wire.Update)
def update(access: WriteAccess, name: str, description: str) -> Any:
    """Describe a model."""
    changed = registered_models.describe(access, name, description)
    return {"registered_model": wire.registered_model(changed)}


@endpoint(api, "POST", f"{BASE}/rename", access=WriteAccess, takes=wire.Rename)
def rename(access: WriteAccess, name: str, new_name: str) -> Any:
    """Rename a model, with its versions."""
    renamed = registered_models.rename(strongest(access), name, new_name)
    return {"registered_model": wire.registered_model(renamed)}


@endpoint(api, "DELETE", f"{BASE}/delete", access=WriteAccess, takes=wire.ByName)
def delete(access: WriteAccess, name: str) -> Any:
    """Delete a model, with its versions."""
    registered_models.delete(strongest(access), name)
    return {}


@endpoint(api, "GET", f"{BASE}/get-latest-versions", access=ReadAccess, takes=wire.Latest)
@endpoint(api, "POST", f"{BASE}/get-latest-versions", access=ReadAccess, takes=wire.Latest)
def latest(access: ReadAccess, name: str, stages: list[str]) -> Any:
    """The newest version of each stage."""
    found = versions.latest(access, name, stages)
    return page("model_versions", [model_version(version) for version in found], None)


@endpoint(api, "POST", f"{BASE}/set-tag", access=WriteAccess, takes=wire.SetTag)
def set_tag(access: WriteAccess, name: str, key: str, value: str) -> Any:
    """Set a tag of a model."""
    registered_models.set_tag(access, name, key, value)
    return {}


@endpoint(api, "DELETE", f"{BASE}/delete-tag", access=WriteAccess, takes=wire.DeleteTag)
def delete_tag(access: WriteAccess, name: str, key: str) -> Any:
    """Remove a tag of a model."""
    registered_models.delete_tag(access, name, key)
    return {}


@endpoint(api, "GET", ALIAS, access=ReadAccess, takes=wire.ByAlias)
def get_by_alias(access: ReadAccess, name: str, alias: str) -> Any:
    """The version that an alias stands for."""
    return {"model_version": model_version(aliases.find(access, name, alias))}


@endpoint(api, "POST", ALIAS, access=WriteAccess, takes=wire.SetAlias)
def set_alias(access: WriteAccess, name: str, alias: str, version: int) -> Any:
    """Set or move an alias; a protected one needs a maintainer."""
    aliases.put(strongest(access), name, alias, version)
    return {}


@endpoint(api, "DELETE", ALIAS, access=WriteAccess, takes=wire.ByAlias)
def delete_alias(access: WriteAccess, name: str, alias: str) -> Any:
    """Remove an alias; a protected one needs a maintainer."""
    aliases.delete(strongest(access), name, alias)
    return {}
