"""Filters to try with one click."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gitlab_mlops.blueprints.web.table import Cell, Column, Table
from gitlab_mlops.errors import Invalid
from gitlab_mlops.wire.filters import parse_candidate_filter

MAX_EXAMPLE = 80
"""Characters of each part of the example of a filter."""
USUAL = "metrics.accuracy > 0.9 and params.depth = '3'"
DAY = 86_400_000
"""Milliseconds."""


class Example(NamedTuple):
    """A filter, and what it means."""

    label: str
    filter: str


def example_of(table: Table) -> str:
    """A filter that finds something here, made of what the first candidate has."""
    cells = table.rows[0][1] if table.rows else []
    parts: dict[str, str] = {}
    for column, cell in zip(table.columns, cells, strict=True):
        if cell is not None and column.entity not in parts and column.entity != "tag":
            part = _comparison(column, cell)
            if _is_filter(part):
                parts[column.entity] = part
    return " and ".join(parts.values()) or USUAL


def patterns(now: int) -> Sequence[Example]:
    """Filters that are often wanted; `now` in milliseconds since 1970."""
    return (
        Example("Running", "attributes.status = 'RUNNING'"),
        Example("Failed", "attributes.status = 'FAILED'"),
        Example("Last 24 hours", f"attributes.start_time > {now - DAY}"),
    )


def _comparison(column: Column, cell: Cell) -> str:
    is_metric = column.entity == "metric"
    return f"{column.order_by} " + (f">= {cell.text}" if is_metric else f"= '{cell.text}'")


def _is_filter(text: str) -> bool:
    try:
        return len(text) <= MAX_EXAMPLE and parse_candidate_filter(text) is not None
    except Invalid:
        return False
