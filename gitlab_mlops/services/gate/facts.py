"""The candidates that a gate may judge: what the project's own CI logged of one commit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, case, or_, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Candidate, Experiment, JobStamp, MetricKey, MetricSeries, Status
from gitlab_mlops.services.gate.policy import Rule

MAX_CANDIDATES = 1000
"""Candidates of a commit that are looked at, the newest ones."""
_RUNNING = frozenset({Status.RUNNING, Status.SCHEDULED})


@dataclass(frozen=True, slots=True)
class Trained:
    """A candidate of the commit, with its latest values of the metrics that were asked for."""

    id: int
    iid: int
    name: str
    status: int
    experiment_id: int
    experiment: str
    values: dict[str, float] = field(default_factory=dict)

    @property
    def is_finished(self) -> bool:
        """Whether it ended well; what failed half way is not what the code can do."""
        return self.status == Status.FINISHED

    @property
    def is_running(self) -> bool:
        """Whether there is more to come."""
        return self.status in _RUNNING


class Discounted(NamedTuple):
    """How many candidates of the commit do not count, by the first reason that holds."""

    foreign: int = 0
    altered: int = 0
    in_trash: int = 0
    failed: int = 0


def trained(access: ReadAccess, sha: str, metrics: Collection[str]) -> list[Trained]:
    """The candidates that count, the newest first, in two statements.

    They are those that a job of the project stamped with this commit while it ran the project's
    own code, that nobody else altered, and that are not in the trash, nor is their experiment.
    """
    statement = (
        _of(access, sha, Candidate.id, Candidate.iid, Candidate.name, Candidate.status)
        .add_columns(Candidate.experiment_id, Experiment.name)
        .where(~_is_foreign(access), ~_is_altered(), ~_is_in_trash())
    )
    found = {row[0]: Trained(*row) for row in access.session.execute(statement)} if sha else {}
    if found:
        _read_values(access, found, metrics)
    return list(found.values())


def discounted(access: ReadAccess, sha: str) -> Discounted:
    """Why there may be no candidate that counts, to explain it."""
    if not sha:
        return Discounted()
    reason = case(
        (_is_foreign(access), "foreign"),
        (_is_altered(), "altered"),
        (_is_in_trash(), "in_trash"),
        (Candidate.status.in_([Status.FAILED, Status.KILLED]), "failed"),
    )
    counts = Counter(access.session.scalars(_of(access, sha, reason)))
    return Discounted(**{name: counts[name] for name in Discounted._fields})


def best(candidates: Collection[Trained], rule: Rule) -> Trained | None:
    """The candidate with the best value of the rule's metric; of equal ones the newest.

    NaN is worse than every number.
    """
    having = [each for each in candidates if rule.metric in each.values]
    return max(having, key=lambda each: (*_worth(each, rule), each.id), default=None)


def _worth(candidate: Trained, rule: Rule) -> tuple[bool, float]:
    value = candidate.values[rule.metric]
    if math.isnan(value):
        return False, 0.0
    return True, value if rule.greater_is_better else -value


def _of(access: ReadAccess, sha: str, *columns: Any) -> Select[Any]:
    """Of the newest candidates that the project's stamps say are of this commit."""
    return (
        select(*columns)
        .join_from(JobStamp, Candidate, Candidate.id == JobStamp.candidate_id)
        .join(Experiment, Experiment.id == Candidate.experiment_id)
        .where(
            JobStamp.project_id == access.project.id,
            Candidate.project_id == access.project.id,
            JobStamp.sha == sha,
        )
        # In the order of the stamps' index.
        .order_by(JobStamp.candidate_id.desc())
        .limit(MAX_CANDIDATES)
    )


def _is_foreign(access: ReadAccess) -> ColumnElement[bool]:
    """Whether it was another project's code, or another project's job."""
    return JobStamp.source_project_id != access.project.id


def _is_altered() -> ColumnElement[bool]:
    return JobStamp.altered_at.is_not(None)


def _is_in_trash() -> ColumnElement[bool]:
    return or_(Candidate.deleted_at.is_not(None), Experiment.deleted_at.is_not(None))


def _read_values(
    access: ReadAccess, candidates: dict[int, Trained], metrics: Collection[str]
) -> None:
    statement = (
        select(MetricSeries.candidate_id, MetricKey.key, MetricSeries.value)
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(
            MetricKey.project_id == access.project.id,
            MetricKey.key.in_(sorted(metrics)),
            MetricSeries.candidate_id.in_(sorted(candidates)),
        )
    )
    for candidate_id, key, value in access.session.execute(statement):
        candidates[candidate_id].values[key] = value
