"""Candidates side by side: rows of values, in which cells they differ, and by how much."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.blueprints.web.rewording import Piece, Rewording

MAX_ROWS = 300
"""Rows of one group that are shown."""
MAX_TEXT = 60
"""Characters of a text in a cell; the whole of it folds out."""
MAX_FULL = 2_000
"""Characters of a text that folds out."""
MAX_ALL = 300_000
"""Characters that fold out on one page."""

Direction = Callable[[str], bool | None]
Write = Callable[[float], str]
Usual = tuple[str | None, ...]
"""One value, or nothing; the value may be that there is none."""
MINUS = "\N{MINUS SIGN}"


class Texts(NamedTuple):
    """The texts of all candidates under one name; `note` tells what they are of it."""

    label: str
    note: str
    values: Sequence[str | None]


class Numbers(NamedTuple):
    """The numbers of all candidates under one name."""

    label: str
    note: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Delta:
    """How far a value is from the baseline's, with signs; `percent` is empty for a part of 0.

    `is_better` is None where nobody knows, or where nothing changed.
    """

    text: str
    percent: str
    is_better: bool | None


@dataclass(frozen=True, slots=True)
class Cell:
    """A value as shown. If that is not all of it, `exact` is for a number all of its digits, and
    `full` for a text the whole, or what is bearable of it.

    `is_odd`: a text is not the baseline's, or without a baseline not what most others have.
    `pieces` are what changed in the words of a long text since the baseline.
    """

    text: str
    exact: str = ""
    full: str = ""
    is_odd: bool = False
    is_best: bool = False
    delta: Delta | None = None
    pieces: list[Piece] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """The values of all candidates under one name; None where one has none.

    `ranking` are the places of the columns, best value first, if the direction is known.
    """

    label: str
    note: str
    cells: list[Cell | None]
    is_number: bool
    differs: bool
    greater_is_better: bool | None = None
    ranking: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind; `equal` are left out of `rows` because all candidates agree in them.

    `hidden` are those for which there is no room.
    """

    noun: str
    rows: list[Row]
    equal: int
    hidden: int


class Differences:
    """Makes rows of values, the more important of which are told by their place.

    `baseline` is the place of the candidate that the others are measured by; `shows_all`: also
    those rows show in which all candidates agree.
    """

    def __init__(self, *, baseline: int | None, shows_all: bool) -> None:
        self.baseline = baseline
        self.shows_all = shows_all
        self._room = MAX_ALL
        self._rewording = Rewording()

    def of_texts(self, noun: str, lines: Sequence[Texts]) -> Group:
        """Parameters, tags and the like."""
        kept = [each for each in lines if self.shows_all or differs(each.values)]
        rows = [self.text_row(each) for each in kept[:MAX_ROWS]]
        return Group(noun, rows, len(lines) - len(kept), len(kept) - len(rows))

    def of_numbers(self, noun: str, lines: Sequence[Numbers], direction: Direction) -> Group:
        """Metrics; `direction` tells whether more of one is better."""
        kept = [each for each in lines if self.shows_all or differs(each.values)]
        rows = [self.number_row(each, direction(each.label)) for each in kept[:MAX_ROWS]]
        return Group(noun, rows, len(lines) - len(kept), len(kept) - len(rows))

    def text_row(self, line: Texts, *, is_marked: bool = True) -> Row:
        """A row of texts; the odd ones can be marked."""
        usual = self._usual(line.values) if is_marked else ()
        cells = [None if value is None else self._text(value, usual) for value in line.values]
        is_number = all(formats.is_number(value) for value in line.values if value is not None)
        return Row(line.label, line.note, cells, is_number, differs(line.values))

    def number_row(
        self,
        line: Numbers,
        greater_is_better: bool | None = None,
        write: Write = formats.number,
    ) -> Row:
        """A row of numbers, with the best marked and, if there is a baseline, the differences."""
        base = None if self.baseline is None else line.values[self.baseline]
        best = _best(line.values, greater_is_better)
        cells = [
            None
            if value is None
            else _number(
                value,
                write,
                is_best=value in best,
                delta=_delta(value, base, greater_is_better, write)
                if place != self.baseline
                else None,
            )
            for place, value in enumerate(line.values)
        ]
        return Row(
            line.label,
            line.note,
            cells,
            is_number=True,
            differs=differs(line.values),
            greater_is_better=greater_is_better,
            ranking=_ranking(line.values, greater_is_better),
        )

    def _usual(self, values: Sequence[str | None]) -> Usual:
        """The value that is nothing special; none if each is as special as the others."""
        if self.baseline is not None:
            return (values[self.baseline],)
        value, count = Counter(values).most_common(1)[0]
        return (value,) if 2 * count > len(values) else ()

    def _text(self, value: str, usual: Usual) -> Cell:
        is_odd = bool(usual) and value not in usual
        text = formats.shortened(" ".join(value.split()), MAX_TEXT)
        if text == value:
            return Cell(text, is_odd=is_odd)
        full = formats.shortened(value, max(MAX_TEXT, min(MAX_FULL, self._room)))
        pieces = []
        if self.baseline is not None and is_odd and usual[0] is not None and self._room > 0:
            pieces = self._rewording.pieces(usual[0], value)
        self._room -= len(full) + sum(len(piece.text) for piece in pieces)
        return Cell(text, full=full, is_odd=is_odd, pieces=pieces)


def differs(values: Sequence[float | str | None]) -> bool:
    """Whether the values are not all the same; NaN is the same as NaN, and missing as missing."""
    return len({repr(value) for value in values}) > 1


def _number(value: float, write: Write, *, is_best: bool, delta: Delta | None) -> Cell:
    text = write(value)
    exact = formats.exact(value) if write is formats.number else text
    return Cell(text, exact if exact != text else "", is_best=is_best, delta=delta)


def _best(values: Sequence[float | None], greater_is_better: bool | None) -> set[float]:
    """The best value, if there is one that is better than another."""
    known = {value for value in values if value is not None and not math.isnan(value)}
    if greater_is_better is None or len(known) < 2:
        return set()
    return {max(known) if greater_is_better else min(known)}


def _ranking(values: Sequence[float | None], greater_is_better: bool | None) -> list[int]:
    """Places by value, the largest first unless less is better; what is no number comes last."""

    def rank(place: int) -> tuple[bool, float]:
        value = values[place]
        if value is None or math.isnan(value):
            return True, 0.0
        return False, value if greater_is_better is False else -value

    return sorted(range(len(values)), key=rank)


def _delta(
    value: float, base: float | None, greater_is_better: bool | None, write: Write
) -> Delta | None:
    if base is None:
        return None
    change = value - base
    if not math.isfinite(change):
        return None
    is_better = (
        None if greater_is_better is None or not change else greater_is_better == (change > 0)
    )
    percent = _signed(change, _percent(change / abs(base) * 100)) if base and change else ""
    return Delta(_signed(change, _size(abs(change), write)), percent, is_better)


def _size(change: float, write: Write) -> str:
    """A difference needs less digits than what it is between."""
    return f"{change:.3g}" if write is formats.number and change < 1000 else write(change)


def _signed(change: float, text: str) -> str:
    if not change:
        return f"±{text}"
    return f"{MINUS if change < 0 else '+'}{text}"


def _percent(percent: float) -> str:
    size = abs(percent)
    if not math.isfinite(size):
        return "∞ %"
    return f"{size:,.0f} %" if size >= 1000 else f"{size:.3g} %"
