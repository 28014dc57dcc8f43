"""Finding candidates by what they logged, in any order, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.errors import Invalid
from gitlab_mlops.models import Candidate, MetricKey
from gitlab_mlops.services import records
from gitlab_mlops.services.expressions import Comparison, Expression, Order, comparisons, required
from gitlab_mlops.services.search.conditions import to_sql
from gitlab_mlops.services.search.keyset import Position, Rank, SortKey
from gitlab_mlops.services.search.nesting import is_top_level
from gitlab_mlops.services.search.pages import Page, View, in_view, read_page
from gitlab_mlops.services.search.selectivity import most_selective
from gitlab_mlops.services.search.sources import EXPERIMENT_IID, TIMES, Key, Sources
from gitlab_mlops.services.search.values import dialect_of

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
    orders = with_ties_broken(order)
    metric_ids = ids_of_metrics(access, where, orders)
    filtered = [each for each in required(where) if each.entity == "metric"]
    needed: set[Key] = {(each.entity, each.key) for each in filtered}
    sorted_by = [(each.entity, each.key) for each in orders if each.entity != "attribute"]
    others = [each for each in filtered if (each.entity, each.key) not in sorted_by]
    start = most_selective(access.session, experiment_ids, metric_ids, others)
    sources = Sources(experiment_ids, metric_ids, dict.fromkeys([*start, *sorted_by]))
    keys = [sort_key(each, sources, needed) for each in orders]
    condition = to_sql(where, sources, dialect_of(access.session))
    if top_level:
        condition &= is_top_level(view)
    lead = next(each for each, key in zip(orders, keys, strict=True) if key.column is not None)

    def statement(rank: Rank) -> Select[Any]:
        inner = needed if rank is Rank.MISSING else needed | {(lead.entity, lead.key)}
        found = sources.join(_select(access, experiment_ids, view), outer=set(sorted_by) - inner)
        return found.where(condition)

    return read_page(access.session, keys, statement, limit=limit, after=after)


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
    found = sources.join(_select(access, experiment_ids, view), outer=())
    found = found.where(to_sql(where, sources, dialect_of(access.session)))
    matching = found.with_only_columns(Candidate.id, maintain_column_froms=True).limit(limit)
    counted = select(func.count()).select_from(matching.subquery())
    return access.session.execute(counted).scalar_one()


def _select(access: ReadAccess, experiment_ids: Sequence[int], view: View) -> Select[Any]:
    ids = Candidate.experiment_id
    statement: Select[Any] = select(*COLUMNS).select_from(Candidate)
    return statement.where(
        ids == experiment_ids[0] if len(experiment_ids) == 1 else ids.in_(experiment_ids),
        Candidate.project_id == access.project.id,
        *in_view(Candidate.deleted_at.expression, view),
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
    statement = select(MetricKey.key, MetricKey.id).where(
        MetricKey.project_id == access.project.id, MetricKey.key.in_(keys)
    )
    return dict(access.session.execute(statement).all())
