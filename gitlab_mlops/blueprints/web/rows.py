"""The rows of the table: a page of candidates, flat or with children below their parents."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.web.state import TableState
from gitlab_mlops.models import PARENT_TAG
from gitlab_mlops.services import records
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.search import (
    Page,
    Parent,
    Position,
    View,
    count_children,
    count_found,
    find_parents,
    has_children,
    search_candidates,
    search_children,
)

PER_PAGE = 50
MAX_DEPTH = 3
"""Generations below a candidate that unfold."""
MAX_CHILDREN = 100
"""Children of one candidate that unfold, if few candidates are unfolded."""
MAX_UNFOLDED = 1000
"""Children of all candidates of a page that unfold."""
MAX_COUNTED = 1000
"""How far the candidates that a filter finds are counted."""

RawRow = tuple[Any, ...]
"""Of `records.RECORD_COLUMNS`."""
_ID, _IID, _EID = 0, 3, 4


@dataclass(slots=True)
class Row:
    """A candidate in the table, `depth` generations below a row of the page.

    `children` are counted where they fold, `shown` of them are below; `parent` is whom a row names
    that is not below it.
    """

    record: CandidateRecord
    depth: int
    children: int = 0
    shown: int = 0
    parent: Parent | None = None

    @property
    def is_open(self) -> bool:
        """Whether children of it are below."""
        return self.shown > 0


@dataclass(frozen=True, slots=True)
class Rows:
    """A page of the table. `after` is where the next one starts, None if this is the last.

    `folds` tells whether the experiment has anything to fold. `found` is how many candidates the
    filter finds, None without one; `has_more`, that it finds more than were counted.
    """

    rows: list[Row]
    after: Position | None
    mode: Literal["tree", "flat"]
    folds: bool
    found: int | None = None
    has_more: bool = False


def read_rows(access: ReadAccess, experiment_id: int, shown: TableState) -> Rows:
    """The rows that the address of the table asks for."""
    if shown.problem:
        return Rows([], None, "flat", folds=False)
    folds = shown.view == "active" and not shown.where and has_children(access, experiment_id)
    mode: Literal["tree", "flat"] = "tree" if _is_tree(shown, folds) else "flat"
    page = search_candidates(
        access,
        [experiment_id],
        where=shown.where,
        order=shown.order,
        view=_view(shown),
        top_level=mode == "tree",
        limit=PER_PAGE,
        after=shown.position,
    )
    fill = _tree if mode == "tree" else _flat
    rows = fill(access, experiment_id, shown, page)
    found = _count(access, experiment_id, shown, page) if shown.where else None
    more = found is not None and found > MAX_COUNTED
    return Rows(rows, page.after, mode, folds or mode == "tree", found, more)


def _is_tree(shown: TableState, folds: bool) -> bool:
    """A filter shows what it finds wherever that is; else the address decides, or what is there."""
    return not shown.where and (shown.rows == "tree" or (not shown.rows and folds))


def _view(shown: TableState) -> View:
    return "deleted" if shown.view == "deleted" else "active"


def _count(access: ReadAccess, experiment_id: int, shown: TableState, page: Page) -> int:
    if shown.position is None and page.after is None:
        return len(page.rows)
    limit = MAX_COUNTED + 1
    return count_found(access, [experiment_id], where=shown.where, view=_view(shown), limit=limit)


def _flat(access: ReadAccess, _experiment_id: int, _shown: TableState, page: Page) -> list[Row]:
    loaded = records.load(access, page.rows, with_datasets=False)
    eids = [dict(record.tags).get(PARENT_TAG, "") for record in loaded]
    named = {eid for eid in eids if eid}
    parents = find_parents(access, named) if named else {}
    return [
        Row(record, 0, parent=parents.get(eid)) for record, eid in zip(loaded, eids, strict=True)
    ]


def _tree(access: ReadAccess, experiment_id: int, shown: TableState, page: Page) -> list[Row]:
    children = _unfold(access, experiment_id, shown, page.rows)
    every = [*page.rows, *(row for rows in children.values() for row in rows)]
    loaded = {record.eid: record for record in records.load(access, every, with_datasets=False)}
    counts = count_children(access, experiment_id, loaded, _view(shown))
    rows: list[Row] = []

    def place(below: Sequence[RawRow], depth: int) -> None:
        for raw in below:
            mine = children.get(raw[_EID], ())
            rows.append(Row(loaded[raw[_EID]], depth, counts.get(raw[_EID], 0), len(mine)))
            place(mine, depth + 1)

    place(page.rows, 0)
    return rows


def _unfold(
    access: ReadAccess, experiment_id: int, shown: TableState, top: Sequence[RawRow]
) -> dict[str, list[RawRow]]:
    """The children of the open parents by eid, with one statement for each generation."""
    unfolded: dict[str, list[RawRow]] = defaultdict(list)
    generation = top
    for _ in range(MAX_DEPTH):
        parents = [row[_EID] for row in generation if row[_IID] in shown.open]
        if not parents:
            break
        found = search_children(
            access,
            experiment_id,
            parents,
            order=shown.order,
            view=_view(shown),
            limit=min(MAX_CHILDREN, MAX_UNFOLDED // len(shown.open)),
        )
        for parent, row in found:
            unfolded[parent].append(row)
        generation = [row for _, row in found]
    return dict(unfolded)
