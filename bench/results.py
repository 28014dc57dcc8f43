"""What a run found: a value for each server, figures of ours alone, and notes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Unit(StrEnum):
    """What the values of a row count; of rates more is better, of the others less."""

    RATE = "requests/s"
    SECONDS = "s"
    MEGABYTES = "MB"
    BYTES = "bytes"


@dataclass(frozen=True)
class Row:
    """A median for each server, by its name; a server that could not be measured is missing."""

    name: str
    unit: Unit
    values: dict[str, float]

    def ratio(self, other: str) -> float | None:
        """How many times as good as the other ours is; None if one of the two is missing."""
        ours, theirs = self.values.get("ours"), self.values.get(other)
        if not ours or not theirs:
            return None
        return ours / theirs if self.unit is Unit.RATE else theirs / ours


@dataclass
class Results:
    """Everything measured so far, in the order of measuring.

    `operations` are the names of the rows that the targets speak of, measured or not;
    `figures` are of ours alone.
    """

    rows: list[Row] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def row(self, name: str) -> Row | None:
        """The row of this name, if it was measured."""
        return next((row for row in self.rows if row.name == name), None)

    def note(self, sentence: str) -> None:
        """Say something about the figures, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)
