"""`/mlflow/model-versions/...`"""

from __future__ import annotations

from typing import Any

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import endpoint, strongest
from gitlab_mlops.blueprints.mlflow.blueprint import api
from gitlab_mlops.services.registry import versions
from gitlab_mlops.services.registry.records import load_versions
from gitlab_mlops.services.registry.search import search_versions
from gitlab_mlops.services.registry.sources import Source
from gitlab_mlops.wire import filters, paging
from gitlab_mlops.wire import model_versions as wire
from gitlab_mlops.wire.experiments import page
from gitlab_mlops.wire.order import parse_model_version_order

BASE = "/api/2.0/mlflow/model-versions"
DOWNLOAD = f"{BASE}/get-download-uri"
STAGE = f"{BASE}/transition-stage"


@endpoint(api, "POST", f"{BASE}/create", access=WriteAccess, takes=wire.Create)
def create(
    access: WriteAccess, name: str, source: Source, tags: list[tuple[str, str]], **said: str
) -> Any:
    """Make the next version of a model."""
    made = versions.create(access, name, source, tags=dict(tags), **said)
    return {"model_version": wire.model_version(made)}


@endpoint(api, "GET", f"{BASE}/get", access=ReadAccess, takes=wire.ByNumber)
def get(access: ReadAccess, name: str, version: int) -> Any:
    """One version."""
    return {"model_version": wire.model_version(versions.get(access, name, version))}


@endpoint(api, "GET", f"{BASE}/search", access=ReadAccess, takes=wire.Search)
def search(access: ReadAccess, max_results: int, page_token: str, **query: Any) -> Any:
    """The versions that match a filter."""
    order = parse_model_version_order(query["order_by"])
    found = search_versions(
        access,
        where=filters.parse_model_version_filter(query["filter"]),
        order=order,
        limit=max_results,
        after=paging.search_position(page_token, order),
    )
    records = load_versions(access, found.rows, with_aliases=False)
    token = paging.search_token(found.after, order) if found.after else None
    return page("model_versions", [wire.model_version(record) for record in records], token)


@endpoint(api, "PATCH", f"{BASE}/update", access=WriteAccess, takes=wire.Update)
def update(access: WriteAccess, name: str, version: int, description: str | None) -> Any:
    """Describe a version."""
    changed = versions.describe(access, name, version, description)
    return {"model_version": wire.model_version(changed)}


@endpoint(api, "POST", STAGE, access=WriteAccess, takes=wire.Transition)
def transition(
    access: WriteAccess, name: str, version: int, stage: str, archive_existing_versions: bool
) -> Any:
    """Move a version to a stage."""
    moved = versions.move_to_stage(
        access, name, version, stage, archive_others=archive_existing_versions
    )
    return {"model_version": wire.model_version(moved)}


@endpoint(api, "DELETE", f"{BASE}/delete", access=WriteAccess, takes=wire.ByNumber)
def delete(access: WriteAccess, name: str, version: int) -> Any:
    """Delete a version."""
    versions.delete(strongest(access), name, version)
    return {}


@endpoint(api, "GET", DOWNLOAD, access=ReadAccess, takes=wire.ByNumber)
def download_uri(access: ReadAccess, name: str, version: int) -> Any:
    """Where the files of a version are; of a prompt, which has none, its placeholder."""
    found = versions.get(access, name, version)
    return {"artifact_uri": found.source if found.place is None else found.place}


@endpoint(api, "POST", f"{BASE}/set-tag", access=WriteAccess, takes=wire.SetTag)
def set_tag(access: WriteAccess, name: str, version: int, key: str, value: str) -> Any:
    """Set a tag of a version."""
    versions.set_tag(access, name, version, key, value)
    return {}


@endpoint(api, "DELETE", f"{BASE}/delete-tag", access=WriteAccess, takes=wire.DeleteTag)
def delete_tag(access: WriteAccess, name: str, version: int, key: str) -> Any:
    """Remove a tag of a version."""
    versions.delete_tag(access, name, version, key)
    return {}
