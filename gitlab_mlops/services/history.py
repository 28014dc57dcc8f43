"""The history of a metric: in pages, of several candidates at once, and sampled for charts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Integer, Select, bindparam, func, select, tuple_

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Candidate, MetricKey, MetricPoint, MetricSeries
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.statements import Hot, dialect

_point, _series = MetricPoint.__table__.c, MetricSeries.__table__.c
_candidate, _name = Candidate.__table__.c, MetricKey.__table__.c
IN_TIME = (_point.timestamp, _point.step, _point.value)
"""MLflow's order of a history, and the order of the points' primary key."""
BY_STEP = (_point.step, _point.timestamp, _point.value)
"""MLflow's order of a sampled history."""

Position = tuple[int, int, float]
"""Where a page ended: (timestamp, step, value) of its last point."""

MAX_POINTS = 100_000
"""A page ends here whatever was asked for, and the next one goes on; MLflow's has no such limit."""


class History(NamedTuple):
    """A page of a history, and where it ended if more points follow.

    The points are a JSON array of objects (key, value, timestamp, step) if PostgreSQL wrote them;
    NaN and the infinities are texts there. Python would take longer to fetch them.
    """

    points: list[Point] | str
    after: Position | None


def get_history(
    access: ReadAccess, eid: str, key: str, *, limit: int | None, after: Position | None = None
) -> History:
    """The points of a metric in MLflow's order, from after a position.

    A metric or candidate that does not exist has no points, as in MLflow.
    """
    limit = MAX_POINTS if limit is None else min(limit, MAX_POINTS)
    if dialect(access.session) == "postgresql":
        return _write_history(access, eid, key, limit, after)
    statement = _SELECT_POINTS.order_by(*IN_TIME).limit(limit + 1)
    if after is not None:
        statement = statement.where(tuple_(*IN_TIME) > tuple_(*after, types=_TYPES))
    found = access.session.execute(statement, _named(access, eid, key))
    points = [Point(key, *row) for row in found]
    if len(points) <= limit:
        return History(points, None)
    last = points[limit - 1]
    return History(points[:limit], (last.timestamp, last.step, last.value))


def _write_history(
    access: ReadAccess, eid: str, key: str, limit: int, after: Position | None
) -> History:
    named = {**_named(access, eid, key), "limit": limit}
    if after is not None:
        named |= dict(zip(("timestamp", "step", "value"), after, strict=True))
    ((written, count),) = (_FIRST if after is None else _NEXT).rows(access.session, named)
    if count < limit:
        return History(written or [], None)
    ends = (_END_OF_FIRST if after is None else _END_OF_NEXT).rows(access.session, named)
    return History(written, tuple(ends[0]) if len(ends) == 2 else None)


_POINTS = """
FROM mlops_metric_points WHERE series_id = (
    SELECT series.id
    FROM mlops_metric_series AS series
    JOIN mlops_candidates AS candidate ON candidate.id = series.candidate_id
    JOIN mlops_metric_keys AS name ON name.id = series.key_id
    WHERE candidate.eid = %(eid)s AND candidate.project_id = %(project_id)s
    AND name.project_id = %(project_id)s AND name.key = %(key)s
)"""
_AFTER = """
AND (timestamp, step, value) >
    (CAST(%(timestamp)s AS bigint), CAST(%(step)s AS bigint), CAST(%(value)s AS float8))"""
_IN_TIME = "ORDER BY timestamp, step, value"


def _written(points: str) -> Hot:
    """Write a page; put together as a text, for an object per point takes twice as long."""
    return Hot(f"""
    SELECT
        '[' || string_agg(
            (SELECT '{{"key":' || to_json(CAST(%(key)s AS text)) || ',"value":')
            || CASE
                WHEN value > '-Infinity' AND value < 'Infinity' THEN value::text
                ELSE '"' || value || '"'
            END
            || ',"timestamp":' || timestamp || ',"step":' || step || '}}', ','
        ) || ']',
        count(*)
    FROM (SELECT timestamp, step, value {points} {_IN_TIME} LIMIT %(limit)s) AS page
    """)  # noqa: S608 - of constants


def _ends(points: str) -> Hot:
    """The last point of a full page, and the first of the next one."""
    return Hot(f"SELECT timestamp, step, value {points} {_IN_TIME} LIMIT 2 OFFSET %(limit)s - 1")


_FIRST, _NEXT = _written(_POINTS), _written(_POINTS + _AFTER)
_END_OF_FIRST, _END_OF_NEXT = _ends(_POINTS), _ends(_POINTS + _AFTER)


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
    sampling, last = _sampling(is_bounded=steps is not None)
    first_step, last_step = steps or (None, None)
    named = {
        **_named(access, eid, key), "size": size, "first_step": first_step, "last_step": last_step
    }  # fmt: skip
    sampled = [Point(key, *row) for row in access.session.execute(sampling, named)]
    if not sampled:
        return sampled
    point = Point(key, *access.session.execute(last, named).one())
    if repr(point) == repr(sampled[-1]):  # NaN is not equal to itself
        return sampled
    return [*(sampled if len(sampled) < size else sampled[:-1]), point]


@cache
def _sampling(*, is_bounded: bool) -> tuple[Select[Any], Select[Any]]:
    """The statements of a sample and of its last point: a chart asks for those of 100 runs."""
    points = _SELECT_POINTS
    if is_bounded:
        first, end = (bindparam(name, type_=BigInteger) for name in ("first_step", "last_step"))
        points = points.where(_point.step.between(first, end))
    last = points.order_by(*(column.desc() for column in BY_STEP)).limit(1)
    size = bindparam("size", type_=Integer)
    bucketed = points.add_columns(
        func.ntile(size).over(order_by=BY_STEP).label("bucket")
    ).subquery()
    order = (bucketed.c.step, bucketed.c.timestamp, bucketed.c.value)
    rank = func.row_number().over(partition_by=bucketed.c.bucket, order_by=order)
    ranked = select(bucketed, rank.label("rank")).subquery()
    sampled = select(ranked.c.value, ranked.c.timestamp, ranked.c.step).where(ranked.c.rank == 1)
    return sampled.order_by(ranked.c.step, ranked.c.timestamp, ranked.c.value), last


def get_histories(
    access: ReadAccess, eids: Sequence[str], key: str, *, limit: int
) -> list[tuple[str, Point]]:
    """(eid, point) of a metric for several candidates, ordered by eid, then in time."""
    found = access.session.execute(
        _OF_SEVERAL, {**_named(access, "", key), "eids": eids, "limit": limit}
    )
    return [(row[0], Point(key, *row[1:])) for row in found]


def _named(access: ReadAccess, eid: str, key: str) -> dict[str, Any]:
    return {"eid": eid, "key": key, "project_id": access.project.id}


_TYPES = [column.type for column in IN_TIME]
_OF_PROJECT = (
    (_candidate.project_id == bindparam("project_id"))
    & (_name.project_id == bindparam("project_id"))
    & (_name.key == bindparam("key"))
)
_SERIES = (
    select(_series.id)
    .join_from(MetricSeries.__table__, Candidate.__table__, _series.candidate_id == _candidate.id)
    .join(MetricKey.__table__, _series.key_id == _name.id)
    .where(_OF_PROJECT, _candidate.eid == bindparam("eid"))
    .scalar_subquery()
)
# A lookup of the series' id keeps the plan a range.
_SELECT_POINTS: Select[Any] = select(_point.value, _point.timestamp, _point.step).where(
    _point.series_id == _SERIES
)
_OF_SEVERAL = (
    select(_candidate.eid, _point.value, _point.timestamp, _point.step)
    .join_from(MetricPoint.__table__, MetricSeries.__table__, _point.series_id == _series.id)
    .join(Candidate.__table__, _series.candidate_id == _candidate.id)
    .join(MetricKey.__table__, _series.key_id == _name.id)
    .where(_OF_PROJECT, _candidate.eid.in_(bindparam("eids", expanding=True)))
    .order_by(_candidate.eid, *IN_TIME)
    .limit(bindparam("limit", type_=Integer))
)
