"""The best candidate of each of several experiments, by the experiment's main metric."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, and_, exists, select, tuple_, union_all
from sqlalchemy.orm import aliased

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Candidate, Experiment, MetricKey, MetricSeries
from gitlab_mlops.services.objectives import Objective, objective_of
from gitlab_mlops.services.search.values import NAN

Tags = Mapping[str, str]
Pair = tuple[int, int]
"""The internal ids of an experiment and of a metric's name."""


@dataclass(frozen=True, slots=True)
class Leader:
    """A candidate not in the trash with the best latest value of the objective's metric."""

    objective: Objective
    value: float
    iid: int
    name: str


def leaders(access: ReadAccess, tags: Mapping[int, Tags]) -> dict[int, Leader]:
    """The leaders of the experiments (internal ids, with their tags) that have one.

    There is none where nobody knows the main metric or its direction. NaN is no best value. The
    number of statements does not depend on how many experiments there are, and each reads the
    ends of an index, however many candidates an experiment has.
    """
    mains = objectives(access, tags)
    key_ids = _key_ids(access, {each.key for each in mains.values()})
    wanted = {
        (experiment_id, key_ids[each.key]): each
        for experiment_id, each in mains.items()
        if each.key in key_ids and each.greater_is_better is not None
    }
    found = {}
    for experiment_id, key_id, *best in _best(access, wanted):
        found[experiment_id] = Leader(wanted[experiment_id, key_id], *best)
    return found


def objective(access: ReadAccess, experiment_id: int, tags: Tags) -> Objective | None:
    """The main metric of an experiment (internal id) with these tags: stated, or guessed."""
    return objectives(access, {experiment_id: tags}).get(experiment_id)


def metric_names(access: ReadAccess, experiment_ids: Collection[int]) -> dict[int, list[str]]:
    """The metrics of the newest candidate of each experiment that has any metric, by name."""
    if not experiment_ids:
        return {}
    statement = (
        select(Experiment.id, MetricKey.key)
        .join_from(Experiment, MetricSeries, MetricSeries.candidate_id == _newest())
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(Experiment.project_id == access.project.id, Experiment.id.in_(experiment_ids))
        .order_by(MetricKey.key)
    )
    names: dict[int, list[str]] = {}
    for experiment_id, key in access.session.execute(statement):
        names.setdefault(experiment_id, []).append(key)
    return names


def objectives(access: ReadAccess, tags: Mapping[int, Tags]) -> dict[int, Objective]:
    """The main metrics of several experiments, as `objective`; those without one are left out."""
    found = {each: objective_of(own, ()) for each, own in tags.items()}
    guessed = metric_names(access, [each for each, stated in found.items() if stated is None])
    found |= {each: objective_of(tags[each], keys) for each, keys in guessed.items()}
    return {each: objective for each, objective in found.items() if objective is not None}


def _newest() -> ScalarSelect[int]:
    """The newest candidate with a metric of the statement's experiment."""
    return (
        select(Candidate.id)
        .where(
            Candidate.experiment_id == Experiment.id,
            Candidate.deleted_at.is_(None),
            exists().where(MetricSeries.candidate_id == Candidate.id),
        )
        .order_by(Candidate.start_time.desc(), Candidate.eid.desc())
        .limit(1)
        .correlate(Experiment)
        .scalar_subquery()
    )


def _key_ids(access: ReadAccess, keys: Collection[str]) -> dict[str, int]:
    if not keys:
        return {}
    statement = select(MetricKey.key, MetricKey.id).where(
        MetricKey.project_id == access.project.id, MetricKey.key.in_(keys)
    )
    return dict(access.session.execute(statement).all())


def _best(access: ReadAccess, wanted: Mapping[Pair, Objective]) -> Iterable[Sequence[Any]]:
    """Rows of (experiment id, key id, value, iid, name)."""
    if not wanted:
        return []
    value = MetricSeries.value
    upwards = [pair for pair, each in wanted.items() if each.greater_is_better]
    downwards = [pair for pair, each in wanted.items() if not each.greater_is_better]
    statement = union_all(
        _select_first(access, value.desc(), MetricSeries.candidate_id.desc()).where(_in(upwards)),
        _select_first(access, value, MetricSeries.candidate_id).where(_in(downwards)),
    )
    return access.session.execute(statement).all()


def _select_first(access: ReadAccess, *order: Any) -> Any:
    """The first series in an order of each pair of an experiment and a metric's name."""
    own = aliased(Candidate)
    series_id = (
        select(MetricSeries.id)
        .join(own, own.id == MetricSeries.candidate_id)
        .where(
            MetricSeries.experiment_id == Experiment.id,
            MetricSeries.key_id == MetricKey.id,
            MetricSeries.value < NAN,
            own.deleted_at.is_(None),
        )
        .order_by(*order)
        .limit(1)
        .correlate(Experiment, MetricKey)
        .scalar_subquery()
    )
    first = aliased(MetricSeries)
    return (
        select(Experiment.id, MetricKey.id, first.value, Candidate.iid, Candidate.name)
        .join_from(Experiment, MetricKey, MetricKey.project_id == Experiment.project_id)
        .join(first, first.id == series_id)
        .join(Candidate, Candidate.id == first.candidate_id)
        .where(Experiment.project_id == access.project.id)
    )


def _in(pairs: Sequence[Pair]) -> ColumnElement[bool]:
    # Each by itself too: SQLite looks no row up by a pair.
    experiment_ids, key_ids = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    return and_(
        tuple_(Experiment.id, MetricKey.id).in_(pairs),
        Experiment.id.in_(experiment_ids),
        MetricKey.id.in_(key_ids),
    )
