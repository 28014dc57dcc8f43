"""Few points that stand for many: a series reduced in the database to what a chart can show.

The points are cut, in the order of their time, into chunks; of each chunk come the first, the
last, the smallest and the largest, so that no peak is lost. That needs no sorting: a chunk is a
range of the points' primary key. Chunks of equal time are found by a few lookups; where they hold
very different numbers of points, as after a pause of weeks, chunks of equal numbers are taken.
Where the steps have little to do with the time, `by_step` sorts after all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Double,
    FromClause,
    Select,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from gitlab_mlops.services.ranges import P, Range, Row, columns_of, for_each, plain
from gitlab_mlops.services.statements import dialect

_MAX = sys.float_info.max
_FAR = 2**62
"""Timestamps beyond this are not added to."""
_UNEVEN = 4
"""How many times as large as the average the largest chunk of equal time may be."""


class _Cut(NamedTuple):
    """Chunks of `width` milliseconds, or else of `size` points."""

    width: int = 0
    size: int = 0

    def values(self) -> dict[str, int]:
        """Values for the statements."""
        if self.width:
            return {"width": self.width}
        return {"size": self.size, "skipped": self.size - 1}


def by_time(session: Session, points: Range, *, limit: int) -> tuple[list[Row], int]:
    """At most `limit` (from 6) of more points than that, in no order; and how many those are."""
    # What is logged meanwhile waits for the next time, or there would be too many chunks.
    first, last = sorted(
        session.execute(_ends(points.steps is not None), _values(points)).scalars()
    )
    points = replace(points, until=last)
    cut, total = _cut(session, points, last - first, limit // 4)
    found = _by_time(session, points, cut, finite=False)
    if all(-_MAX <= row.value <= _MAX for row in found):
        return found, total
    # NaN and infinities were the extremes of their chunks; finite ones may stand behind them.
    wider = _Cut(*(-(-each * (limit // 4) // (limit // 6)) for each in cut))
    return _by_time(session, points, wider, finite=True), total


def _cut(session: Session, points: Range, duration: int, number: int) -> tuple[_Cut, int]:
    """How to cut the points into at most `number` chunks, and how many points there are."""
    in_steps, values = points.steps is not None, _values(points)
    width = duration // number + 1
    if points.until - duration > -_FAR and points.until + width < _FAR:
        counted = _counts(dialect(session), in_steps)
        counts = list(session.execute(counted, {**values, "width": width}).scalars())
        if max(counts) * number <= _UNEVEN * sum(counts):
            return _Cut(width=width), sum(counts)
    total = session.execute(_points(in_steps, func.count()), values).scalar_one()
    return _Cut(size=-(-total // number)), total


def _by_time(session: Session, points: Range, cut: _Cut, *, finite: bool) -> list[Row]:
    in_steps = points.steps is not None
    statement = _statement(dialect(session), in_steps, bool(cut.width), finite)
    return merged(session.execute(statement, {**_values(points), **cut.values()}))


def by_step(session: Session, points: Range, *, limit: int) -> list[Row]:
    """At most `limit` (from 6) points, in no order: the extremes of even ranges of steps, and the
    ends.

    This sorts all points, so it takes several times as long as `by_time`.
    """
    in_steps, values = points.steps is not None, _values(points)
    ends = _points(in_steps, func.min(P.c.step), func.max(P.c.step))
    lowest, highest = map(float, session.execute(ends, values).one())
    # As floats, because a difference of two int64 may be none.
    values |= {"lowest": lowest, "scale": ((limit - 2) // 4 - 1) / max(highest - lowest, 1.0)}
    found = session.execute(_extremes_by_step(dialect(session), in_steps), values)
    return merged((*row, False) for row in found)


def follows_time(rows: Iterable[Row]) -> bool:
    """Whether the steps mostly grow with time: they may start again at most a few times."""
    steps = [row.step for row in sorted(rows, key=lambda row: row[:2])]
    way = sum(abs(after - before) for before, after in pairwise(steps))
    return way <= 6 * (max(steps) - min(steps))


def _values(points: Range) -> dict[str, Any]:
    start, end = points.steps or (None, None)
    in_time = {"series_id": points.series_id, "since": points.since, "until": points.until}
    return in_time if points.steps is None else in_time | {"start": start, "end": end}


def _points(in_steps: bool, *columns: Any, since: bool = True, until: bool = True) -> Select[Any]:
    """SELECT these columns of the points of a range, or else all that a `Row` needs.

    `since` and `until`: not to be left out, unless something else bounds the time on that side.
    SQLite would search the index by the wrong one of two bounds.
    """
    chosen = select(*(columns or columns_of(P))).where(P.c.series_id == bindparam("series_id"))
    if since:
        chosen = chosen.where(P.c.timestamp >= bindparam("since"))
    if until:
        chosen = chosen.where(P.c.timestamp <= bindparam("until"))
    if in_steps:
        chosen = chosen.where(P.c.step.between(bindparam("start"), bindparam("end")))
    return chosen


@cache
def _ends(in_steps: bool) -> CompoundSelect[Any]:
    """The first and the last timestamp."""
    orders = (columns_of(P), _backwards(P))
    points = [_points(in_steps, P.c.timestamp).order_by(*order).limit(1) for order in orders]
    return union_all(*(select(each.subquery().c.timestamp) for each in points))


@cache
def _counts(dialect: str, in_steps: bool) -> Select[Any]:
    """How many points each chunk of equal time has."""
    chunks = _chunks(dialect, in_steps, in_time=True)
    count = _members(chunks, in_steps, in_time=True).with_only_columns(func.count())
    return select(count.correlate(chunks).scalar_subquery()).select_from(chunks)


@cache
def _statement(dialect: str, in_steps: bool, in_time: bool, finite: bool) -> CompoundSelect[Any]:
    """What `by_time` asks for; with `finite` also the extremes among finite values."""
    chunks = _chunks(dialect, in_steps, in_time)
    before = _points(in_steps, until=False).where(tuple_(*columns_of(P)) < _key(chunks))
    before = before.order_by(*_backwards(P)).limit(1)
    last = _points(in_steps).order_by(*_backwards(P)).limit(1).subquery("last")
    by_place = [
        select(*columns_of(chunks)),
        for_each(dialect, chunks, bindparam("series_id"), before),
        select(*columns_of(last)),
    ]
    extremes = _located if dialect == "postgresql" else _sorted
    by_value = [
        for_each(dialect, outer, bindparam("series_id"), one)
        for outer, one in extremes(chunks, in_steps, in_time, finite)
    ]
    return union_all(
        *(each.add_columns(literal(0)) for each in by_place),
        *(each.add_columns(literal(1)) for each in by_value),
    )


Extremes = Iterator[tuple[CTE, Select[Any]]]
"""For each row of which table, which point: the smallest or largest, of equal ones the first."""


def _sorted(chunks: CTE, in_steps: bool, in_time: bool, finite: bool) -> Extremes:
    """The extremes of chunks; each in one pass, which keeps the best so far."""
    chunk = _members(chunks, in_steps, in_time).correlate(chunks).subquery("chunk")
    place = (chunk.c.timestamp, chunk.c.step)
    for value in (chunk.c.value.asc(), chunk.c.value.desc()):
        extreme = select(*columns_of(chunk)).order_by(value, *place).limit(1)
        yield chunks, extreme
        if finite:
            yield chunks, extreme.where(_is_finite(chunk.c.value))


def _located(chunks: CTE, in_steps: bool, in_time: bool, finite: bool) -> Extremes:
    """The same for PostgreSQL: all values in one pass, then their points in half a pass each."""
    value = _members(chunks, in_steps, in_time).correlate(chunks).subquery("chunk").c.value
    values: list[ColumnElement[Any]] = [func.min(value), func.max(value)]
    if finite:
        values += [extreme(value).filter(_is_finite(value)) for extreme in (func.min, func.max)]
    named = [each.label(f"v{number}") for number, each in enumerate(values)]
    found = select(*named).correlate(chunks).lateral("found")
    known = select(*columns_of(chunks), *found.c).join_from(chunks, found, literal(True))
    outer = known.cte("known")
    chunk = _members(outer, in_steps, in_time).correlate(outer).subquery("chunk")
    for each in found.c:
        extreme = select(*columns_of(chunk)).where(chunk.c.value == outer.c[each.name])
        yield outer, extreme.order_by(*columns_of(chunk)).limit(1)


def _is_finite(value: ColumnElement[Any]) -> ColumnElement[bool]:
    return value.between(-_MAX, _MAX)


def _chunks(dialect: str, in_steps: bool, in_time: bool) -> CTE:
    """The first point of each chunk: the first of all, then the next that is not in the last."""
    first = _points(in_steps).order_by(*columns_of(P)).limit(1).subquery("first")
    chunks = select(*columns_of(first)).cte("chunks", recursive=True)
    following = _points(in_steps, since=False).order_by(*columns_of(P)).limit(1)
    if in_time:
        following = following.where(P.c.timestamp >= _until(chunks))
    else:
        following = following.where(tuple_(*columns_of(P)) > _key(chunks))
        following = following.offset(bindparam("skipped"))
    return chunks.union_all(for_each(dialect, chunks, bindparam("series_id"), following))


def _members(chunks: CTE, in_steps: bool, in_time: bool) -> Select[Any]:
    """The points of a chunk."""
    if in_time:
        # One upper bound, because SQLite might search the index by the wrong one of two.
        until = case(
            (_until(chunks) <= bindparam("until"), _until(chunks) - 1), else_=bindparam("until")
        )
        members = _points(in_steps, since=False, until=False)
        return members.where(P.c.timestamp >= plain(chunks.c.timestamp), P.c.timestamp <= until)
    members = _points(in_steps, since=False).where(tuple_(*columns_of(P)) >= _key(chunks))
    return members.order_by(*columns_of(P)).limit(bindparam("size"))


def _until(chunks: CTE) -> ColumnElement[Any]:
    """Where a chunk of equal time ends, excluded."""
    return plain(chunks.c.timestamp) + bindparam("width", type_=BigInteger)


@cache
def _extremes_by_step(dialect: str, in_steps: bool) -> CompoundSelect[Any]:
    # Whether a database cuts or rounds here does not matter: the buckets are even.
    place = (cast(P.c.step, Double) - bindparam("lowest", type_=Double)) * bindparam(
        "scale", type_=Double
    )
    bucket = cast(place, BigInteger)
    finite = _is_finite(P.c.value)
    by_value = [
        _extreme_of_each(dialect, _points(in_steps).where(where), bucket, descending)
        for where in (finite, ~finite)
        for descending in (False, True)
    ]
    ends = [_points(in_steps).order_by(each).limit(1) for each in (P.c.step, P.c.step.desc())]
    return union_all(*by_value, *(select(*columns_of(each.subquery())) for each in ends))


def _extreme_of_each(
    dialect: str, points: Select[Any], bucket: ColumnElement[Any], descending: bool
) -> Select[Any]:
    """The point with the smallest or largest value of each bucket."""
    value = P.c.value
    if dialect == "postgresql":
        order = value.desc() if descending else value.asc()
        place = func.row_number().over(partition_by=bucket, order_by=order).label("place")
        ranked = points.add_columns(place).subquery()
        return select(*columns_of(ranked)).where(ranked.c.place == 1)
    # SQLite takes bare columns next to a min() or max() from the row that has it.
    extreme = func.max(value) if descending else func.min(value)
    return points.with_only_columns(P.c.timestamp, P.c.step, extreme).group_by(bucket)


def _backwards(table: FromClause) -> tuple[ColumnElement[Any], ...]:
    return tuple(column.desc() for column in columns_of(table))


def _key(chunks: CTE) -> ColumnElement[Any]:
    """Where a chunk starts."""
    return tuple_(*map(plain, columns_of(chunks)))


def merged(rows: Iterable[Any]) -> list[Row]:
    """The points, each once; what is first or last in its chunk has its place."""
    found: dict[Any, Row] = {}
    for timestamp, step, value, is_peak in rows:
        key = (timestamp, step, None if value != value else value)
        if key not in found or not is_peak:
            found[key] = Row(timestamp, step, value, bool(is_peak))
    return list(found.values())
