"""What charts over candidates draw: a few chosen values of many candidates, and which there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sqlalchemy import ColumnElement, Select, func, literal, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Candidate, MetricKey, MetricSeries, Param
from gitlab_mlops.services.expressions import Comparison, Expression, comparisons
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.search.conditions import to_sql
from gitlab_mlops.services.search.pages import View, in_view
from gitlab_mlops.services.search.sources import Sources
from gitlab_mlops.services.search.values import dialect_of

MAX_POINTS = 5_000
"""Candidates of one chart; more cannot be told apart."""
MAX_COUNTED = 100_000
"""Candidates that are counted."""
MAX_NAMES = 500
"""Metrics, and parameters, to choose from."""
MAX_LENGTH = 80
"""Characters of a text that fits on an axis."""
SAMPLE = 100
"""The newest candidates tell which parameters there are and whether they vary."""

Entity = Literal["metric", "param", "tag", "attribute"]
Value = float | int | str | None


class Column(NamedTuple):
    """What to draw: a metric, parameter or tag, or one of the attributes `created` and `duration`.

    Attributes are in milliseconds: since 1970, and from start to end.
    """

    entity: Entity
    key: str


@dataclass(frozen=True, slots=True)
class Dot:
    """A candidate with its values, one for each column, None where it has none."""

    iid: int
    name: str
    values: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Dots:
    """Candidates for a chart, the newest first.

    `total` is how many there are to draw; `has_more`: more than that, and nobody counted them.
    """

    dots: list[Dot]
    total: int
    has_more: bool = False


@dataclass(frozen=True, slots=True)
class Names:
    """What candidates have, by name. `varying` are the params that tell them apart on an axis."""

    metrics: list[str]
    params: list[str]
    varying: frozenset[str]


def find_dots(
    access: ReadAccess,
    experiment_id: int,
    columns: Sequence[Column],
    *,
    where: Expression | None = None,
    view: View = "active",
    limit: int = MAX_POINTS,
) -> Dots:
    """The newest candidates of an experiment (internal id) that an expression finds."""
    sources = Sources([experiment_id], _metric_ids(access, columns, where), ())
    condition = to_sql(where, sources, dialect_of(access.session))
    logged = [each for each in columns if each.entity != "attribute"]
    found = select(*_OF_ALL, *(_value(each, sources) for each in logged))
    found = _among(found, access, experiment_id, view).where(condition)
    found = found.order_by(Candidate.start_time.desc(), Candidate.eid.desc()).limit(limit + 1)
    rows = access.session.execute(found).all()
    dots = [_dot(columns, *row) for row in rows[:limit]]
    if len(rows) <= limit:
        return Dots(dots, len(dots))
    one = _among(select(literal(1).label("one")), access, experiment_id, view).where(condition)
    counted = select(func.count()).select_from(one.limit(MAX_COUNTED + 1).subquery())
    total = access.session.execute(counted).scalar_one()
    return Dots(dots, min(total, MAX_COUNTED), total > MAX_COUNTED)


def find_names(access: ReadAccess, experiment_id: int) -> Names:
    """What there is to draw in an experiment (internal id), in bounded time."""
    metrics = access.session.scalars(
        select(MetricKey.key).where(
            MetricKey.project_id == access.project.id, MetricKey.id.in_(_key_ids(experiment_id))
        )
    )
    newest = (
        _among(select(Candidate.id), access, experiment_id, "active")
        .order_by(Candidate.start_time.desc(), Candidate.eid.desc())
        .limit(SAMPLE)
        .subquery()
    )
    # Missing in some of them is a difference, too.
    params = access.session.execute(
        select(
            Param.key,
            func.count(Param.value.distinct()),
            func.count(),
            func.max(func.length(Param.value)),
            select(func.count()).select_from(newest).scalar_subquery(),
        )
        .join(newest, newest.c.id == Param.candidate_id)
        .group_by(Param.key)
        .order_by(Param.key)
        .limit(MAX_NAMES)
    ).all()
    varying = {
        key
        for key, values, having, length, every in params
        if (values > 1 or having < every) and length <= MAX_LENGTH
    }
    return Names(sorted(metrics), [key for key, *_ in params], frozenset(varying))


def _key_ids(experiment_id: int) -> Select[Any]:
    """The metrics of an experiment, one after the other: a step of the index for each of them."""
    series = MetricSeries.__table__.c
    first = select(func.min(series.key_id).label("id")).where(series.experiment_id == experiment_id)
    keys = first.cte("keys", recursive=True)
    following = select(func.min(series.key_id)).where(
        series.experiment_id == experiment_id, series.key_id > keys.c.id
    )
    step = select(following.correlate(keys).scalar_subquery()).where(keys.c.id.is_not(None))
    keys = keys.union_all(step)
    return select(keys.c.id).where(keys.c.id.is_not(None)).limit(MAX_NAMES)


def _among(
    statement: Select[Any], access: ReadAccess, experiment_id: int, view: View
) -> Select[Any]:
    return statement.select_from(Candidate).where(
        Candidate.experiment_id == experiment_id,
        Candidate.project_id == access.project.id,
        *in_view(Candidate.deleted_at.expression, view),
    )


_OF_ALL: tuple[Any, ...] = (
    Candidate.iid,
    Candidate.name,
    Candidate.created_at,
    Candidate.start_time,
    Candidate.end_time,
)


def _value(column: Column, sources: Sources) -> ColumnElement[Any]:
    value = sources.value(column.entity, column.key)
    return literal(None) if value is None else value


def _dot(
    columns: Sequence[Column],
    iid: int,
    name: str,
    created_at: int,
    start_time: int | None,
    end_time: int | None,
    *logged: float | str | None,
) -> Dot:
    # Reckoned here, because the difference of two times may be too large for PostgreSQL.
    times = times_of(created_at, start_time, end_time)
    rest = iter(logged)
    return Dot(
        iid,
        name,
        [times[each.key] if each.entity == "attribute" else next(rest) for each in columns],
    )


def times_of(
    created_at: int, start_time: int | None, end_time: int | None
) -> dict[str, int | None]:
    """The attributes of a candidate; clients that do not say a time send 0."""
    started = start_time or created_at
    took = end_time - started if end_time else None
    return {"created": started, "duration": None if took is None or took < 0 else took}


def _metric_ids(
    access: ReadAccess, columns: Iterable[Column], where: Expression | None
) -> dict[str, int]:
    named: list[Column | Comparison] = [*columns, *comparisons(where)]
    keys = {each.key for each in named if each.entity == "metric"}
    statement = select(MetricKey.key, MetricKey.id).where(
        MetricKey.project_id == access.project.id, MetricKey.key.in_(keys)
    )
    return dict(access.session.execute(statement).all()) if keys else {}


def dots_of(compared: Sequence[CandidateRecord], columns: Sequence[Column]) -> Dots:
    """Candidates that are at hand already, as dots."""
    dots = [Dot(each.iid, each.name, _values(each, columns)) for each in compared]
    return Dots(dots, len(dots))


def names_of(compared: Sequence[CandidateRecord]) -> Names:
    """What these candidates have, by name."""
    metrics = sorted({point.key for each in compared for point in each.metrics})
    values: dict[str, list[str]] = {}
    for each in compared:
        for key, value in each.params:
            values.setdefault(key, []).append(value)
    varying = {
        key
        for key, found in values.items()
        if (len(set(found)) > 1 or len(found) < len(compared))
        and max(map(len, found)) <= MAX_LENGTH
    }
    return Names(metrics[:MAX_NAMES], sorted(values)[:MAX_NAMES], frozenset(varying))


def _values(record: CandidateRecord, columns: Sequence[Column]) -> list[Value]:
    found: dict[tuple[str, str], Value] = {
        **{("metric", point.key): point.value for point in record.metrics},
        **{("param", key): value for key, value in record.params},
        **{("tag", key): value for key, value in record.tags},
    }
    times = times_of(record.created_at, record.start_time, record.end_time)
    found |= {("attribute", key): value for key, value in times.items()}
    return [found.get(each) for each in columns]
