"""What somebody who types a reference may mean: the newest things with such a number or name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Executable, Subquery, func, select, union_all

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Candidate, Experiment

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
