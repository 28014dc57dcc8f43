"""One page of rows in an order that the next page can go on in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select
from sqlalchemy.orm import Session

from gitlab_mlops.services.search.keyset import (
    Position,
    Rank,
    SortKey,
    check_position,
    comes_after,
    rank_of,
)

View = Literal["active", "deleted", "all"]


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of `RECORD_COLUMNS`; `after` is where the next page starts, None if this is the last."""

    rows: list[tuple[Any, ...]]
    after: Position | None


def in_view(deleted_at: ColumnElement[Any], view: View) -> list[ColumnElement[bool]]:
    """The conditions of a view: what is not in the trash, what is, or both."""
    if view == "all":
        return []
    return [deleted_at.is_(None) if view == "active" else deleted_at.is_not(None)]


def read_page(
    session: Session,
    keys: Sequence[SortKey],
    statement: Callable[[Rank], Select[Any]],
    *,
    limit: int,
    after: Position | None,
) -> Page:
    """Read at most `limit` rows after a position; raises `Invalid` if it is of other keys.

    `statement(rank)` selects the rows whose first sort key (of those with a column) has this
    rank. Each rank is a statement of its own, because ORDER BY "missing last" would keep the
    databases from reading an index in its order. The first one mostly fills the page, and then
    it is the only one.
    """
    if after is not None:
        check_position(after, keys)
    if limit <= 0:
        return Page([], None)
    first = next(index for index, key in enumerate(keys) if key.column is not None)
    keys = keys[first:]
    position = None if after is None else after[first:]
    found: list[Any] = []
    for rank in keys[0].ranks:
        if position is not None and rank < rank_of(position[0]):
            continue
        rows = _select(statement(rank), keys, rank, position)
        found += session.execute(rows.limit(limit + 1 - len(found))).all()
        if len(found) > limit:
            break
    return _page(found, limit, width=len(keys), absent=first)


def _select(
    statement: Select[Any], keys: Sequence[SortKey], rank: Rank, position: Position | None
) -> Select[Any]:
    lead, *others = keys
    order = [lead.directed()] if rank is Rank.VALUE else []
    order += [clause for key in others for clause in key.order_by()]
    statement = statement.where(lead.has(rank)).order_by(*order)
    statement = statement.add_columns(
        *(key.selected().label(f"sort_{index}") for index, key in enumerate(keys))
    )
    if position is not None and rank is rank_of(position[0]):
        rest = comes_after(position[1:], others)
        statement = statement.where(lead.within(position[0], rest))
    return statement


def _page(found: list[Any], limit: int, *, width: int, absent: int) -> Page:
    rows = [tuple(row[:-width]) for row in found[:limit]]
    if len(found) <= limit:
        return Page(rows, None)
    return Page(rows, [None] * absent + list(found[limit - 1][-width:]))
