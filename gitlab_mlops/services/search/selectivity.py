"""How many candidates what a filter demands leaves: counted a little way, not estimated.

Two plans find the first page. To start from the index of a metric or parameter is best if few
candidates match it; to go through the candidates in order and look each one's values up is best if
many do. With 100,000 candidates the wrong one takes a hundred times as long, and both databases
choose it often. A count that stops early costs a millisecond.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby, islice
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal,
    select,
    true,
)
from sqlalchemy.orm import Session

from gitlab_mlops.models import MAX_INDEXED, MetricSeries, Param
from gitlab_mlops.models.candidates import IS_INDEXED
from gitlab_mlops.services.expressions import Comparison
from gitlab_mlops.services.search.sources import CANDIDATES, Key
from gitlab_mlops.services.search.values import (
    Column,
    Condition,
    compare_metric,
    compare_plain,
    dialect_of,
)

# Looking up so many candidates takes as long as finding 100 of 100,000 where so many match.
FEW = 3000
MAX_KEYS = 4
MAX_EXPERIMENTS = 20
MAX_KEPT, MAX_KEPT_VALUE = 10, 1000
KEPT = 128
"""Searches whose statements are kept: most are sent again and again."""


class Start(NamedTuple):
    """Where to start: `joined` from the index of a metric; `few` are all that can be found.

    `few` is an array or JSON, as the database wrote it.
    """

    joined: tuple[Key, ...] = ()
    few: str | None = None


def most_selective(
    session: Session,
    experiment_ids: tuple[int, ...],
    metric_ids: tuple[tuple[str, int], ...],
    required: tuple[Comparison, ...],
) -> Start:
    """Where to start to look at the fewest candidates, if they are few; else nowhere special.

    Many experiments at once are not counted: each is an own range of the index.
    """
    if not 0 < len(experiment_ids) <= MAX_EXPERIMENTS:
        return Start()
    build = _kept if is_small(experiment_ids, required) else _counts
    names, statement = build(experiment_ids, metric_ids, required, dialect_of(session))
    if not names:
        return Start()
    counts = list(zip(session.execute(statement, {"few": FEW}).one(), names, strict=True))
    # Parameters lead to their candidates at once, so they are better than metrics.
    if ids := [value for value, (entity, _) in counts if entity == "param" and value]:
        return Start(few=min(ids, key=len))
    found = [(value, key) for value, (entity, key) in counts if entity == "metric"]
    count, key = min(found, default=(FEW, ""))
    return Start(joined=(("metric", key),)) if count < FEW else Start()


def is_small(experiment_ids: Sequence[int], compared: Sequence[Comparison]) -> bool:
    """Whether what is built for this search is small enough to be kept."""
    if len(experiment_ids) > MAX_EXPERIMENTS or len(compared) > MAX_KEPT:
        return False
    return all(len(repr(each.value)) < MAX_KEPT_VALUE for each in compared)


def is_among_few(dialect: str) -> Condition:
    """Whether a candidate is one of `Start.few`, which is the parameter `few`."""
    candidate_id: Column = CANDIDATES.c.id
    few = bindparam("few", type_=Text)
    if dialect == "postgresql":
        return candidate_id == any_(cast(few, ARRAY(BigInteger)))
    each = func.json_each(few).table_valued(column("value", BigInteger))
    return candidate_id.in_(select(each.c.value))


def _counts(
    experiment_ids: tuple[int, ...],
    metric_ids: tuple[tuple[str, int], ...],
    required: tuple[Comparison, ...],
    dialect: str,
) -> tuple[list[Key], Select[Any]]:
    """What is counted, and the statement; its parameter `few` says how far to count."""
    params = _indexed_params(required)
    metrics = _groups_of_metrics(dict(metric_ids), required)
    names: list[Key] = [("param", each.key) for each in params]
    names += [("metric", group[0].key) for _, group in metrics]
    found = [_find_few(experiment_ids, each, dialect) for each in params]
    found += [_count(experiment_ids, metric_id, group) for metric_id, group in metrics]
    return names, select(*(each.label(f"found_{index}") for index, each in enumerate(found)))


_kept = lru_cache(KEPT)(_counts)
_FEW = bindparam("few", type_=Integer)


def _indexed_params(required: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons that the index of parameters serves: equal to a value that is not long."""
    return [
        each
        for each in required
        if each.entity == "param" and each.operator == "=" and len(str(each.value)) <= MAX_INDEXED
    ][:MAX_KEYS]


def _find_few(experiment_ids: Sequence[int], wanted: Comparison, dialect: str) -> Column:
    """The candidates with this parameter in the experiments as a text; NULL if they are many."""
    param: Any = Param.__table__.c
    matching = select(param.candidate_id.label("id")).where(
        param.experiment_id.in_(experiment_ids),
        param.key == wanted.key,
        compare_plain(param.value, wanted),
        IS_INDEXED,
    )
    ids = matching.limit(_FEW).subquery()
    is_postgresql = dialect == "postgresql"
    array: Column = func.coalesce(cast(func.array_agg(ids.c.id), Text), "{}")
    text = array if is_postgresql else func.json_group_array(ids.c.id)
    return select(case((func.count() < _FEW, text))).select_from(ids).scalar_subquery()


def _groups_of_metrics(
    metric_ids: Mapping[str, int], required: Sequence[Comparison]
) -> list[tuple[int, list[Comparison]]]:
    """(id, all that is said of it) of metrics that the project knows."""
    known = [each for each in required if each.entity == "metric" and each.key in metric_ids]
    groups = groupby(sorted(known, key=attrgetter("key")), attrgetter("key"))
    return [(metric_ids[key], list(group)) for key, group in islice(groups, MAX_KEYS)]


def _count(experiment_ids: Sequence[int], metric_id: int, group: Sequence[Comparison]) -> Column:
    """Count series in the experiments that match all the comparisons, a little way."""
    series = MetricSeries.__table__.c
    matching = select(literal(1).label("one")).where(
        series.experiment_id.in_(experiment_ids),
        series.key_id == metric_id,
        and_(true(), *(compare_metric(series.value, each) for each in group)),
    )
    counted = matching.limit(_FEW).subquery()
    return select(func.count()).select_from(counted).scalar_subquery()
