"""What the pages show around candidates: experiments with counts of their candidates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.models import Candidate, Experiment
from gitlab_mlops.services.experiment_records import RECORD_COLUMNS, ExperimentRecord, load
from gitlab_mlops.services.experiments import DEFAULT_IID

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
    key, descending = _sort_key(access, sort, view)
    listed = (
        select(*(_TABLE[name] for name in _NAMES), key.label("sort_key"))
        .where(
            Experiment.project_id == access.project.id, _in_view(view), _is_worth_showing(access)
        )
        .order_by(key.desc() if descending else key, _TABLE.id.desc())
        .limit(limit + 1)
    )
    if name:
        listed = listed.where(Experiment.name.icontains(name, autoescape=True))
    if after is not None:
        listed = listed.where(_comes_after(after, sort, key, descending))
    # Counted for the experiments of the page only: each count reads as many entries of an index.
    page = listed.subquery()
    statement = select(
        *(page.c[name] for name in _NAMES),
        _count_of(access, page.c, view).label("candidates"),
        _activity(access, page.c, view).label("active_at"),
        page.c.sort_key,
    ).order_by(page.c.sort_key.desc() if descending else page.c.sort_key, page.c.id.desc())
    rows = access.session.execute(statement).all()
    found = [ExperimentSummary(*row[:-1]) for row in rows[:limit]]
    last = (rows[limit - 1].sort_key, rows[limit - 1].id) if len(rows) > limit else None
    return found, last


def count_experiments(access: ReadAccess) -> Counts:
    """How many experiments the project has."""
    statement = select(func.count(Experiment.deleted_at), func.count())
    found = statement.where(_of(access, Experiment), _is_worth_showing(access))
    deleted, every = access.session.execute(found).one()
    return Counts(every - deleted, deleted)


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
    """How many candidates an experiment (internal id) has; read from two indexes alone."""
    parts = _from_indexes(access, func.count(), literal(experiment_id), "deleted")
    row = access.session.execute(select(*parts)).one()
    return Counts(row[0], row[1])


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


_TABLE = Experiment.__table__.c
_NAMES = ("id", "iid", "name", "actor_id", "created_at", "deleted_at")
"""The first fields of an `ExperimentSummary`, in its order."""


def _count_of(access: ReadAccess, experiment: Any, view: View) -> ColumnElement[int]:
    """How many candidates of an experiment count."""
    counts = _from_indexes(access, func.count(), experiment.id, view)
    return reduce(add, counts)


def _activity(access: ReadAccess, experiment: Any, view: View) -> ColumnElement[int]:
    """When the newest candidate that counts was made, or the experiment without any."""
    newest = _from_indexes(access, func.max(Candidate.created_at), experiment.id, view)
    # Of two, either may be NULL.
    latest = (
        newest[0]
        if len(newest) == 1
        else case((newest[0] > newest[1], newest[0]), else_=func.coalesce(newest[1], newest[0]))
    )
    return func.coalesce(latest, experiment.created_at)


def _from_indexes(
    access: ReadAccess, what: Any, experiment_id: ColumnElement[int], view: View
) -> list[ColumnElement[int]]:
    """An aggregate over the candidates that count, in one or two parts.

    One index holds those in use and one those in the trash, so each part reads no table.
    """
    own = select(what).where(_of(access, Candidate), Candidate.experiment_id == experiment_id)
    active = own.where(_IS_ACTIVE).scalar_subquery()
    # With their experiment, all of its candidates went to the trash.
    return [active] if view == "active" else [active, own.where(~_IS_ACTIVE).scalar_subquery()]


_IS_ACTIVE = Candidate.deleted_at.is_(None)


def _sort_key(access: ReadAccess, sort: Sort, view: View) -> tuple[ColumnElement[Any], bool]:
    """What to sort by, and whether downwards."""
    if sort == "name":
        return func.lower(_TABLE.name), False
    if sort == "candidates":
        return _count_of(access, _TABLE, view), True
    return _activity(access, _TABLE, view), True


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


def _is_worth_showing(access: ReadAccess) -> ColumnElement[bool]:
    """All but a Default that nobody has logged to; MLflow's clients make it by looking."""
    # Not EXISTS, for which PostgreSQL may read the whole table, hoping to find one early.
    newest = _from_indexes(access, func.max(Candidate.created_at), _TABLE.id, "deleted")
    return or_(Experiment.iid != DEFAULT_IID, *(each.is_not(None) for each in newest))


def _of(access: ReadAccess, model: type[Candidate] | type[Experiment]) -> ColumnElement[bool]:
    return model.project_id == access.project.id
