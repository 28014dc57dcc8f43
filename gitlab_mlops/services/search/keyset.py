"""Orders that pages can go on in: sort keys, and what comes after a position.

A page goes on after the last row that its reader saw, not after a number of rows. So the
hundredth page costs what the first costs, and a candidate that is logged between two pages
neither repeats a row nor hides one. MLflow's offset does both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, null, or_, true

from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.search.values import NAN, Column, Condition

Position = Sequence[str | int | float | None]
"""The sort keys' values of a row; None is a missing value."""

_INT64 = range(-(2**63), 2**63)


class Rank(IntEnum):
    """MLflow's order in both directions: values, then NaN, then what is missing."""

    VALUE = 0
    NAN = 1
    MISSING = 2


@dataclass(frozen=True, slots=True)
class SortKey:
    """One expression to sort by; `column` is None if no row has a value."""

    column: Column | None
    kind: type[str] | type[int] | type[float]
    descending: bool = False
    nullable: bool = False

    @property
    def ranks(self) -> tuple[Rank, ...]:
        """The ranks that rows can have, in their order."""
        if self.column is None:
            return (Rank.MISSING,)
        nan = (Rank.NAN,) if self.kind is float else ()
        return (Rank.VALUE, *nan, *((Rank.MISSING,) if self.nullable else ()))

    def selected(self) -> Column:
        """What to select so that the row tells its position."""
        return null() if self.column is None else self.column

    def order_by(self) -> list[Column]:
        """The clauses of ORDER BY for rows of any rank."""
        if self.column is None:
            return []
        directed = [self.directed()]
        return directed if len(self.ranks) == 1 else [self._rank(), *directed]

    def directed(self) -> Column:
        """The clause of ORDER BY for rows with a value. A plain column, so an index serves it."""
        column = self.selected()
        return column.desc() if self.descending else column.asc()

    def has(self, rank: Rank) -> Condition:
        """Whether a row has this rank, in a form that an index serves."""
        if self.column is None:
            return true() if rank is Rank.MISSING else false()
        if rank is Rank.MISSING:
            return self.column.is_(None)
        if self.kind is float:
            return self.column == NAN if rank is Rank.NAN else self.column < NAN
        return self.column.is_not(None) if self.nullable else true()

    def after(self, value: Any, rest: Condition) -> Condition:
        """Whether a row comes after one with this value; `rest` decides among equals."""
        rank = rank_of(value)
        if self.column is None:
            return rest
        later = [self.has(other) for other in self.ranks if other > rank]
        if rank is not Rank.VALUE:
            return or_(*later, and_(self.has(rank), rest))
        beyond = self.column < value if self.descending else self.column > value
        return or_(*later, beyond, and_(self.column == value, rest))

    def within(self, value: Any, rest: Condition) -> Condition:
        """As `after`, among rows of the value's rank only; a range that an index serves."""
        if self.column is None or rank_of(value) is not Rank.VALUE:
            return rest
        up_to = self.column <= value if self.descending else self.column >= value
        return and_(up_to, or_(self.column != value, rest))

    def check(self, value: Any) -> None:
        """Raise `Invalid` if a position cannot have this value here."""
        fits = isinstance(value, (int, float) if self.kind is float else self.kind)
        if value is None:
            fits = self.nullable or self.column is None
        elif isinstance(value, bool) or (isinstance(value, int) and value not in _INT64):
            fits = False
        elif isinstance(value, str):
            fits = fits and _is_storable(value)
        if not fits:
            raise Invalid("Invalid page token: it is of another search; start again.")

    def _rank(self) -> ColumnElement[int]:
        special = [rank for rank in self.ranks if rank is not Rank.VALUE]
        return case(*((self.has(rank), rank.value) for rank in special), else_=Rank.VALUE.value)


def rank_of(value: Any) -> Rank:
    """The rank of a value that was read."""
    if value is None:
        return Rank.MISSING
    return Rank.NAN if isinstance(value, float) and math.isnan(value) else Rank.VALUE


def check_position(position: Position, keys: Sequence[SortKey]) -> None:
    """Raise `Invalid` if a position, which a client sent, is not one among these sort keys."""
    if len(position) != len(keys):
        raise Invalid("Invalid page token: it is of another search; start again.")
    for key, value in zip(keys, position, strict=True):
        key.check(value)


def comes_after(position: Position, keys: Sequence[SortKey]) -> Condition:
    """Whether a row comes after a position in the order of all the keys."""
    condition: Condition = false()
    for key, value in reversed(list(zip(keys, position, strict=True))):
        condition = key.after(value, condition)
    return condition


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text
