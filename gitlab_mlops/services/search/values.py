"""Comparing a column with a value, meaning the same on SQLite and on PostgreSQL."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Double, literal
from sqlalchemy.orm import Session

from gitlab_mlops.models import Candidate
from gitlab_mlops.models.base import MetricValue
from gitlab_mlops.services.expressions import Comparison

Column = ColumnElement[Any]
Condition = ColumnElement[bool]

NAN: Column = literal(math.nan, MetricValue())
"""NaN as both databases hold it in `MetricValue` columns: equal to itself, more than any number."""

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "IN": lambda column, values: column.in_(values),
    "NOT IN": lambda column, values: column.not_in(values),
}
_GLOB_SPECIAL = re.compile(r"[*?\[]")


def dialect_of(session: Session) -> str:
    """`postgresql` or `sqlite`: where the session keeps candidates."""
    return session.get_bind(Candidate).dialect.name


def compare_text(column: Column, comparison: Comparison, dialect: str) -> Condition:
    """Compare text. LIKE minds the case and ILIKE does not; a backslash is only a backslash."""
    value: Any = comparison.value
    if comparison.operator in ("LIKE", "ILIKE"):
        pattern = re.sub("%+", "%", value)
        match = _match_postgresql if dialect == "postgresql" else _match_sqlite
        return match(column, pattern, minds_case=comparison.operator == "LIKE")
    return compare_plain(column, comparison)


def compare_plain(column: Column, comparison: Comparison) -> Condition:
    """Compare with =, !=, <, <=, >, >=, IN or NOT IN, as the database does."""
    condition: Condition = _COMPARE[comparison.operator](column, comparison.value)
    return condition


def compare_time(column: Column, comparison: Comparison) -> Condition:
    """Compare an integer column, also with a fraction."""
    value: Any = comparison.value
    bound = literal(value, Double()) if isinstance(value, float) else value
    condition: Condition = _COMPARE[comparison.operator](column, bound)
    return condition


def compare_metric(column: Column, comparison: Comparison) -> Condition:
    """Compare a metric. NaN is in no relation to a number but `!=`, as in MLflow."""
    value: Any = comparison.value
    condition: Condition = _COMPARE[comparison.operator](column, float(value))
    # The databases would call NaN larger. Written as a range, the index still serves it.
    return condition & (column < NAN) if comparison.operator in (">", ">=") else condition


def _match_postgresql(column: Column, pattern: str, *, minds_case: bool) -> Condition:
    # MLflow's own databases differ in what a backslash means. In its default one, nothing.
    pattern = pattern.replace("\\", "\\\\")
    return column.like(pattern) if minds_case else column.ilike(pattern)


def _match_sqlite(column: Column, pattern: str, *, minds_case: bool) -> Condition:
    if not minds_case:
        return column.ilike(pattern)
    # SQLite's LIKE minds the case only by a setting of the connection, which is the host's.
    glob = _GLOB_SPECIAL.sub(r"[\g<0>]", pattern).replace("%", "*").replace("_", "?")
    return column.bool_op("GLOB")(glob)
