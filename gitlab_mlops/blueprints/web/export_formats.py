"""How candidates are written into a file: a CSV for spreadsheets and pandas, and JSON."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from itertools import compress
from typing import Any

from gitlab_mlops.blueprints.web import facts, formats
from gitlab_mlops.blueprints.web.columns import ColumnName
from gitlab_mlops.host import Actor
from gitlab_mlops.services.cells import Value
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.wire import json

ATTRIBUTES = (
    "iid",
    "run_id",
    "name",
    "status",
    "author",
    "user_id",
    "created_at",
    "start_time",
    "end_time",
    "duration_ms",
    "reference",
    "url",
)
"""What is told of every candidate, before what it logged."""

# A spreadsheet takes a cell that begins so for a formula, which may send its neighbours away. Some
# skip spaces first, and in some the wide letters of East Asia count too.
_FORMULA = re.compile(r"[ \t\r\n]*[=+\-@＝＋－＠]|[\t\r\n]")  # noqa: RUF001
_NUMBER = re.compile(
    r" *[+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf(?:inity)?|nan) *", re.I
)

Facts = Sequence[str | int | None]
"""The values of `ATTRIBUTES`."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some candidates: the attributes of each, and the values of each column."""

    attributes: list[Facts]
    columns: list[list[Value]]

    def rows(self) -> Iterator[tuple[Facts, Sequence[Value]]]:
        """The candidates with their values."""
        values = zip(*self.columns, strict=True) if self.columns else ((),) * len(self.attributes)
        return zip(self.attributes, values, strict=True)

    def without_gaps(self, names: Sequence[ColumnName]) -> tuple[list[ColumnName], Batch]:
        """The same without the columns, of these names, that are empty; and the others' names."""
        filled = [any(value is not None for value in values) for values in self.columns]
        kept = Batch(self.attributes, list(compress(self.columns, filled)))
        return list(compress(names, filled)), kept


def attributes_of(record: CandidateRecord, author: Actor | None, url: str) -> Facts:
    """The values of `ATTRIBUTES`. `author` is who the forge knows it was, `url` of the page."""
    return (
        record.iid,
        record.eid,
        record.name,
        facts.status_name(record.status).upper(),
        author.username if author else "",
        record.user_id,
        _time(record.created_at),
        _time(record.start_time),
        _time(record.end_time),
        None if record.end_time is None else record.end_time - facts.started_at(record),
        f"[candidate:{record.iid}]",
        url,
    )


def csv_pieces(columns: Sequence[ColumnName], batches: Iterable[Batch]) -> Iterator[bytes]:
    """A CSV by RFC 4180 in UTF-8, with a row of heads, piece by piece.

    There is no byte order mark, because most that read a CSV take it for a part of the first head.
    What a candidate lacks is empty; floats have all their digits, and are NaN, Infinity or
    -Infinity if they are no numbers. A text that a spreadsheet would take for a formula gets an
    apostrophe in front.
    """
    yield _csv_lines([(*ATTRIBUTES, *(each.text for each in columns))])
    for batch in batches:
        yield _csv_lines((*attributes, *values) for attributes, values in batch.rows())


def json_pieces(columns: Sequence[ColumnName], batches: Iterable[Batch]) -> Iterator[bytes]:
    """A JSON array of candidates, one in a line, piece by piece.

    Each is an object of its attributes, and of three objects `metrics`, `params` and `tags` with
    what it has. Metrics that are no numbers are texts, NaN, Infinity or -Infinity.
    """
    before = b"[\n"
    for batch in batches:
        objects = [json.dumps(_object(columns, *row)) for row in batch.rows()]
        if objects:
            yield before + b",\n".join(objects)
            before = b",\n"
    yield b"\n]\n" if before == b",\n" else b"[]\n"


def spelled(value: Value) -> Value:
    """The value; as a text if it is a float that is no number."""
    if isinstance(value, float) and not math.isfinite(value):
        return formats.number(value)
    return value


def neutral(text: str) -> str:
    """The text, with an apostrophe in front if a spreadsheet would take it for a formula.

    Where a comma is in decimal numbers, spreadsheets begin a new cell after a semicolon instead.
    """
    return ";".join(map(_neutral, text.split(";")))


def _neutral(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _csv_lines(rows: Iterable[Sequence[Value]]) -> bytes:
    text = StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def _cell(value: Value) -> Value:
    return neutral(value) if isinstance(value, str) else spelled(value)


def _object(
    columns: Sequence[ColumnName], attributes: Facts, values: Sequence[Value]
) -> dict[str, Any]:
    logged: dict[str, dict[str, Value]] = {"metric": {}, "param": {}, "tag": {}}
    for (entity, key), value in zip(columns, values, strict=True):
        if value is not None:
            logged[entity][key] = spelled(value)
    return {
        **dict(zip(ATTRIBUTES, attributes, strict=True)),
        "metrics": logged["metric"],
        "params": logged["param"],
        "tags": logged["tag"],
    }


def _time(milliseconds: int | None) -> str | None:
    """A time by ISO 8601 in UTC; clients may send any number, and get it back if it is no time."""
    if milliseconds is None:
        return None
    return formats.moment(milliseconds, milliseconds).iso or str(milliseconds)
