"""An expression over candidates as a condition of SQL."""

from __future__ import annotations

from sqlalchemy import and_, exists, false, or_, true

from gitlab_mlops.models import Dataset, Input, InputTag
from gitlab_mlops.services.expressions import And, Comparison, Expression
from gitlab_mlops.services.search.sources import CANDIDATES, TIMES, Sources
from gitlab_mlops.services.search.values import (
    Column,
    Condition,
    compare_metric,
    compare_text,
    compare_time,
)

CONTEXT_TAG = "mlflow.data.context"
_dataset, _input, _tag = Dataset.__table__.c, Input.__table__.c, InputTag.__table__.c


def to_sql(where: Expression | None, sources: Sources, dialect: str) -> Condition:
    """The condition for the candidates of the statement that `sources` belongs to.

    A candidate that lacks what is compared matches no comparison, not even `!=`, as in MLflow.
    """
    if where is None:
        return true()
    if isinstance(where, Comparison):
        return _comparison(where, sources, dialect)
    combine = and_ if isinstance(where, And) else or_
    return combine(*(to_sql(operand, sources, dialect) for operand in where.operands))


def _comparison(comparison: Comparison, sources: Sources, dialect: str) -> Condition:
    if comparison.entity == "dataset":
        return _uses_dataset(comparison, dialect)
    value = sources.value(comparison.entity, comparison.key)
    if value is None:
        return false()
    if comparison.entity == "metric":
        return compare_metric(value, comparison)
    if comparison.entity == "attribute" and comparison.key in TIMES:
        return compare_time(value, comparison)
    return compare_optional(value, comparison, dialect)


def compare_optional(value: Column, comparison: Comparison, dialect: str) -> Condition:
    """Compare text that may be missing, and then is NULL."""
    if comparison.operator == "IS NULL":
        return value.is_(None)
    if comparison.operator == "IS NOT NULL":
        return value.is_not(None)
    return compare_text(value, comparison, dialect)


def _uses_dataset(comparison: Comparison, dialect: str) -> Condition:
    """Whether any of the candidate's datasets matches; each comparison may mean another one."""
    if comparison.key == "context":
        return exists().where(
            _tag.candidate_id == CANDIDATES.c.id,
            _tag.key == CONTEXT_TAG,
            compare_text(_tag.value, comparison, dialect),
        )
    column: Column = {"name": _dataset.name, "digest": _dataset.digest}[comparison.key]
    return exists().where(
        _input.candidate_id == CANDIDATES.c.id,
        _input.dataset_id == _dataset.id,
        compare_text(column, comparison, dialect),
    )
