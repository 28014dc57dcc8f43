"""Finding experiments by name, id, times and tags, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, false, or_, select, true
from sqlalchemy.orm import aliased

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Experiment, ExperimentTag
from gitlab_mlops.services import experiment_records
from gitlab_mlops.services.expressions import And, Comparison, Expression, Order
from gitlab_mlops.services.search.conditions import compare_optional
from gitlab_mlops.services.search.keyset import Position, Rank, SortKey
from gitlab_mlops.services.search.pages import Page, View, in_view, read_page
from gitlab_mlops.services.search.values import (
    Column,
    Condition,
    compare_text,
    compare_time,
    dialect_of,
)

COLUMNS: dict[str, Column] = {
    "iid": Experiment.iid.expression,
    "name": Experiment.name.expression,
    "created_at": Experiment.created_at.expression,
    "updated_at": Experiment.updated_at.expression,
}
DEFAULT_ORDER = (Order("attribute", "created_at", descending=True), Order("attribute", "iid"))

_IIDS = range(2**31)


def search_experiments(
    access: ReadAccess,
    *,
    where: Expression | None = None,
    order: Sequence[Order] = (),
    view: View = "active",
    limit: int,
    after: Position | None = None,
) -> Page:
    """The experiments of the project that an expression finds.

    Without an order the newest come first, then by iid; an order that is given ends with the
    largest iid first, as in MLflow. The rows are those of `experiment_records.RECORD_COLUMNS`, for
    `experiment_records.load`. Raises `Invalid` if `after` is of another order.
    """
    keys = [_sort_key(each) for each in _with_ties_broken(order)]
    condition = _to_sql(where, dialect_of(access.session))

    def statement(rank: Rank) -> Any:
        return select(*experiment_records.RECORD_COLUMNS).where(
            Experiment.project_id == access.project.id,
            *in_view(Experiment.deleted_at.expression, view),
            condition,
        )

    return read_page(access.session, keys, statement, limit=limit, after=after)


def _with_ties_broken(order: Sequence[Order]) -> Sequence[Order]:
    if not order:
        return DEFAULT_ORDER
    if any(each.key == "iid" for each in order):
        return order
    return [*order, Order("attribute", "iid", descending=True)]


def _sort_key(order: Order) -> SortKey:
    return SortKey(COLUMNS[order.key], str if order.key == "name" else int, order.descending)


def _to_sql(where: Expression | None, dialect: str) -> Condition:
    if where is None:
        return true()
    if isinstance(where, Comparison):
        return _comparison(where, dialect)
    combine = and_ if isinstance(where, And) else or_
    return combine(*(_to_sql(operand, dialect) for operand in where.operands))


def _comparison(comparison: Comparison, dialect: str) -> Condition:
    if comparison.entity == "tag":
        tag = aliased(ExperimentTag)
        value = select(tag.value).where(
            tag.experiment_id == Experiment.id, tag.key == comparison.key
        )
        looked_up = value.correlate(Experiment).scalar_subquery()
        return compare_optional(looked_up, comparison, dialect)
    column = COLUMNS[comparison.key]
    if comparison.key == "iid":
        return _compare_iid(column, comparison)
    if comparison.key == "name":
        return compare_text(column, comparison, dialect)
    return compare_time(column, comparison)


def _compare_iid(column: Column, comparison: Comparison) -> Condition:
    """Compare ids, leaving out those that no experiment can have: PostgreSQL would raise."""
    value: Any = comparison.value
    given = value if isinstance(value, tuple) else (value,)
    iids = [iid for iid in given if iid in _IIDS]
    if comparison.operator in ("=", "IN"):
        return column.in_(iids) if iids else false()
    return column.not_in(iids) if iids else true()
