"""What a search asks for, parsed: comparisons, how they combine, and orders. No syntax here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Entity = Literal["attribute", "metric", "param", "tag", "dataset"]
Operator = Literal[
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "LIKE",
    "ILIKE",
    "IN",
    "NOT IN",
    "IS NULL",
    "IS NOT NULL",
]
Value = str | int | float | tuple[str, ...] | tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`entity.key operator value`, with attributes by the names of the models' columns.

    `value` is a tuple for IN and NOT IN, None for IS NULL and IS NOT NULL, a number for metrics
    and times, otherwise text. `position` counts characters from the start of the filter.
    """

    entity: Entity
    key: str
    operator: Operator
    value: Value
    position: int = 0


@dataclass(frozen=True, slots=True)
class And:
    """Every operand holds; there are at least two."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one operand holds; there are at least two."""

    operands: tuple[Expression, ...]


Expression = Comparison | And | Or


@dataclass(frozen=True, slots=True)
class Order:
    """Sort by this; whatever lacks it comes last in both directions."""

    entity: Entity
    key: str
    descending: bool = False


def comparisons(where: Expression | None) -> Iterator[Comparison]:
    """Every comparison of an expression."""
    if isinstance(where, Comparison):
        yield where
    elif where is not None:
        for operand in where.operands:
            yield from comparisons(operand)


def required(where: Expression | None) -> Iterator[Comparison]:
    """The comparisons that hold for everything an expression finds: those below no OR."""
    if isinstance(where, Comparison):
        yield where
    elif isinstance(where, And):
        for operand in where.operands:
            yield from required(operand)
