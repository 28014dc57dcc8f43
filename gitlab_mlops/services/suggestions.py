"""What somebody who types a reference may mean: the newest things with such a number or name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Executable,
    Select,
    Subquery,
    Text,
    cast,
    exists,
    func,
    select,
    union_all,
)

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import (
    PROMPT_TAG,
    Candidate,
    Experiment,
    ModelAlias,
    ModelVersion,
    RegisteredModel,
    RegisteredModelTag,
)

MAX_SUGGESTIONS = 10
LOOKED_AT = 10_000
"""The newest things of a project, among which a name is looked for."""
# What references can say; below PostgreSQL's largest integer.
MAX_DIGITS = 9
# Clients that do not say when a candidate started send 0.
_STARTED_AT = func.coalesce(func.nullif(Candidate.start_time, 0), Candidate.created_at)

Model = type[Candidate] | type[Experiment]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A thing that is not in the trash; of a candidate also its experiment and status.

    `started_at` is in milliseconds since 1970, of an experiment when it was made.
    """

    iid: int
    name: str
    started_at: int
    experiment_name: str = ""
    status: int = 0

    @property
    def label(self) -> str:
        """What names it in a reference."""
        return str(self.iid)


@dataclass(frozen=True, slots=True)
class ModelSuggestion:
    """A registered model, or a version of it by number or alias; `label` names it in a reference.

    `version` is the one that is meant, or else the newest, 0 if there is none. `changed_at` is in
    milliseconds since 1970.
    """

    label: str
    name: str
    version: int
    changed_at: int
    is_prompt: bool = False


def suggest_candidates(access: ReadAccess, typed: str) -> list[Suggestion]:
    """At most `MAX_SUGGESTIONS` candidates whose number starts with what is typed, or whose name
    contains it; the one of exactly this number, then the newest.
    """
    found = _matches(access, Candidate, typed)
    statement = (
        select(Candidate.iid, Candidate.name, _STARTED_AT, Experiment.name, Candidate.status)
        .join_from(Candidate, Experiment, Candidate.experiment_id == Experiment.id)
        .where(Candidate.id.in_(found))
    )
    return _ordered(access, statement, typed)


def suggest_experiments(access: ReadAccess, typed: str) -> list[Suggestion]:
    """The same for experiments."""
    statement = select(Experiment.iid, Experiment.name, Experiment.created_at).where(
        Experiment.id.in_(_matches(access, Experiment, typed))
    )
    return _ordered(access, statement, typed)


def suggest_models(access: ReadAccess, typed: str) -> list[ModelSuggestion]:
    """At most `MAX_SUGGESTIONS` models whose name contains what is typed, the last changed first.

    After an `@`, the aliases of the model of this name that start with what is typed there.
    """
    name, at, alias = typed.rpartition("@")
    if at:
        return _suggest_aliases(access, name, alias)
    found = _select_models().where(RegisteredModel.project_id == access.project.id)
    if typed:
        found = found.where(RegisteredModel.name.icontains(typed, autoescape=True))
    rows = access.session.execute(
        found.order_by(RegisteredModel.updated_at.desc()).limit(MAX_SUGGESTIONS)
    )
    return [ModelSuggestion(row[0], *row) for row in rows]


def suggest_versions(access: ReadAccess, name: str, typed: str) -> list[ModelSuggestion]:
    """The newest versions of a model whose numbers start with what is typed."""
    digits = cast(ModelVersion.version, Text)
    found = _select_versions(access, name, digits.startswith(typed, autoescape=True))
    rows = access.session.execute(found.order_by(ModelVersion.version.desc()))
    return [ModelSuggestion(f"{name}/{row[1]}", *row) for row in rows]


def _suggest_aliases(access: ReadAccess, name: str, typed: str) -> list[ModelSuggestion]:
    found = _select_versions(access, name, ModelAlias.alias.startswith(typed, autoescape=True))
    rows = access.session.execute(
        found.add_columns(ModelAlias.alias)
        .join(ModelAlias, ModelAlias.version_id == ModelVersion.id)
        .order_by(ModelAlias.alias)
    )
    return [ModelSuggestion(f"{name}@{alias}", *row) for *row, alias in rows]


def _select_models() -> Select[Any]:
    newest = select(func.max(ModelVersion.version)).where(
        ModelVersion.model_id == RegisteredModel.id
    )
    is_prompt = exists().where(
        RegisteredModelTag.model_id == RegisteredModel.id,
        RegisteredModelTag.key == PROMPT_TAG,
        RegisteredModelTag.value == "true",
    )
    columns: tuple[Any, ...] = (
        RegisteredModel.name,
        func.coalesce(newest.scalar_subquery(), 0),
        RegisteredModel.updated_at,
        is_prompt,
    )
    return select(*columns)


def _select_versions(access: ReadAccess, name: str, which: ColumnElement[bool]) -> Select[Any]:
    columns: tuple[Any, ...] = (
        RegisteredModel.name,
        ModelVersion.version,
        ModelVersion.created_at,
    )
    of_model = (RegisteredModel.project_id == access.project.id, RegisteredModel.name == name)
    statement = select(*columns).join_from(ModelVersion, RegisteredModel)
    return statement.where(*of_model, which).limit(MAX_SUGGESTIONS)


def _ordered(access: ReadAccess, statement: Executable, typed: str) -> list[Suggestion]:
    found = [Suggestion(*row) for row in access.session.execute(statement)]
    found.sort(key=lambda each: (str(each.iid) == typed, each.iid), reverse=True)
    return found[:MAX_SUGGESTIONS]


def _matches(access: ReadAccess, model: Model, typed: str) -> CompoundSelect[Any]:
    """The ids of what matches, more than enough: each part reads a bounded piece of an index."""
    of_project = model.project_id == access.project.id
    parts = [_newest(model, typed, of_project)]
    parts += [_newest(model, "", of_project, each) for each in _number_ranges(model, typed)]
    return union_all(*(select(part.c.id) for part in parts))


def _newest(model: Model, name: str, *among: ColumnElement[bool]) -> Subquery:
    """The newest whose name contains `name`, of the newest `LOOKED_AT`; those in the trash not.

    The first limit is for what nothing matches: it would be looked for in the whole project.
    """
    table = model.__table__.c
    columns = (table.id, table.iid, table.name, table.deleted_at)
    newest = select(*columns).where(*among).order_by(model.iid.desc()).limit(LOOKED_AT).subquery()
    found = select(newest.c.id).where(newest.c.deleted_at.is_(None))
    if name:
        found = found.where(newest.c.name.icontains(name, autoescape=True))
    return found.order_by(newest.c.iid.desc()).limit(MAX_SUGGESTIONS).subquery()


def _number_ranges(model: Model, typed: str) -> Iterator[ColumnElement[bool]]:
    """The numbers that start with these digits: 4, 40 to 49, 400 to 499, and so on."""
    if not (typed.isascii() and typed.isdigit()) or str(int(typed[:MAX_DIGITS])) != typed:
        return
    first = last = int(typed)
    while last < 10**MAX_DIGITS:
        yield model.iid.between(first, last)
        if first == 0:
            return
        first, last = first * 10, last * 10 + 9
