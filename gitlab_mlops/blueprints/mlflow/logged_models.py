"""`/mlflow/logged-models/...`: the models of MLflow 3."""

from __future__ import annotations

from typing import Any

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import endpoint, mounted
from gitlab_mlops.blueprints.mlflow.blueprint import api
from gitlab_mlops.models import LoggedModelStatus
from gitlab_mlops.services import artifacts, experiments
from gitlab_mlops.services.logged_models import life, records
from gitlab_mlops.services.logged_models.search import search as search_models
from gitlab_mlops.wire import artifacts as wire_artifacts
from gitlab_mlops.wire import filters, paging, paths
from gitlab_mlops.wire import logged_models as wire
from gitlab_mlops.wire.experiments import page

BASE = "/api/2.0/mlflow/logged-models"
ONE = f"{BASE}/<model_id>"
Pairs = list[tuple[str, str]]


@endpoint(api, "POST", BASE, access=WriteAccess, takes=wire.Create)
def create(access: WriteAccess, experiment_iid: int, **given: Any) -> Any:
    """Make a logged model, before its files are uploaded."""
    return {"model": wire.model(life.create(access, experiment_iid, **given))}


@endpoint(api, "GET", ONE, access=ReadAccess, takes=wire.Get)
def get(access: ReadAccess, model_id: str, deleted: bool) -> Any:
    """One logged model with its parameters, tags and metrics."""
    return {"model": wire.model(life.get(access, model_id, deleted=deleted))}


@endpoint(api, "PATCH", ONE, access=WriteAccess, takes=wire.Finalize)
def finalize(
    access: WriteAccess, model_id: str, repeated_id: str, status: LoggedModelStatus
) -> Any:
    """Say that the files are uploaded, or that they could not be."""
    wire.check_same(model_id, repeated_id)
    return {"model": wire.model(life.finalize(access, model_id, status))}


@endpoint(api, "DELETE", ONE, access=WriteAccess)
def delete(access: WriteAccess, model_id: str) -> Any:
    """Hide a logged model."""
    life.delete(access, model_id)
    return {}


@endpoint(api, "PATCH", f"{ONE}/tags", access=WriteAccess, takes=wire.SetTags)
def set_tags(access: WriteAccess, model_id: str, repeated_id: str, tags: Pairs) -> Any:
    """Set tags of a logged model."""
    wire.check_same(model_id, repeated_id)
    life.set_tags(access, model_id, tags)
    return {}


# A key may have slashes, and the client does not escape them.
@endpoint(api, "DELETE", f"{ONE}/tags/<path:tag_key>", access=WriteAccess)
def delete_tag(access: WriteAccess, model_id: str, tag_key: str) -> Any:
    """Remove a tag of a logged model."""
    life.delete_tag(access, model_id, tag_key)
    return {}


@endpoint(api, "POST", f"{ONE}/params", access=WriteAccess, takes=wire.LogParams)
def log_params(access: WriteAccess, model_id: str, repeated_id: str, params: Pairs) -> Any:
    """Add parameters to a logged model."""
    wire.check_same(model_id, repeated_id)
    life.log_params(access, model_id, params)
    return {}


@endpoint(api, "GET", f"{ONE}/artifacts/directories", access=ReadAccess, takes=wire.ListFolder)
def list_folder(access: ReadAccess, model_id: str, path: str) -> Any:
    """What is in a folder of a logged model; names are relative to the model's files."""
    folder = paths.to_read(path)
    root_uri = wire.artifact_uri(life.get(access, model_id))
    root = root_uri.removeprefix("mlflow-artifacts:/")
    place = artifacts.locate(access, f"{root}/{folder}" if folder else root)
    access.session.commit()
    found = artifacts.list_folder(mounted().storage, place)
    return {"root_uri": root_uri, **wire_artifacts.files(found, folder)}


@endpoint(api, "POST", f"{BASE}/search", access=ReadAccess, takes=wire.Search)
def search(access: ReadAccess, max_results: int, page_token: str, **query: Any) -> Any:
    """The logged models of some experiments that match a filter."""
    order = query["order"]
    found = search_models(
        access,
        experiments.ids(access, query["experiment_iids"]),
        where=filters.parse_logged_model_filter(query["filter"]),
        datasets=query["datasets"],
        order=order,
        limit=max_results,
        after=paging.search_position(page_token, order),
    )
    models = [wire.model(record) for record in records.load(access, found.rows)]
    return page("models", models, paging.search_token(found.after, order) if found.after else None)
