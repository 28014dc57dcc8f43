"""Registered models and versions as read, with all that belongs to them in a few statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import (
    Candidate,
    LoggedModel,
    ModelAlias,
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelTag,
)
from gitlab_mlops.services.statements import MAX_PARAMETERS, chunks


@dataclass(frozen=True, slots=True)
class VersionRecord:
    """A version as read; times in milliseconds since 1970, tags as (key, value).

    `eid` and `candidate_iid` are those of the candidate that made it, `logged_model` is MLflow's
    id of its files, `m-...`; all are empty or None where there is no such thing. `place` is
    where the files are, `mlflow-artifacts:/...`, and None for a prompt.
    """

    id: int
    model_id: int
    name: str
    version: int
    description: str | None
    stage: str
    status: str
    status_message: str
    source: str
    place: str | None
    run_link: str
    candidate_id: int | None
    eid: str
    candidate_iid: int | None
    logged_model_id: int | None
    logged_model: str
    actor_id: str | None
    job_id: str | None
    created_at: int
    updated_at: int
    tags: list[tuple[str, str]] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A registered model as read; `latest` is its newest version of each stage.

    `aliases` are (alias, version). Times are milliseconds since 1970, tags (key, value).
    """

    id: int
    name: str
    description: str
    last_version: int
    actor_id: str | None
    created_at: int
    updated_at: int
    tags: list[tuple[str, str]] = field(default_factory=list)
    aliases: list[tuple[str, int]] = field(default_factory=list)
    latest: list[VersionRecord] = field(default_factory=list)


MODEL_COLUMNS = (
    RegisteredModel.id,
    RegisteredModel.name,
    RegisteredModel.description,
    RegisteredModel.last_version,
    RegisteredModel.actor_id,
    RegisteredModel.created_at,
    RegisteredModel.updated_at,
)

EID = func.coalesce(Candidate.eid, "")
"""MLflow's run id of a version: the empty text where there is no run."""

_VERSION_COLUMNS: tuple[Any, ...] = (
    ModelVersion.id,
    ModelVersion.model_id,
    RegisteredModel.name,
    ModelVersion.version,
    ModelVersion.description,
    ModelVersion.stage,
    ModelVersion.status,
    ModelVersion.status_message,
    ModelVersion.source,
    ModelVersion.place,
    ModelVersion.run_link,
    ModelVersion.candidate_id,
    EID.label("eid"),
    Candidate.iid,
    ModelVersion.logged_model_id,
    func.coalesce(LoggedModel.model_id, "").label("logged_model"),
    ModelVersion.actor_id,
    ModelVersion.job_id,
    ModelVersion.created_at,
    ModelVersion.updated_at,
)


def select_versions(access: ReadAccess) -> Select[Any]:
    """The versions of the project, in rows for `load_versions`."""
    statement: Select[Any] = select(*_VERSION_COLUMNS)
    return (
        statement.select_from(ModelVersion)
        .join(RegisteredModel, RegisteredModel.id == ModelVersion.model_id)
        .outerjoin(Candidate, Candidate.id == ModelVersion.candidate_id)
        .outerjoin(LoggedModel, LoggedModel.id == ModelVersion.logged_model_id)
        .where(ModelVersion.project_id == access.project.id)
    )


def load_versions(
    access: ReadAccess, rows: Iterable[Sequence[Any]], *, with_aliases: bool = True
) -> list[VersionRecord]:
    """Records with tags, and perhaps aliases, from rows of `select_versions`, in their order."""
    records = {row[0]: VersionRecord(*row) for row in rows}
    for ids in chunks(list(records), MAX_PARAMETERS):
        tags = select(ModelVersionTag.version_id, ModelVersionTag.key, ModelVersionTag.value).where(
            ModelVersionTag.version_id.in_(ids)
        )
        for version_id, key, value in access.session.execute(tags.order_by(ModelVersionTag.key)):
            records[version_id].tags.append((key, value))
        if with_aliases:
            aliases = select(ModelAlias.version_id, ModelAlias.alias).where(
                ModelAlias.version_id.in_(ids)
            )
            for version_id, alias in access.session.execute(aliases.order_by(ModelAlias.alias)):
                records[version_id].aliases.append(alias)
    return list(records.values())


def load_models(access: ReadAccess, rows: Iterable[Sequence[Any]]) -> list[ModelRecord]:
    """Records with tags, aliases and newest versions from rows of `MODEL_COLUMNS`, in order."""
    records = {row[0]: ModelRecord(*row) for row in rows}
    for ids in chunks(list(records), MAX_PARAMETERS):
        _load_tags(access, records, ids)
        _load_aliases(access, records, ids)
        for version in latest_versions(access, ids):
            records[version.model_id].latest.append(version)
    return list(records.values())


def _load_tags(access: ReadAccess, records: dict[int, ModelRecord], ids: Sequence[int]) -> None:
    tag = RegisteredModelTag
    found = select(tag.model_id, tag.key, tag.value).where(tag.model_id.in_(ids)).order_by(tag.key)
    for model_id, key, value in access.session.execute(found):
        records[model_id].tags.append((key, value))


def _load_aliases(access: ReadAccess, records: dict[int, ModelRecord], ids: Sequence[int]) -> None:
    found = (
        select(ModelAlias.model_id, ModelAlias.alias, ModelVersion.version)
        .join(ModelVersion, ModelVersion.id == ModelAlias.version_id)
        .where(ModelAlias.model_id.in_(ids))
        .order_by(ModelAlias.alias)
    )
    for model_id, alias, version in access.session.execute(found):
        records[model_id].aliases.append((alias, version))


def latest_versions(
    access: ReadAccess, model_ids: Sequence[int], *, with_aliases: bool = False
) -> list[VersionRecord]:
    """The newest version of each stage of these models (internal ids).

    In MLflow's order: stages by their first version.
    """
    each = aliased(ModelVersion)
    stage = (each.model_id, each.stage)
    places = (
        select(
            each.id,
            func.row_number().over(partition_by=stage, order_by=each.version.desc()).label("place"),
            func.min(each.version).over(partition_by=stage).label("first"),
        )
        # Not by project, which the query around it does: SQLite would go through all of it.
        .where(each.model_id.in_(model_ids))
        .subquery()
    )
    rows = access.session.execute(
        select_versions(access)
        .join(places, places.c.id == ModelVersion.id)
        .where(places.c.place == 1)
        .order_by(ModelVersion.model_id, places.c.first)
    )
    return load_versions(access, rows, with_aliases=with_aliases)
