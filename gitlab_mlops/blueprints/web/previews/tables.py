"""Tables: CSV, TSV, and the JSON that MLflow's `log_table` and pandas' "split" write."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from gitlab_mlops.blueprints.web.formats import is_number, plural, shortened
from gitlab_mlops.blueprints.web.previews.contents import Table

MAX_ROWS = 200
MAX_COLUMNS = 50
MAX_CELL = 300
"""Characters of a cell that are shown."""

DELIMITERS = ",;\t|"

# Numbers stay texts, as they were typed.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_SPACE = re.compile(r"\s*")

Cells = list[str | None]


def read_csv(text: str, *, is_cut: bool, delimiter: str = "") -> Table | None:
    """The table in `text`, whose first row names the columns; None if there is none."""
    first_line = text[:10_000].lstrip().partition("\n")[0]
    chosen = delimiter or max(DELIMITERS, key=first_line.count)
    rows: list[Sequence[str]] = []
    count = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=chosen):
            count += bool(row)
            if row and len(rows) <= MAX_ROWS + 1:
                rows.append(row)
    except csv.Error:
        return None
    if is_cut and 2 < count == len(rows):
        rows.pop()  # it may be half a row
    return _table(rows[0], rows[1:], count - 1, is_cut=is_cut) if rows else None


def read_split(text: str, *, is_cut: bool) -> Table | None:
    """The table of `{"columns": [...], "data": [[...], ...]}`; None if it is something else."""
    columns: list[Any] = []
    rows: list[Cells] = []
    count = 0
    try:
        for key, position in _members(text):
            if key == "columns":
                columns = _DECODER.raw_decode(text, position)[0]
            elif key == "data":
                for row in islice(_rows(text, position), MAX_ROWS + 1):
                    rows.append(row)  # those before a cut count
                count = len(_DECODER.raw_decode(text, position)[0])
    except (ValueError, RecursionError):
        if not is_cut:
            return None
    if not isinstance(columns, list) or not columns or not rows:
        return None
    return _table([str(each) for each in columns], rows, max(count, len(rows)), is_cut=is_cut)


def _members(text: str) -> Iterator[tuple[str, int]]:
    """The keys of an object with the places of their values; `ValueError` for anything else."""
    position = _past(text, 0, "{")
    while True:
        key, position = _DECODER.raw_decode(text, position)
        position = _past(text, position, ":")
        yield str(key), position
        _, position = _DECODER.raw_decode(text, position)
        position = _space(text, position)
        if text[position : position + 1] == "}":
            return
        position = _past(text, position, ",")


def _rows(text: str, position: int) -> Iterator[Cells]:
    for place in _items(text, position):
        yield [_cell(text, start) for start in islice(_items(text, place), MAX_COLUMNS)]


def _items(text: str, position: int) -> Iterator[int]:
    """The places of the items of the list there."""
    position = _past(text, position, "[")
    while text[position : position + 1] != "]":
        yield position
        _, end = _DECODER.raw_decode(text, position)
        position = _space(text, end)
        if text[position : position + 1] != "]":
            position = _past(text, position, ",")


def _cell(text: str, position: int) -> str | None:
    """A text as it is meant, and everything else as it is typed."""
    value, end = _DECODER.raw_decode(text, position)
    if text[position] == '"':
        return str(value)
    return None if value is None else text[position:end]


def _past(text: str, position: int, mark: str) -> int:
    """The place after `mark` and the space around it; `ValueError` if it is not there."""
    position = _space(text, position)
    if text[position : position + 1] != mark:
        raise ValueError(f"no {mark} at {position}")
    return _space(text, position + 1)


def _space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _table(
    header: Sequence[str], rows: Sequence[Sequence[str | None]], count: int, *, is_cut: bool
) -> Table:
    width = max(len(header), *(len(row) for row in rows[:MAX_ROWS]), 0)
    shown = min(width, MAX_COLUMNS)
    cells = [_padded(map(_short, row[:shown]), shown) for row in rows[:MAX_ROWS]]
    return Table(
        columns=[_short(each) or "" for each in _padded(header[:shown], shown)],
        rows=cells,
        numeric=[_is_numeric(row[index] for row in cells) for index in range(shown)],
        notes=tuple(_notes(count, width, is_cut=is_cut)),
    )


def _notes(count: int, width: int, *, is_cut: bool) -> Iterator[str]:
    if count > MAX_ROWS:
        of_all = "" if is_cut else f" of {count:,}"
        yield f"Only the first {MAX_ROWS:,}{of_all} rows are shown."
    if width > MAX_COLUMNS:
        yield f"Only the first {MAX_COLUMNS} of {plural(width, 'column')} are shown."


def _padded(cells: Iterable[str | None], width: int) -> Cells:
    found = list(cells)
    return found + [None] * (width - len(found))


def _short(cell: str | None) -> str | None:
    return None if cell is None else shortened(cell, MAX_CELL)


def _is_numeric(cells: Iterable[str | None]) -> bool:
    given = [cell for cell in cells if cell]
    return bool(given) and all(map(is_number, given))
