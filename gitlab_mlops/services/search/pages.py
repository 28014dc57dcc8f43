"""One page of rows in an order that the next page can go on in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Integer, Select, bindparam
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
    """Rows of `RECORD_COLUMNS`; `after` is where the next page starts, None if this is the last.

    `positions` are those of the rows.
    """

    rows: list[tuple[Any, ...]]
    after: Position | None
    positions: Sequence[Position] = ()

    def first(self, count: int) -> Page:
        """The page that ends after `count` rows, at least one; this one if there are no more."""
        if count >= len(self.rows):
            return self
        positions = self.positions[:count]
        return Page(self.rows[:count], positions[-1], positions)


def in_view(deleted_at: ColumnElement[Any], view: View) -> list[ColumnElement[bool]]:
    """The conditions of a view: what is not in the trash, what is, or both."""
    if view == "all":
        return []
    return [deleted_at.is_(None) if view == "active" else deleted_at.is_not(None)]


class Pages:
    """The statements of a search. Those of first pages are kept, so who keeps this builds once."""

    def __init__(self, keys: Sequence[SortKey], statement: Callable[[Rank], Select[Any]]) -> None:
        """`statement(rank)` selects the rows whose first sort key with a column has this rank.

        Each rank is a statement of its own, because ORDER BY "missing last" would keep the
        databases from reading an index in its order. The first one mostly fills the page, and
        then it is the only one.
        """
        self.keys = keys
        self.absent = next(index for index, key in enumerate(keys) if key.column is not None)
        self._statement = statement
        self._first: dict[Rank, Select[Any]] = {}

    def read(
        self,
        session: Session,
        *,
        limit: int,
        after: Position | None,
        values: Mapping[str, Any] | None = None,
    ) -> Page:
        """Read at most `limit` rows after a position; raises `Invalid` if it is of other keys.

        `values` are those of the statement's own parameters.
        """
        if after is not None:
            check_position(after, self.keys)
        if limit <= 0:
            return Page([], None)
        keys = self.keys[self.absent :]
        position = None if after is None else after[self.absent :]
        found: list[Any] = []
        for rank in keys[0].ranks:
            if position is not None and rank < rank_of(position[0]):
                continue
            bound = {**(values or {}), "page_limit": limit + 1 - len(found)}
            found += session.execute(self._rows(rank, position), bound).all()
            if len(found) > limit:
                break
        return _page(found, limit, width=len(keys), absent=self.absent)

    def _rows(self, rank: Rank, position: Position | None) -> Select[Any]:
        if position is None and rank in self._first:
            return self._first[rank]
        keys = self.keys[self.absent :]
        rows = _select(self._statement(rank), keys, rank, position).limit(_PAGE_LIMIT)
        if position is None:
            self._first[rank] = rows
        return rows


_PAGE_LIMIT = bindparam("page_limit", type_=Integer)


def read_page(
    session: Session,
    keys: Sequence[SortKey],
    statement: Callable[[Rank], Select[Any]],
    *,
    limit: int,
    after: Position | None,
) -> Page:
    """Read a page of a search that is not kept; see `Pages`."""
    return Pages(keys, statement).read(session, limit=limit, after=after)


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
    shown = [tuple(row) for row in found[:limit]]
    positions = [[None] * absent + list(row[-width:]) for row in shown]
    after = positions[-1] if len(found) > limit else None
    return Page([row[:-width] for row in shown], after, positions)
