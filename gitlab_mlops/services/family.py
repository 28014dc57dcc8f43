"""The children of a candidate, with the metric that their experiment is about."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Candidate, MetricKey, MetricSeries
from gitlab_mlops.services.expressions import Order
from gitlab_mlops.services.objectives import Objective
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.search import search_children


@dataclass(frozen=True, slots=True)
class Child:
    """A child: its record without what it logged, and its main metric (None: it has none)."""

    record: CandidateRecord
    value: float | None


def list_children(
    access: ReadAccess, parent: CandidateRecord, objective: Objective | None, *, limit: int
) -> tuple[list[Child], bool]:
    """The first children of a candidate that are not in the trash, and whether there are more.

    They are of its own experiment. The best by the objective come first, else the oldest.
    """
    rows = search_children(
        access, parent.experiment_id, [parent.eid], order=_order(objective), limit=limit + 1
    )
    records = [CandidateRecord(*row) for _, row in rows]
    values = _values(access, objective.key, records) if objective else {}
    found = [Child(record, values.get(record.id)) for record in records]
    return found[:limit], len(found) > limit


def _order(objective: Objective | None) -> list[Order]:
    if objective is None or objective.greater_is_better is None:
        return [Order("attribute", "start_time")]
    by_value = Order("metric", objective.key, descending=objective.greater_is_better)
    return [by_value, Order("attribute", "start_time")]


def _values(access: ReadAccess, key: str, records: list[CandidateRecord]) -> dict[int, float]:
    if not records:
        return {}
    statement = (
        select(MetricSeries.candidate_id, MetricSeries.value)
        .join(Candidate, Candidate.id == MetricSeries.candidate_id)
        .join(MetricKey, MetricKey.id == MetricSeries.key_id)
        .where(
            Candidate.project_id == access.project.id,
            MetricSeries.candidate_id.in_([record.id for record in records]),
            MetricKey.project_id == access.project.id,
            MetricKey.key == key,
        )
    )
    return {row[0]: row[1] for row in access.session.execute(statement)}
