"""The table of candidates: which metrics and parameters become columns, and their cells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.blueprints.web.ordering import order_name
from gitlab_mlops.services.expressions import Order
from gitlab_mlops.services.records import CandidateRecord

MAX_COLUMNS = 25
"""Metrics and parameters that are shown; more make a table that nobody can read."""
MAX_TEXT = 80
"""Characters of a parameter in a cell."""
MAX_TITLE = 500
"""Characters of a parameter in the title of its cell."""

Entity = Literal["metric", "param"]
Key = tuple[Entity, str]
Value = float | str


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as shown; `exact` is all of it, or what is bearable, if that differs."""

    text: str
    exact: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A metric or parameter; `order_by` names it in an order, and is empty if nothing can.

    `is_number`: all its values are numbers, and so belong to the right.
    """

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
    values = [_values(record) for record in records]
    keys = sorted({key for row in values for key in row}, key=_rank)
    wanted: set[tuple[str, str]] = {(each.entity, each.key) for each in order}
    varying = [key for key in keys if key in wanted or _varies([row.get(key) for row in values])]
    shown = _most_wanted(varying, wanted)
    columns = {key: _column(key, values) for key in keys}
    return Table(
        columns=[columns[key] for key in shown],
        rows=[
            (record, [_cell(row[key]) if key in row else None for key in shown])
            for record, row in zip(records, values, strict=True)
        ],
        constants=[(columns[key], _cell(values[0][key])) for key in keys if key not in varying],
        hidden=[columns[key] for key in varying if key not in shown],
    )


def _values(record: CandidateRecord) -> dict[Key, Value]:
    metrics: dict[Key, Value] = {("metric", each.key): each.value for each in record.metrics}
    params: dict[Key, Value] = {("param", key): value for key, value in record.params}
    return metrics | params


def _cell(value: Value) -> Cell:
    if isinstance(value, str):
        text = formats.shortened(value, MAX_TEXT)
        return Cell(text, formats.shortened(value, MAX_TITLE) if text != value else "")
    text, exact = formats.number(value), formats.exact(value)
    return Cell(text, exact if exact != text else "")


def _rank(key: Key) -> tuple[bool, bool, str]:
    """Metrics first, those of the machine after those of the model, then parameters."""
    entity, name = key
    return entity == "param", name.startswith("system/"), name


def _varies(values: Sequence[Value | None]) -> bool:
    """Whether the values differ. Of a single candidate nothing does, and everything is shown."""
    # By their texts, because NaN is not equal to itself.
    return len(values) == 1 or len({repr(value) for value in values}) > 1


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


def _column(key: Key, values: Sequence[dict[Key, Value]]) -> Column:
    texts = [value for row in values if isinstance(value := row.get(key), str)]
    return Column(*key, order_name(*key), all(map(formats.is_number, texts)))
