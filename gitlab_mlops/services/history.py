"""The history of a metric: in pages, of several candidates at once, and sampled for charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, tuple_

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Candidate, MetricKey, MetricPoint, MetricSeries
from gitlab_mlops.services.points import Point

IN_TIME = (MetricPoint.timestamp, MetricPoint.step, MetricPoint.value)
"""MLflow's order of a history, and the order of the points' primary key."""
BY_STEP = (MetricPoint.step, MetricPoint.timestamp, MetricPoint.value)
"""MLflow's order of a sampled history."""

Position = tuple[int, int, float]
"""Where a page ended: (timestamp, step, value) of its last point."""


def get_history(
    access: ReadAccess, eid: str, key: str, *, limit: int | None, after: Position | None = None
) -> tuple[list[Point], bool]:
    """The points of a metric in MLflow's order, from after a position, and whether more follow.

    A metric or candidate that does not exist has no points, as in MLflow.
    """
    statement = _select_points(access, eid, key).order_by(*IN_TIME)
    if after is not None:
        statement = statement.where(tuple_(*IN_TIME) > tuple_(*after, types=_TYPES))
    if limit is not None:
        statement = statement.limit(limit + 1)
    points = [Point(key, *row) for row in access.session.execute(statement)]
    if limit is not None and len(points) > limit:
        return points[:limit], True
    return points, False


def sample(
    access: ReadAccess,
    eid: str,
    key: str,
    *,
    size: int,
    steps: tuple[int, int] | None = None,
) -> list[Point]:
    """At most `size` points of a metric by step: the first of each of `size` even buckets, and
    the last of all. `steps` bounds the steps, both ends included. The rule is MLflow's
    (`SqlAlchemyStore.get_metric_history_bulk_interval`); the database does the work.
    """
    points = _select_points(access, eid, key)
    if steps is not None:
        points = points.where(MetricPoint.step.between(*steps))
    bucketed = points.add_columns(
        func.ntile(size).over(order_by=BY_STEP).label("bucket")
    ).subquery()
    order = (bucketed.c.step, bucketed.c.timestamp, bucketed.c.value)
    rank = func.row_number().over(partition_by=bucketed.c.bucket, order_by=order)
    ranked = select(bucketed, rank.label("rank")).subquery()
    statement = select(ranked.c.value, ranked.c.timestamp, ranked.c.step).where(ranked.c.rank == 1)
    found = access.session.execute(
        statement.order_by(ranked.c.step, ranked.c.timestamp, ranked.c.value)
    )
    sampled = [Point(key, *row) for row in found]
    return _with_last(access, points, sampled, size) if sampled else sampled


def _with_last(
    access: ReadAccess, points: Select[*tuple[Any, ...]], sampled: list[Point], size: int
) -> list[Point]:
    last = access.session.execute(
        points.order_by(*(column.desc() for column in BY_STEP)).limit(1)
    ).one()
    point = Point(sampled[0].key, *last)
    if repr(point) == repr(sampled[-1]):  # NaN is not equal to itself
        return sampled
    return [*(sampled if len(sampled) < size else sampled[:-1]), point]


def get_histories(
    access: ReadAccess, eids: Sequence[str], key: str, *, limit: int
) -> list[tuple[str, Point]]:
    """(eid, point) of a metric for several candidates, ordered by eid, then in time."""
    statement = (
        select(Candidate.eid, MetricPoint.value, MetricPoint.timestamp, MetricPoint.step)
        .join_from(MetricPoint, MetricSeries, MetricPoint.series_id == MetricSeries.id)
        .join(Candidate, MetricSeries.candidate_id == Candidate.id)
        .join(MetricKey, MetricSeries.key_id == MetricKey.id)
        .where(_is_series(access, Candidate.eid.in_(eids), key))
        .order_by(Candidate.eid, *IN_TIME)
        .limit(limit)
    )
    return [(row[0], Point(key, *row[1:])) for row in access.session.execute(statement)]


_TYPES = [column.type for column in IN_TIME]


def _select_points(access: ReadAccess, eid: str, key: str) -> Select[*tuple[Any, ...]]:
    """SELECT value, timestamp, step of one series; a lookup of its id keeps the plan a range."""
    series = (
        select(MetricSeries.id)
        .join_from(MetricSeries, Candidate, MetricSeries.candidate_id == Candidate.id)
        .join(MetricKey, MetricSeries.key_id == MetricKey.id)
        .where(_is_series(access, Candidate.eid == eid, key))
        .scalar_subquery()
    )
    return select(MetricPoint.value, MetricPoint.timestamp, MetricPoint.step).where(
        MetricPoint.series_id == series
    )


def _is_series(access: ReadAccess, which: ColumnElement[bool], key: str) -> ColumnElement[bool]:
    project_id = access.project.id
    return (
        which
        & (Candidate.project_id == project_id)
        & (MetricKey.project_id == project_id)
        & (MetricKey.key == key)
    )
