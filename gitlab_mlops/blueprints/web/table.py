"""The table of candidates: which metrics and parameters become columns, and their cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.blueprints.web.ordering import order_name
from gitlab_mlops.services.expressions import Order
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.records import CandidateRecord

MAX_COLUMNS = 25
"""Metrics and parameters that are shown; more make a table that nobody can read."""
MAX_TEXT = 80
"""Characters of a parameter in a cell."""
MAX_TITLE = 500
"""Characters of a parameter in the title of its cell."""

Entity = Literal["metric", "param"]
Key = tuple[Entity, str]


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as shown; `exact` is all of it, or what is bearable, if that differs."""

    text: str
    exact: str = ""
    is_number: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A metric or parameter; `order_by` names it in an order, and is empty if nothing can."""

    entity: Entity
    key: str
    order_by: str
    is_number: bool


@dataclass(frozen=True, slots=True)
class Table:
    """Candidates with their cells, one for each column, None where a candidate has no value.

    `constants` are the columns that have the same value in every row, and so are no columns;
    `hidden` are those for which there is no room.
    """

    columns: list[Column]
    rows: list[tuple[CandidateRecord, list[Cell | None]]]
    constants: list[tuple[Column, Cell]]
    hidden: list[Column]


def make_table(records: Sequence[CandidateRecord], order: Iterable[Order] = ()) -> Table:
    """Lay out candidates. What they are ordered by is always a column, if any of them has it."""
    cells = [_cells(record) for record in records]
    keys = sorted({key for row in cells for key in row}, key=_rank)
    wanted = {(each.entity, each.key) for each in order}
    varying = [key for key in keys if key in wanted or _varies([row.get(key) for row in cells])]
    shown = _most_wanted(varying, wanted)
    columns = {key: _column(key, cells) for key in keys}
    return Table(
        columns=[columns[key] for key in shown],
        rows=[
            (record, [row.get(key) for key in shown])
            for record, row in zip(records, cells, strict=True)
        ],
        constants=[(columns[key], cells[0][key]) for key in keys if key not in varying],
        hidden=[columns[key] for key in varying if key not in shown],
    )


def metric_cell(point: Point) -> Cell:
    """The latest value of a metric."""
    text, exact = formats.number(point.value), formats.exact(point.value)
    return Cell(text, exact if exact != text else "", is_number=True)


def param_cell(value: str) -> Cell:
    """A parameter."""
    text = formats.shortened(value, MAX_TEXT)
    exact = formats.shortened(value, MAX_TITLE) if text != value else ""
    return Cell(text, exact, formats.is_number(value))


def _cells(record: CandidateRecord) -> dict[Key, Cell]:
    metrics: dict[Key, Cell] = {("metric", each.key): metric_cell(each) for each in record.metrics}
    params: dict[Key, Cell] = {("param", key): param_cell(value) for key, value in record.params}
    return metrics | params


def _rank(key: Key) -> tuple[bool, bool, str]:
    """Metrics first, those of the machine after those of the model, then parameters."""
    entity, name = key
    return entity == "param", name.startswith("system/"), name


def _varies(cells: Sequence[Cell | None]) -> bool:
    """Whether the values differ. Of a single candidate nothing does, and everything is shown."""
    return len(cells) == 1 or len(set(cells)) > 1


def _most_wanted(keys: Sequence[Key], wanted: set[tuple[str, str]]) -> list[Key]:
    """The keys there is room for: what is sorted by, then metrics and parameters in turn."""
    if len(keys) <= MAX_COLUMNS:
        return list(keys)
    kept = {key for key in keys if key in wanted}
    metrics = [key for key in keys if key[0] == "metric" and key not in kept]
    params = [key for key in keys if key[0] == "param" and key not in kept]
    room = MAX_COLUMNS - len(kept)
    half = room // 2
    for_metrics = max(room - len(params), min(len(metrics), room - half))
    kept |= {*metrics[:for_metrics], *params[: room - min(for_metrics, len(metrics))]}
    return [key for key in keys if key in kept]


def _column(key: Key, cells: Sequence[dict[Key, Cell]]) -> Column:
    is_number = all(row[key].is_number for row in cells if key in row)
    return Column(*key, order_name(*key), is_number)
