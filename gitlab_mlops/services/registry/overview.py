"""What pages show of the registry: models in a list, versions page by page, their main metrics."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import and_, case, func, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import (
    Candidate,
    MetricKey,
    MetricSeries,
    ModelAlias,
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
)
from gitlab_mlops.services import experiment_records, leaders
from gitlab_mlops.services.objectives import DIRECTION_TAG, NAME_TAG, Objective
from gitlab_mlops.services.registry.records import (
    VersionRecord,
    load_versions,
    select_versions,
)
from gitlab_mlops.services.registry.search import is_prompt_model
from gitlab_mlops.services.search.keyset import Position, SortKey
from gitlab_mlops.services.search.pages import read_page

Sort = Literal["activity", "name"]
Kind = Literal["models", "prompts"]

SEMVER_TAG = "gitlab.version"
"""The tag of a version in which people keep its semantic version."""
MAX_BEGINNING = 500
"""Characters of a description that a list needs for its first line."""
MAX_TAG = 250


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest version of a model; `semver` is empty where nobody gave it one."""

    version: int
    stage: str
    semver: str


@dataclass(slots=True)
class ModelSummary:
    """A model of a list. Times are milliseconds since 1970; `aliases` are (alias, version)."""

    id: int
    name: str
    beginning: str
    actor_id: str | None
    updated_at: int
    newest: Newest | None = None
    aliases: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RegistryCounts:
    """How many models and how many prompts the project has."""

    models: int
    prompts: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The latest value of a candidate in the main metric of its experiment."""

    objective: Objective
    value: float


def list_models(
    access: ReadAccess,
    *,
    kind: Kind = "models",
    name: str = "",
    sort: Sort = "activity",
    after: Position | None = None,
    limit: int,
) -> tuple[list[ModelSummary], Position | None]:
    """Models, or prompts, whose name contains `name` in any case, and where the next page starts.

    The last changed first, or by name. Raises `Invalid` if `after` is no position in this order.
    """
    condition = is_prompt_model() if kind == "prompts" else ~is_prompt_model()
    statement = select(
        RegisteredModel.id,
        RegisteredModel.name,
        func.substr(RegisteredModel.description, 1, MAX_BEGINNING),
        RegisteredModel.actor_id,
        RegisteredModel.updated_at,
    ).where(RegisteredModel.project_id == access.project.id, condition)
    if name:
        statement = statement.where(RegisteredModel.name.icontains(name, autoescape=True))
    keys = [SortKey(RegisteredModel.id.expression, int, descending=True)]
    if sort == "name":
        keys = [SortKey(RegisteredModel.name.expression, str)]
    else:
        keys.insert(0, SortKey(RegisteredModel.updated_at.expression, int, descending=True))
    page = read_page(access.session, keys, lambda _: statement, limit=limit, after=after)
    found = {row[0]: ModelSummary(*row[:5]) for row in page.rows}
    _add_versions(access, found)
    return list(found.values()), page.after


def _add_versions(access: ReadAccess, found: dict[int, ModelSummary]) -> None:
    """Add the newest version of each model, and the aliases."""
    if not found:
        return
    last = (
        select(ModelVersion.model_id, func.max(ModelVersion.version).label("version"))
        .where(ModelVersion.model_id.in_(list(found)))
        .group_by(ModelVersion.model_id)
        .subquery()
    )
    is_last = and_(ModelVersion.model_id == last.c.model_id, ModelVersion.version == last.c.version)
    semver = func.substr(func.coalesce(ModelVersionTag.value, ""), 1, MAX_TAG)
    is_semver = and_(
        ModelVersionTag.version_id == ModelVersion.id, ModelVersionTag.key == SEMVER_TAG
    )
    rows = access.session.execute(
        select(ModelVersion.model_id, ModelVersion.version, ModelVersion.stage, semver)
        .join(last, is_last)
        .outerjoin(ModelVersionTag, is_semver)
    )
    for model_id, *newest in rows:
        found[model_id].newest = Newest(*newest)
    aliases = (
        select(ModelAlias.model_id, ModelAlias.alias, ModelVersion.version)
        .join(ModelVersion, ModelVersion.id == ModelAlias.version_id)
        .where(ModelAlias.model_id.in_(list(found)))
        .order_by(ModelVersion.version.desc(), ModelAlias.alias)
    )
    for model_id, alias, version in access.session.execute(aliases):
        found[model_id].aliases.append((alias, version))


def count_models(access: ReadAccess) -> RegistryCounts:
    """How many models and prompts the project has."""
    statement = select(
        func.count(), func.coalesce(func.sum(case((is_prompt_model(), 1), else_=0)), 0)
    ).where(RegisteredModel.project_id == access.project.id)
    total, prompts = access.session.execute(statement).one()
    return RegistryCounts(total - prompts, prompts)


def list_versions(
    access: ReadAccess, model_id: int, *, before: int | None = None, limit: int
) -> list[VersionRecord]:
    """The versions of a model (internal id), the newest first, of those below `before`."""
    statement = select_versions(access).where(ModelVersion.model_id == model_id)
    if before is not None:
        statement = statement.where(ModelVersion.version < before)
    rows = access.session.execute(statement.order_by(ModelVersion.version.desc()).limit(limit))
    return load_versions(access, rows.all())


def count_versions(access: ReadAccess, model_id: int) -> int:
    """How many versions a model (internal id) has."""
    statement = select(func.count()).where(
        ModelVersion.model_id == model_id, ModelVersion.project_id == access.project.id
    )
    return access.session.execute(statement).scalar_one()


def main_metrics(access: ReadAccess, candidate_ids: Collection[int]) -> dict[int, Measured]:
    """What candidates (internal ids) reached in the main metrics of their experiments, if known."""
    if not candidate_ids:
        return {}
    places: dict[int, int] = dict(
        access.session.execute(
            select(Candidate.id, Candidate.experiment_id).where(
                Candidate.project_id == access.project.id, Candidate.id.in_(candidate_ids)
            )
        ).all()
    )
    tags = experiment_records.tags_of(
        access, set(places.values()), (NAME_TAG, DIRECTION_TAG), length=MAX_TAG
    )
    mains = leaders.objectives(access, tags)
    found = {}
    for candidate_id, key, value in _values(access, places, {each.key for each in mains.values()}):
        objective = mains.get(places[candidate_id])
        if objective is not None and objective.key == key:
            found[candidate_id] = Measured(objective, value)
    return found


def _values(
    access: ReadAccess, candidate_ids: Collection[int], keys: Collection[str]
) -> Sequence[Any]:
    if not keys:
        return []
    return access.session.execute(
        select(MetricSeries.candidate_id, MetricKey.key, MetricSeries.value)
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(
            MetricKey.project_id == access.project.id,
            MetricKey.key.in_(keys),
            MetricSeries.candidate_id.in_(candidate_ids),
        )
    ).all()
