"""Finding candidates by what they logged, in any order, page by page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services import records
from gitlab_mlops.services.expressions import Comparison, Expression, Order, comparisons, required
from gitlab_mlops.services.search.conditions import to_sql
from gitlab_mlops.services.search.keyset import Position, Rank, SortKey
from gitlab_mlops.services.search.nesting import is_top_level
from gitlab_mlops.services.search.pages import Page, Pages, View, in_view
from gitlab_mlops.services.search.selectivity import (
    KEPT,
    is_among_few,
    is_small,
    most_selective,
)
from gitlab_mlops.services.search.sources import (
    CANDIDATES,
    EXPERIMENT_IID,
    TIMES,
    Key,
    Sources,
)
from gitlab_mlops.services.search.values import dialect_of
from gitlab_mlops.services.statements import Hot, text_array

# With the longest filter still below SQLite's limit of 32,766 parameters.
MAX_EXPERIMENTS = 10_000

# The experiment's iid is looked up and not joined: given the join, SQLite sorts all candidates
# instead of reading an index in its order.
COLUMNS: tuple[Any, ...] = tuple(
    EXPERIMENT_IID.label(column.key) if column.key == "experiment_iid" else column
    for column in records.RECORD_COLUMNS
)


def search_candidates(
    access: ReadAccess,
    experiment_ids: Sequence[int],
    *,
    where: Expression | None = None,
    order: Sequence[Order] = (),
    view: View = "active",
    top_level: bool = False,
    limit: int,
    after: Position | None = None,
) -> Page:
    """The candidates of these experiments (internal ids) that an expression finds.

    The order ends as MLflow's: the newest start first, then by eid. With `top_level`, children of
    candidates that the view has in the same experiment are left out. The rows are those of
    `records.RECORD_COLUMNS`, for `records.load`. Raises `Invalid` if there are too many
    experiments, or if `after` is of another order.
    """
    if len(experiment_ids) > MAX_EXPERIMENTS:
        raise Invalid(f"Search at most {MAX_EXPERIMENTS} experiments at once.")
    orders = tuple(with_ties_broken(order))
    metric_ids = tuple(sorted(ids_of_metrics(access, where, orders).items()))
    experiments = tuple(experiment_ids)
    sorted_by = {(each.entity, each.key) for each in orders}
    others = tuple(
        each
        for each in required(where)
        if each.entity == "param"
        or (each.entity == "metric" and (each.entity, each.key) not in sorted_by)
    )
    start = most_selective(access.session, experiments, metric_ids, others)
    query = Query(
        dialect_of(access.session), access.project.id, experiments, metric_ids, where, orders, view,
        top_level, start.joined, start.few is not None,
    )  # fmt: skip
    values = {} if start.few is None else {"few": start.few}
    build = _kept if is_small(experiments, tuple(comparisons(where))) else _pages
    return build(query).read(access.session, limit=limit, after=after, values=values)


class Query(NamedTuple):
    """All that the statements of a search are made of."""

    dialect: str
    project_id: int
    experiment_ids: tuple[int, ...]
    metric_ids: tuple[tuple[str, int], ...]
    where: Expression | None
    orders: tuple[Order, ...]
    view: View
    top_level: bool
    joined: tuple[Key, ...]
    is_among_few: bool


def _pages(query: Query) -> Pages:
    where, orders = query.where, query.orders
    needed: set[Key] = {
        (each.entity, each.key) for each in required(where) if each.entity == "metric"
    }
    sorted_by = [(each.entity, each.key) for each in orders if each.entity != "attribute"]
    sources = Sources(
        query.experiment_ids,
        dict(query.metric_ids),
        dict.fromkeys([*query.joined, *sorted_by]),
    )
    keys = [sort_key(each, sources, needed) for each in orders]
    condition = to_sql(where, sources, query.dialect)
    if query.is_among_few:
        condition &= is_among_few(query.dialect)
    if query.top_level:
        condition &= is_top_level(query.view)
    lead = next(each for each, key in zip(orders, keys, strict=True) if key.column is not None)

    def statement(rank: Rank) -> Select[Any]:
        inner = needed if rank is Rank.MISSING else needed | {(lead.entity, lead.key)}
        found = _select(query.project_id, query.experiment_ids, query.view, *COLUMNS)
        return sources.join(found, outer=set(sorted_by) - inner).where(condition)

    return Pages(keys, statement)


_kept = lru_cache(KEPT)(_pages)


def count_found(
    access: ReadAccess,
    experiment_ids: Sequence[int],
    *,
    where: Expression | None,
    view: View = "active",
    limit: int,
) -> int:
    """How many candidates `search_candidates` finds on all pages, counted up to `limit`."""
    metric_ids = ids_of_metrics(access, where, ())
    # Nothing is sorted, so to start from the index of a metric is never worse.
    filtered = [(each.entity, each.key) for each in required(where) if each.entity == "metric"]
    sources = Sources(experiment_ids, metric_ids, dict.fromkeys(filtered[:1]))
    ids = _select(access.project.id, experiment_ids, view, CANDIDATES.c.id)
    condition = to_sql(where, sources, dialect_of(access.session))
    matching = sources.join(ids, outer=()).where(condition).limit(limit)
    counted = select(func.count()).select_from(matching.subquery())
    return access.session.execute(counted).scalar_one()


def _select(
    project_id: int, experiment_ids: Sequence[int], view: View, *columns: Any
) -> Select[Any]:
    column = CANDIDATES.c
    ids = column.experiment_id
    statement: Select[Any] = select(*columns).select_from(CANDIDATES)
    return statement.where(
        ids == experiment_ids[0] if len(experiment_ids) == 1 else ids.in_(experiment_ids),
        column.project_id == project_id,
        *in_view(column.deleted_at, view),
    )


def with_ties_broken(order: Sequence[Order]) -> list[Order]:
    """The order as no two candidates are equal in it."""
    given = {(each.entity, each.key) for each in order}
    ties = (Order("attribute", "start_time", descending=True), Order("attribute", "eid"))
    return [*order, *(tie for tie in ties if (tie.entity, tie.key) not in given)]


def sort_key(order: Order, sources: Sources, needed: set[Key]) -> SortKey:
    """One clause of an order; the keys in `needed` are missing in no row."""
    column = sources.value(order.entity, order.key)
    if order.entity == "attribute":
        timed = order.key in TIMES
        return SortKey(column, int if timed else str, order.descending, nullable=timed)
    kind = float if order.entity == "metric" else str
    # What the filter needs is missing in nothing that it finds.
    return SortKey(column, kind, order.descending, (order.entity, order.key) not in needed)


def ids_of_metrics(
    access: ReadAccess, where: Expression | None, order: Sequence[Order]
) -> dict[str, int]:
    """The ids of the metrics that a search names. A name that the project lacks has none."""
    named: list[Comparison | Order] = [*comparisons(where), *order]
    keys = {each.key for each in named if each.entity == "metric"}
    if not keys:
        return {}
    array, text = text_array(sorted(keys)), json.dumps(sorted(keys))
    named_so = {"project_id": access.project.id, "array": array, "json": text}
    return dict(_METRIC_IDS.rows(access.session, named_so))


_METRIC_IDS = Hot(
    """
    SELECT key, id FROM mlops_metric_keys
    WHERE project_id = %(project_id)s AND key = ANY(CAST(%(array)s AS text[]))
    """,
    """
    SELECT key, id FROM mlops_metric_keys
    WHERE project_id = %(project_id)s AND key IN (SELECT value FROM json_each(%(json)s))
    """,
)
