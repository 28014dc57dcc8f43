"""The curves of metrics: of many candidates at once, by step or time, no larger than a chart."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, func, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Candidate, MetricKey, MetricPoint, MetricSeries, Status
from gitlab_mlops.services import ranges, sampling
from gitlab_mlops.services.ranges import MAX_INT64, MIN_INT64, Range, Row

Axis = Literal["step", "relative", "wall"]
"""What the x of a point is: its step, the milliseconds since the start, or those since 1970."""
Ends = tuple[int | None, int | None]
"""The smallest and largest x that is wanted; None: as far as there are points."""

MAX_SHOWN = 60_000
"""Points of all curves of one answer."""
MIN_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Series:
    """A metric of a candidate (by its iid); `first` and `last` are (timestamp, step) in time.

    `start` is where relative time begins: when the candidate says that it started, but never
    after the first point. `latest` is the point with the largest step.
    """

    id: int
    candidate: int
    name: str
    metric: str
    is_running: bool
    start: int
    first: tuple[int, int]
    last: tuple[int, int]
    latest: Row


@dataclass(frozen=True, slots=True)
class Curve:
    """The points of a series in a range, by x; or some of `total`, if they are too many."""

    series: Series
    total: int
    rows: list[Row]
    x: list[int]

    @property
    def peaks(self) -> list[int]:
        """The places of the points that were taken for their value.

        Smoothing leaves them out, or they would lead it.
        """
        return [place for place, row in enumerate(self.rows) if row.is_peak]


def find_series(access: ReadAccess, iids: Sequence[int], metrics: Sequence[str]) -> list[Series]:
    """The series of these candidates and metrics that the project has, in the order given."""
    statement = (
        select(
            *(MetricSeries.id, Candidate.iid, Candidate.name, MetricKey.key),
            *(Candidate.status, Candidate.start_time),
            *(*_end("first", descending=False), *_end("last", descending=True)),
            *(MetricSeries.timestamp, MetricSeries.step, MetricSeries.value),
        )
        .join_from(MetricSeries, Candidate, MetricSeries.candidate_id == Candidate.id)
        .join(MetricKey, MetricSeries.key_id == MetricKey.id)
        .where(_is_of(access, iids), MetricKey.key.in_(metrics))
    )
    candidates = {iid: place for place, iid in enumerate(iids)}
    keys = {key: place for place, key in enumerate(metrics)}
    found = [_series(*row) for row in access.session.execute(statement) if row.first is not None]
    return sorted(found, key=lambda each: (keys[each.metric], candidates[each.candidate]))


def count_metrics(access: ReadAccess, iids: Sequence[int]) -> int:
    """How many metrics these candidates have, each name counted once."""
    statement = (
        select(func.count(MetricSeries.key_id.distinct()))
        .join(Candidate, Candidate.id == MetricSeries.candidate_id)
        .where(_is_of(access, iids))
    )
    return access.session.execute(statement).scalar_one()


def state_of(series: Iterable[Series]) -> str:
    """A text that changes when points come to the series, or a candidate's status changes.

    A point between the others, neither the latest by step nor the first or last in time, goes
    unnoticed until the next one comes.
    """
    return hashlib.sha256(repr(list(series)).encode()).hexdigest()[:32]


def read(
    access: ReadAccess,
    series: Sequence[Series],
    axis: Axis,
    *,
    between: Ends = (None, None),
    limit: int,
) -> list[Curve]:
    """The curves of these series between two values of x.

    At most `limit` points of each, and `MAX_SHOWN` of all. The statements are a few, and up to
    six for each series that has more points than that.
    """
    limit = min(limit, max(MIN_SHOWN, MAX_SHOWN // max(1, len(series))))
    wanted = {each.id: _range(each, axis, between) for each in series}
    totals = ranges.count(access.session, wanted.values(), limit + 1)
    few = [wanted[each.id] for each in series if totals[each.id] <= limit]
    found = dict(ranges.read(access.session, few))
    for each in series:
        if totals[each.id] > limit:
            sample = _sampled(access, each, wanted[each.id], axis, limit)
            found[each.id], totals[each.id] = sample
    return [_curve(each, axis, totals[each.id], found.get(each.id, [])) for each in series]


def skim(
    access: ReadAccess, series: Sequence[Series], axis: Axis, *, limit: int, counted: int
) -> list[Curve]:
    """Up to `limit` points of each series, evenly over its time, by lookups in the index only.

    Cheap however many points there are; so `total` is counted up to `counted` only.
    """
    wanted = [Range(each.id) for each in series]
    totals = ranges.count(access.session, wanted, counted)
    found = dict(ranges.read(access.session, (w for w in wanted if totals[w.series_id] <= limit)))
    many = [each for each in series if totals[each.id] > limit]
    ticks = [tick for each in many for tick in _ticks(each, limit)]
    found |= ranges.look_up(access.session, ticks)
    return [_curve(each, axis, totals[each.id], found[each.id]) for each in series]


def _is_of(access: ReadAccess, iids: Sequence[int]) -> ColumnElement[bool]:
    return (Candidate.project_id == access.project.id) & Candidate.iid.in_(iids)


def _end(name: str, *, descending: bool) -> list[ColumnElement[Any]]:
    """The timestamp, by this name, and the step of the first or last point of a series in time."""
    columns = (MetricPoint.timestamp, MetricPoint.step, MetricPoint.value)
    order = [each.desc() if descending else each.asc() for each in columns]
    return [
        select(column)
        .where(MetricPoint.series_id == MetricSeries.id)
        .order_by(*order)
        .limit(1)
        .label(name if column is columns[0] else None)
        for column in columns[:2]
    ]


def _series(
    series_id: int, iid: int, name: str, key: str, status: int, start_time: int | None, *points: Any
) -> Series:
    first, last, latest = points[:2], points[2:4], Row(*points[4:])
    is_running = status in (Status.RUNNING, Status.SCHEDULED)
    start = min(start_time or first[0], first[0])
    return Series(series_id, iid, name, key, is_running, start, first, last, latest)


def _range(series: Series, axis: Axis, between: Ends) -> Range:
    zero = series.start if axis == "relative" else 0
    low = MIN_INT64 if between[0] is None else _clamped(between[0] + zero)
    high = MAX_INT64 if between[1] is None else _clamped(between[1] + zero)
    if axis != "step":
        return Range(series.id, low, high)
    return Range(series.id, steps=None if between == (None, None) else (low, high))


def _clamped(number: int) -> int:
    return max(MIN_INT64, min(MAX_INT64, number))


def _sampled(
    access: ReadAccess, series: Series, points: Range, axis: Axis, limit: int
) -> tuple[list[Row], int]:
    """At most `limit` points of many, and how many those are."""
    wanted = max(limit, 8)
    rows, total = sampling.by_time(access.session, points, limit=wanted - 1)
    if axis == "step" and not sampling.follows_time(rows):
        rows = sampling.by_step(access.session, points, limit=wanted)
    elif axis == "step" and _holds(points, series.latest.step):
        # Where a training went on from an earlier step, the largest is in the middle of a chunk.
        rows = sampling.merged([*rows, series.latest])
    if len(rows) > limit:
        rows = [row for row in rows if not row.is_peak]
    if len(rows) > limit:
        rows = [min(rows), max(rows)]
    return rows, total


def _holds(points: Range, step: int) -> bool:
    return points.steps is None or points.steps[0] <= step <= points.steps[1]


def _ticks(series: Series, count: int) -> list[tuple[int, int, int]]:
    """`count` places of a series, evenly over its time, or over its steps if time stood still."""
    (since, start), (until, end) = series.first, series.last
    if since == until:
        places = [(since, start + (end - start) * n // (count - 1)) for n in range(count)]
    else:
        inner = (since + (until - since) * n // (count - 1) for n in range(count - 1))
        places = [*((timestamp, MIN_INT64) for timestamp in inner), series.last]
    return [(series.id, *place) for place in places]


def _curve(series: Series, axis: Axis, total: int, rows: Iterable[Row]) -> Curve:
    if axis == "step":
        ordered = sorted(rows, key=lambda row: (row.step, row.timestamp))
        return Curve(series, total, ordered, [row.step for row in ordered])
    zero = series.start if axis == "relative" else 0
    ordered = sorted(rows, key=lambda row: (row.timestamp, row.step))
    return Curve(series, total, ordered, [row.timestamp - zero for row in ordered])
