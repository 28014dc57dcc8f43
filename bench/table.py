"""Writes results as tables of Markdown, which read well in a terminal too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench import names
from bench.results import Results, Row, Unit
from bench.targets import Verdict

MISSING = "-"
WORDS = {True: "met", False: "missed", None: MISSING}


def of_rows(results: Results) -> str:
    """A line for each row: the values, and how many times as good ours is."""
    peers = [name for name in ("stock", "fasttrackml", "floor") if _is_there(results, name)]
    head = ["", "unit", *(names.SERVERS[name] for name in ("ours", *peers))]
    head += [_head(name) for name in peers]
    return markdown(head, (_line(row, peers) for row in results.rows))


def of_figures(results: Results) -> str:
    """The figures of ours alone."""
    lines = ([name, number(value)] for name, value in results.figures.items())
    return markdown(["ours alone", "value"], lines)


def of_verdicts(verdicts: Iterable[Verdict]) -> str:
    """The targets, and whether they are met."""
    lines = ([each.target, each.found, WORDS[each.is_met]] for each in verdicts)
    return markdown(["target", "found", ""], lines)


def one_line(row: Row) -> str:
    """A row while the others are still being measured."""
    values = (f"{names.SERVERS[name]} {number(value)}" for name, value in row.values.items())
    return f"{row.name}, {row.unit.value}: {', '.join(values)}"


def markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table whose columns are aligned in its source, the first to the left."""
    rows = [list(head), *map(list, lines)]
    widths = [max(3, *(len(row[column]) for row in rows)) for column in range(len(head))]
    rule = [
        "-" * width if column == 0 else "-" * (width - 1) + ":"
        for column, width in enumerate(widths)
    ]
    padded = [
        [
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in [rows[0], rule, *rows[1:]]
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in padded)


def number(value: float) -> str:
    """Three digits that count, or all before the point: `0.0123`, `1.23`, `12.3`, `1,234`."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:#.3g}".rstrip(".")


def _line(row: Row, peers: Sequence[str]) -> list[str]:
    values = [_value(row, name) for name in ("ours", *peers)]
    return [row.name, row.unit.value, *values, *(_ratio(row, name) for name in peers)]


def _head(server: str) -> str:
    """Of the column with the ratio."""
    return "of the floor" if server == "floor" else f"times {names.SERVERS[server]}"


def _value(row: Row, server: str) -> str:
    value = row.values.get(server)
    return MISSING if value is None else number(value)


def _ratio(row: Row, server: str) -> str:
    ratio = row.ratio(server)
    # How much of the floor makes no sense for what is not a rate.
    if ratio is None or (server == "floor" and row.unit is not Unit.RATE):
        return MISSING
    return f"{ratio:.0%}" if server == "floor" else f"{ratio:.1f}"


def _is_there(results: Results, server: str) -> bool:
    return any(server in row.values for row in results.rows)
