"""Finding logged models by what was said and measured of them, in any order, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import and_, case, exists, false, or_, select, true

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.errors import Invalid
from gitlab_mlops.models import (
    LoggedModel,
    LoggedModelMetric,
    LoggedModelParam,
    LoggedModelStatus,
    LoggedModelTag,
)
from gitlab_mlops.services.expressions import And, Comparison, Expression, Order, comparisons
from gitlab_mlops.services.logged_models.records import select_records
from gitlab_mlops.services.search import MAX_EXPERIMENTS
from gitlab_mlops.services.search.candidates import ids_of_metrics
from gitlab_mlops.services.search.keyset import Position, Rank, SortKey
from gitlab_mlops.services.search.pages import Page, read_page
from gitlab_mlops.services.search.values import (
    Column,
    Condition,
    compare_metric,
    compare_text,
    compare_time,
    dialect_of,
)

ATTRIBUTES: Mapping[str, Column] = {
    "model_id": LoggedModel.model_id.expression,
    "name": LoggedModel.name.expression,
    "model_type": LoggedModel.model_type.expression,
    "source_eid": LoggedModel.source_eid.expression,
    "created_at": LoggedModel.created_at.expression,
    "updated_at": LoggedModel.updated_at.expression,
    "status": case(
        {status.value: status.name for status in LoggedModelStatus},
        value=LoggedModel.status,
        else_="",
    ),
}
TIMES = frozenset({"created_at", "updated_at"})
TIES = (Order("attribute", "created_at", descending=True), Order("attribute", "model_id"))


class OnDataset(NamedTuple):
    """A dataset by its name and, unless that is empty, its digest."""

    name: str
    digest: str = ""


@dataclass(frozen=True, slots=True)
class ModelOrder(Order):
    """An order whose metric may be meant on one dataset only."""

    dataset: OnDataset | None = None


def search(
    access: ReadAccess,
    experiment_ids: Sequence[int],
    *,
    where: Expression | None = None,
    datasets: Sequence[OnDataset] = (),
    order: Sequence[Order] = (),
    limit: int,
    after: Position | None = None,
) -> Page:
    """The logged models of these experiments (internal ids) that are not deleted.

    A comparison with a metric holds if any of its points matches, on one of `datasets` if there
    are some; without such a comparison there must be any point on one of them, as in MLflow.
    The order ends with the newest first. The rows are those of `records.RECORD_COLUMNS`. Raises
    `Invalid` if there are too many experiments, or if `after` is of another order.
    """
    if len(experiment_ids) > MAX_EXPERIMENTS:
        raise Invalid(f"Search at most {MAX_EXPERIMENTS} experiments at once.")
    finder = _Finder(ids_of_metrics(access, where, order), datasets, dialect_of(access.session))
    condition = finder.to_sql(where)
    if datasets and not any(each.entity == "metric" for each in comparisons(where)):
        condition &= finder.has_point(finder.on_datasets())
    keys = [finder.sort_key(each) for each in _with_ties_broken(order)]

    def statement(rank: Rank) -> Any:
        return select_records(access).where(
            LoggedModel.experiment_id.in_(experiment_ids),
            LoggedModel.deleted_at.is_(None),
            condition,
        )

    return read_page(access.session, keys, statement, limit=limit, after=after)


def _with_ties_broken(order: Sequence[Order]) -> list[Order]:
    given = {(each.entity, each.key) for each in order}
    return [*order, *(tie for tie in TIES if (tie.entity, tie.key) not in given)]


class _Finder:
    """What one search compares and sorts by."""

    def __init__(
        self, metric_ids: Mapping[str, int], datasets: Sequence[OnDataset], dialect: str
    ) -> None:
        self.metric_ids = metric_ids
        self.datasets = datasets
        self.dialect = dialect

    def to_sql(self, where: Expression | None) -> Condition:
        """The condition for logged models; who lacks what is compared matches no comparison."""
        if where is None:
            return true()
        if isinstance(where, Comparison):
            return self._comparison(where)
        combine = and_ if isinstance(where, And) else or_
        return combine(*(self.to_sql(operand) for operand in where.operands))

    def on_datasets(self) -> Condition:
        """Whether a point is on one of the datasets, or on any if none are given."""
        return or_(*map(_is_on, self.datasets)) if self.datasets else true()

    def has_point(self, *conditions: Condition) -> Condition:
        """Whether the model has a point like this."""
        return exists().where(LoggedModelMetric.logged_model_id == LoggedModel.id, *conditions)

    def sort_key(self, order: Order) -> SortKey:
        """One clause of an order."""
        if order.entity == "attribute":
            kind = int if order.key in TIMES else str
            return SortKey(ATTRIBUTES[order.key], kind, order.descending)
        return SortKey(self._latest(order), float, order.descending, nullable=True)

    def _comparison(self, comparison: Comparison) -> Condition:
        if comparison.entity == "attribute":
            compare = compare_time if comparison.key in TIMES else self._compare_text
            return compare(ATTRIBUTES[comparison.key], comparison)
        if comparison.entity == "metric":
            return self._measured(comparison)
        table = LoggedModelParam if comparison.entity == "param" else LoggedModelTag
        return exists().where(
            table.logged_model_id == LoggedModel.id,
            table.key == comparison.key,
            self._compare_text(table.value.expression, comparison),
        )

    def _compare_text(self, column: Column, comparison: Comparison) -> Condition:
        return compare_text(column, comparison, self.dialect)

    def _measured(self, comparison: Comparison) -> Condition:
        if comparison.key not in self.metric_ids:
            return false()
        return self.has_point(
            LoggedModelMetric.key_id == self.metric_ids[comparison.key],
            compare_metric(LoggedModelMetric.value.expression, comparison),
            self.on_datasets(),
        )

    def _latest(self, order: Order) -> Column | None:
        """The metric's value that was measured last; None if the project has no such metric."""
        if order.key not in self.metric_ids:
            return None
        point = LoggedModelMetric
        latest = (
            select(point.value)
            .where(
                point.logged_model_id == LoggedModel.id,
                point.key_id == self.metric_ids[order.key],
            )
            .order_by(point.timestamp.desc(), point.step.desc(), point.candidate_id)
            .limit(1)
        )
        if isinstance(order, ModelOrder) and order.dataset is not None:
            latest = latest.where(_is_on(order.dataset))
        return latest.correlate(LoggedModel).scalar_subquery()


def _is_on(dataset: OnDataset) -> Condition:
    named: Condition = LoggedModelMetric.dataset_name == dataset.name
    return named & (LoggedModelMetric.dataset_digest == dataset.digest) if dataset.digest else named
