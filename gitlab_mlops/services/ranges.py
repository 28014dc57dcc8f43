"""Points of many series at once: how many there are, all of them, or the next after a moment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    UnaryExpression,
    bindparam,
    column,
    func,
    literal,
    select,
    text,
    tuple_,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.operators import custom_op

from gitlab_mlops.models import MetricPoint
from gitlab_mlops.services.statements import MAX_PARAMETERS, chunks, dialect

MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1
P = MetricPoint.__table__.alias("p")
"""The points, as the parts of a statement name them."""


class Row(NamedTuple):
    """A point; `is_peak`: it was taken for its value, not for its place."""

    timestamp: int
    step: int
    value: float
    is_peak: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """The points of a series between two timestamps, and two steps (None: all); ends included."""

    series_id: int
    since: int = MIN_INT64
    until: int = MAX_INT64
    steps: tuple[int, int] | None = None


def count(session: Session, ranges: Iterable[Range], limit: int | None = None) -> dict[int, int]:
    """How many points there are in each range, by series, counted no further than `limit`."""
    found: dict[int, int] = {}
    for wanted, here, values in _tables(ranges):
        few = select(literal(1).label("one")).where(here).correlate(wanted).limit(limit)
        counted = select(func.count()).select_from(few.subquery()).scalar_subquery()
        statement = select(wanted.c.column1, counted)
        found |= dict(session.execute(statement, values).all())
    return found


def read(session: Session, ranges: Iterable[Range]) -> Mapping[int, list[Row]]:
    """All points of each range, by series."""
    found: dict[int, list[Row]] = defaultdict(list)
    for wanted, here, values in _tables(ranges):
        statement = select(wanted.c.column1, *columns_of(P)).join_from(wanted, P, here)
        for series_id, *point in session.execute(statement, values):
            found[series_id].append(Row(*point))
    return found


def look_up(session: Session, places: Sequence[tuple[int, int, int]]) -> Mapping[int, list[Row]]:
    """For each (series, timestamp, step) the first point there or after it in time, each once."""
    found: dict[int, dict[Row, None]] = defaultdict(dict)
    for some in chunks(places, MAX_PARAMETERS // 3):
        wanted, values = _table(some)
        there = tuple_(plain(wanted.c.column2), plain(wanted.c.column3))
        one = (
            select(*columns_of(P))
            .where(P.c.series_id == wanted.c.column1, tuple_(P.c.timestamp, P.c.step) >= there)
            .order_by(*columns_of(P))
            .limit(1)
        )
        statement = for_each(dialect(session), wanted, wanted.c.column1, one)
        for *point, series_id in session.execute(statement.add_columns(wanted.c.column1), values):
            found[series_id][Row(*point)] = None
    return {series_id: list(rows) for series_id, rows in found.items()}


def for_each(
    dialect: str, outer: FromClause, series_id: ColumnElement[Any], one: Select[Any]
) -> Select[Any]:
    """What `one`, which finds at most one point of a series, finds for each row of `outer`."""
    if dialect == "postgresql":
        found = one.correlate(outer).lateral("q")
        return select(*columns_of(found)).select_from(outer).join(found, literal(True))
    # SQLite has no LATERAL, but looks a row up by a whole key that a subquery gives.
    point = MetricPoint.__table__.alias("q")
    key = tuple_(*columns_of(point)) == one.correlate(outer).scalar_subquery()
    return (
        select(*columns_of(point))
        .select_from(outer)
        .join(point, (point.c.series_id == series_id) & key)
    )


def columns_of(table: FromClause) -> tuple[ColumnElement[Any], ...]:
    """The columns of a `Row`, in the order of the points' primary key."""
    return table.c.timestamp, table.c.step, table.c.value


def plain(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The same with a plus sign, which changes nothing but SQLite's plan.

    SQLite looks only the first column of a row up in an index, if the row is compared with
    columns that have types of their own.
    """
    return UnaryExpression(column, operator=custom_op[Any]("+"), type_=column.type)


Table = tuple[FromClause, ColumnElement[bool], dict[str, Any]]


def _tables(ranges: Iterable[Range]) -> Iterable[Table]:
    """Ranges as tables, the condition that a point is in one, and values; alike in their steps."""
    every = list(ranges)
    for some in chunks(every, MAX_PARAMETERS // 4):
        wanted, values = _table([(each.series_id, each.since, each.until) for each in some])
        here = (P.c.series_id == wanted.c.column1) & P.c.timestamp.between(
            wanted.c.column2, wanted.c.column3
        )
        if (steps := some[0].steps) is not None:
            here &= P.c.step.between(*steps)
        yield wanted, here, values


def _table(rows: Sequence[tuple[int, int, int]]) -> tuple[FromClause, dict[str, Any]]:
    """VALUES as a table, whose columns both databases call column1 to column3."""
    names = [f"v{number}" for number in range(3 * len(rows))]
    places = (
        ", ".join(f":{name}" for name in names[at : at + 3]) for at in range(0, len(names), 3)
    )
    parameters = [bindparam(name, type_=BigInteger) for name in names]
    table = text("VALUES " + ", ".join(f"({place})" for place in places)).bindparams(*parameters)
    columns = [column(f"column{number}", BigInteger) for number in (1, 2, 3)]
    values = dict(zip(names, chain.from_iterable(rows), strict=True))
    return table.columns(*columns).cte("wanted"), values
