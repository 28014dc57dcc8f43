"""The table of candidates: what becomes a column, its cells, and which of them is the best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from zlib import crc32

from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.blueprints.web.columns import ColumnEntity, ColumnName
from gitlab_mlops.blueprints.web.facts import OF_THE_MACHINE
from gitlab_mlops.blueprints.web.ordering import order_name
from gitlab_mlops.services.expressions import Order
from gitlab_mlops.services.objectives import greater_is_better, objective_of
from gitlab_mlops.services.records import CandidateRecord

MAX_COLUMNS = 25
"""Metrics and parameters that the page chooses; more make a table that nobody can read."""
MAX_CHOSEN = 60
"""Metrics, parameters and tags that a person may choose; the wide mode shows more."""
MAX_TEXT = 80
"""Characters of a parameter in a cell."""
MAX_TITLE = 500
"""Characters of a parameter in the title of its cell."""

Value = float | str
Values = dict[ColumnName, Value]

_GROUPS: Mapping[str, int] = {"metric": 0, "param": 1, "tag": 2}


@dataclass(slots=True)
class Cell:
    """A value as shown; `exact` is all of it, or what is bearable, if that differs."""

    text: str
    exact: str = ""
    is_best: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A metric, parameter or tag; `order_by` names it in an order, empty if nothing can.

    `is_number`: all its values are numbers, and so belong to the right. `greater_is_better` tells
    what is best in it, None if nobody knows.
    """

    name: ColumnName
    order_by: str
    is_number: bool
    greater_is_better: bool | None = None

    @property
    def entity(self) -> ColumnEntity:
        """Metric, param or tag."""
        return self.name.entity

    @property
    def id(self) -> str:
        """Names the column in ids of elements, where not every key is allowed."""
        return f"{crc32(self.name.text.encode()):x}"

    @property
    def key(self) -> str:
        """What the client calls it."""
        return self.name.key


@dataclass(frozen=True, slots=True)
class Table:
    """Candidates with their cells, one for each column, None where a candidate has no value.

    `constants` are the columns that have the same value in every row, and so are no columns;
    `hidden` are those for which there is no room. `known` are all metrics and parameters that any
    of the candidates has, in the order of the columns.
    """

    columns: list[Column]
    rows: list[tuple[CandidateRecord, list[Cell | None]]]
    constants: list[tuple[Column, Cell]] = field(default_factory=list)
    hidden: list[Column] = field(default_factory=list)
    known: list[ColumnName] = field(default_factory=list)


def make_table(
    records: Sequence[CandidateRecord],
    order: Iterable[Order] = (),
    *,
    chosen: Sequence[ColumnName] = (),
    tags: Mapping[str, str] | None = None,
) -> Table:
    """Lay out candidates, with the `chosen` columns, or else those that vary.

    What the candidates are ordered by is always a column, if any of them has it. `tags` are those
    of the experiment, which may name its main metric: the first of the metrics.
    """
    wanted = _sorted_by(order) | dict.fromkeys(each for each in chosen if each.entity in _GROUPS)
    tag_keys = frozenset(each.key for each in wanted if each.entity == "tag")
    values = [_values(record, tag_keys) for record in records]
    known = _known(values, tags or {})
    varying = [key for key in known if key in wanted or _is_worth_showing(key, values)]
    if chosen:
        there = {key: None for key in (*chosen, *known) if key in wanted}
        shown = sorted(there, key=lambda key: _GROUPS[key.entity])[:MAX_CHOSEN]
        hidden = [key for key in there if key not in shown]
    else:
        shown = _most_wanted(varying, wanted)
        hidden = [key for key in varying if key not in shown]
    columns = [_column(key, values, tags) for key in shown]
    return Table(
        columns=columns,
        rows=list(zip(records, _cells(columns, values), strict=True)),
        constants=[] if chosen else _constants(known, varying, values),
        hidden=[_column(key, values) for key in hidden],
        known=[key for key in known if key.entity != "tag"],
    )


def _sorted_by(order: Iterable[Order]) -> dict[ColumnName, None]:
    return {
        ColumnName(each.entity, each.key): None
        for each in order
        if each.entity != "attribute" and each.entity != "dataset"
    }


def _values(record: CandidateRecord, tag_keys: frozenset[str]) -> Values:
    values: Values = {ColumnName("metric", each.key): each.value for each in record.metrics}
    values.update((ColumnName("param", key), value) for key, value in record.params)
    if tag_keys:
        pairs = ((key, value) for key, value in record.tags if key in tag_keys)
        values.update((ColumnName("tag", key), value) for key, value in pairs)
    return values


def _known(values: Sequence[Values], tags: Mapping[str, str]) -> list[ColumnName]:
    """Every key: metrics first, the main one before all, those of the machine last."""
    keys = {key for row in values for key in row}
    objective = objective_of(tags, [key.key for key in keys if key.entity == "metric"])
    main = ColumnName("metric", objective.key) if objective else None
    return sorted(
        keys,
        key=lambda each: (
            _GROUPS[each.entity],
            each != main,
            each.key.startswith(OF_THE_MACHINE),
            each.key,
        ),
    )


def _is_worth_showing(key: ColumnName, values: Sequence[Values]) -> bool:
    """Whether the values differ; but how busy the machine was is for those who ask for it."""
    if key.entity == "metric" and key.key.startswith(OF_THE_MACHINE):
        return False
    return _varies([row.get(key) for row in values])


def _varies(values: Sequence[Value | None]) -> bool:
    """Whether the values differ. Of a single candidate nothing does, and everything is shown."""
    # By their texts, because NaN is not equal to itself.
    return len(values) == 1 or len({repr(value) for value in values}) > 1


def _most_wanted(keys: Sequence[ColumnName], wanted: Mapping[ColumnName, None]) -> list[ColumnName]:
    """The keys there is room for: what is sorted by, then metrics and parameters in turn."""
    if len(keys) <= MAX_COLUMNS:
        return list(keys)
    kept = {key for key in keys if key in wanted}
    metrics = [key for key in keys if key.entity == "metric" and key not in kept]
    params = [key for key in keys if key.entity == "param" and key not in kept]
    room = MAX_COLUMNS - len(kept)
    half = room // 2
    for_metrics = max(room - len(params), min(len(metrics), room - half))
    kept |= {*metrics[:for_metrics], *params[: room - min(for_metrics, len(metrics))]}
    return [key for key in keys if key in kept]


def _column(
    key: ColumnName, values: Sequence[Values], tags: Mapping[str, str] | None = None
) -> Column:
    texts = [value for row in values if isinstance(value := row.get(key), str)]
    better = greater_is_better(key.key, tags) if key.entity == "metric" else None
    return Column(key, order_name(*key), all(map(formats.is_number, texts)), better)


def _cells(columns: Sequence[Column], values: Sequence[Values]) -> list[list[Cell | None]]:
    """The cells row by row; made column by column, because what is best is known per column."""
    by_column = [_cells_of(column, [row.get(column.name) for row in values]) for column in columns]
    return [list(row) for row in zip(*by_column, strict=True)] or [[] for _ in values]


def _cells_of(column: Column, values: Sequence[Value | None]) -> list[Cell | None]:
    cells = [None if value is None else _cell(value) for value in values]
    best = _best(column, values)
    for cell, value in zip(cells, values, strict=True):
        if cell is not None and best is not None and value == best:
            cell.is_best = True
    return cells


def _best(column: Column, values: Sequence[Value | None]) -> float | None:
    """The best value of a metric, if there is a worse one too."""
    if column.greater_is_better is None:
        return None
    # NaN is equal to nothing.
    numbers = {value for value in values if isinstance(value, float) and value == value}
    if len(numbers) < 2:
        return None
    return max(numbers) if column.greater_is_better else min(numbers)


def _cell(value: Value) -> Cell:
    if isinstance(value, str):
        text = formats.shortened(value, MAX_TEXT)
        return Cell(text, formats.shortened(value, MAX_TITLE) if text != value else "")
    text, exact = formats.number(value), formats.exact(value)
    return Cell(text, exact if exact != text else "")


def _constants(
    known: Sequence[ColumnName], varying: Sequence[ColumnName], values: Sequence[Values]
) -> list[tuple[Column, Cell]]:
    same = set(known) - set(varying)
    return [
        (_column(key, values), _cell(values[0][key]))
        for key in known
        if key in same and not (key.entity == "metric" and key.key.startswith(OF_THE_MACHINE))
    ]
