"""What the pages show around candidates: experiments with counts of their candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Subquery, and_, exists, func, or_, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.models import Candidate, Experiment
from gitlab_mlops.services.experiments import (
    DEFAULT_IID,
    RECORD_COLUMNS,
    ExperimentRecord,
    load,
)

Sort = Literal["activity", "name", "candidates"]
View = Literal["active", "deleted"]
Position = Sequence[str | int]
"""(sorted value, id) of the last experiment of a page."""


@dataclass(frozen=True, slots=True)
class ExperimentSummary:
    """An experiment with its candidates counted; times in milliseconds since 1970.

    Those in the trash count only in an experiment that is there itself. `active_at` is when
    the newest of them was made, or the experiment if it has none.
    """

    id: int
    iid: int
    name: str
    actor_id: str | None
    created_at: int
    deleted_at: int | None
    candidates: int
    active_at: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many are in use and how many in the trash."""

    active: int
    deleted: int


def list_experiments(
    access: ReadAccess,
    *,
    name: str = "",
    view: View = "active",
    sort: Sort = "activity",
    after: Position | None = None,
    limit: int,
) -> tuple[list[ExperimentSummary], Position | None]:
    """Experiments whose name contains `name` in any case, and where the next page starts.

    Sorted by newest activity, by name, or by most candidates. Raises `Invalid` if `after` is no
    position in this order.
    """
    counted = _counted(access, view)
    columns = _columns(counted)
    key, descending = _sort_key(sort, columns)
    statement = (
        select(*columns, key.label("sort_key"))
        .outerjoin(counted, counted.c.experiment_id == Experiment.id)
        .where(Experiment.project_id == access.project.id, _in_view(view), _is_worth_showing())
        .order_by(key.desc() if descending else key, Experiment.id.desc())
        .limit(limit + 1)
    )
    if name:
        statement = statement.where(Experiment.name.icontains(name, autoescape=True))
    if after is not None:
        statement = statement.where(_comes_after(after, sort, key, descending))
    rows = access.session.execute(statement).all()
    found = [ExperimentSummary(*row[:-1]) for row in rows[:limit]]
    last = (rows[limit - 1].sort_key, rows[limit - 1].id) if len(rows) > limit else None
    return found, last


def count_experiments(access: ReadAccess) -> Counts:
    """How many experiments the project has."""
    return _count(access, Experiment, _is_worth_showing())


def get_experiment(access: ReadAccess, iid: int) -> ExperimentRecord:
    """The experiment of this iid, in the trash or not; `NotFound`. Unlike `experiments.get` this
    never makes the project's Default, because looking at a page writes nothing.
    """
    statement = select(*RECORD_COLUMNS).where(_of(access, Experiment), Experiment.iid == iid)
    found = load(access, access.session.execute(statement).all())
    if not found:
        raise NotFound(f"Experiment {iid} not found in {access.project.path}.")
    return found[0]


def experiment_name(access: ReadAccess, iid: int) -> str:
    """The name of an experiment that is known to exist."""
    statement = select(Experiment.name).where(_of(access, Experiment), Experiment.iid == iid)
    return access.session.execute(statement).scalar_one()


def count_candidates(access: ReadAccess, experiment_id: int) -> Counts:
    """How many candidates an experiment (internal id) has."""
    return _count(access, Candidate, Candidate.experiment_id == experiment_id)


def get_eid(access: ReadAccess, iid: int) -> tuple[int, str]:
    """(experiment iid, eid) of the candidate of this iid; raise `NotFound`."""
    found = access.session.execute(
        select(Experiment.iid, Candidate.eid)
        .join_from(Candidate, Experiment, Candidate.experiment_id == Experiment.id)
        .where(_of(access, Candidate), Candidate.iid == iid)
    ).one_or_none()
    if found is None:
        raise NotFound(f"Candidate {iid} not found in {access.project.path}.")
    return found[0], found[1]


def _counted(access: ReadAccess, view: View) -> Subquery:
    # With their experiment, all of its candidates went to the trash.
    which = (Candidate.deleted_at.is_(None),) if view == "active" else ()
    return (
        select(
            Candidate.experiment_id,
            func.count().label("candidates"),
            func.max(Candidate.created_at).label("newest"),
        )
        .where(_of(access, Candidate), *which)
        .group_by(Candidate.experiment_id)
        .subquery()
    )


def _columns(counted: Subquery) -> list[ColumnElement[Any]]:
    """The fields of an `ExperimentSummary`, in its order."""
    table = Experiment.__table__.c
    names = ("id", "iid", "name", "actor_id", "created_at", "deleted_at")
    return [
        *(table[name] for name in names),
        func.coalesce(counted.c.candidates, 0).label("candidates"),
        func.coalesce(counted.c.newest, table.created_at).label("active_at"),
    ]


def _sort_key(sort: Sort, columns: Sequence[ColumnElement[Any]]) -> tuple[ColumnElement[Any], bool]:
    """What to sort by, and whether downwards."""
    *_, candidates, active_at = columns
    if sort == "name":
        return func.lower(Experiment.__table__.c.name), False
    return (candidates if sort == "candidates" else active_at), True


def _comes_after(
    after: Position, sort: Sort, key: ColumnElement[Any], descending: bool
) -> ColumnElement[bool]:
    kinds = (str if sort == "name" else int, int)
    if len(after) != 2 or not all(map(_fits, after, kinds)):
        raise Invalid("This page does not exist: its address is of another list; start again.")
    value, last_id = after
    beyond = key < value if descending else key > value
    return or_(beyond, and_(key == value, Experiment.id < last_id))


def _fits(value: Any, kind: type) -> bool:
    if isinstance(value, bool) or not isinstance(value, kind):
        return False
    return not isinstance(value, int) or -(2**63) <= value < 2**63


def _in_view(view: View) -> ColumnElement[bool]:
    if view == "deleted":
        return Experiment.deleted_at.is_not(None)
    return Experiment.deleted_at.is_(None)


def _is_worth_showing() -> ColumnElement[bool]:
    """All but a Default that nobody has logged to; MLflow's clients make it by looking."""
    has_candidates = exists().where(Candidate.experiment_id == Experiment.id)
    return or_(Experiment.iid != DEFAULT_IID, has_candidates)


def _of(access: ReadAccess, model: type[Candidate] | type[Experiment]) -> ColumnElement[bool]:
    return model.project_id == access.project.id


def _count(
    access: ReadAccess, model: type[Candidate] | type[Experiment], *which: ColumnElement[bool]
) -> Counts:
    statement = select(func.count(model.deleted_at), func.count()).where(_of(access, model), *which)
    deleted, every = access.session.execute(statement).one()
    return Counts(every - deleted, deleted)
