"""What the history of each metric of a candidate comes to."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, literal, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Candidate, MetricKey, MetricPoint, MetricSeries

MAX_COUNTED = 10_000
"""Points that are counted; a history may have millions."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A metric's history: its extremes (None: all of it is NaN) and its number of points.

    `has_more`: there are more than these `points`, and nobody counted them.
    """

    lowest: float | None
    highest: float | None
    points: int
    has_more: bool


def metric_summaries(
    access: ReadAccess, candidate_id: int, *, counted_to: int | None = None
) -> dict[str, Summary]:
    """The metrics of a candidate (internal id) of the project by name, in one statement.

    Of each metric at most `counted_to` points are counted, and never more than `MAX_COUNTED`.
    """
    most = MAX_COUNTED if counted_to is None else min(counted_to, MAX_COUNTED)
    point = MetricPoint.__table__.c
    counted = (
        select(literal(1).label("one"))
        .where(point.series_id == MetricSeries.id)
        .correlate(MetricSeries)
        .limit(most + 1)
        .subquery()
    )
    statement = (
        select(
            MetricKey.key,
            MetricSeries.lowest,
            MetricSeries.highest,
            select(func.count()).select_from(counted).scalar_subquery(),
        )
        .join_from(MetricSeries, MetricKey, MetricSeries.key_id == MetricKey.id)
        .join(Candidate, Candidate.id == MetricSeries.candidate_id)
        .where(Candidate.project_id == access.project.id, Candidate.id == candidate_id)
    )
    return {
        key: Summary(lowest, highest, min(count, most), count > most)
        for key, lowest, highest, count in access.session.execute(statement)
    }
