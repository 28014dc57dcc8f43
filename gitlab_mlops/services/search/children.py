"""The children of candidates, in the order in which their parents are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.services.expressions import Order
from gitlab_mlops.services.search.candidates import (
    COLUMNS,
    ids_of_metrics,
    sort_key,
    with_ties_broken,
)
from gitlab_mlops.services.search.nesting import is_child, links_to
from gitlab_mlops.services.search.pages import View, in_view
from gitlab_mlops.services.search.sources import CANDIDATES, Sources


def search_children(
    access: ReadAccess,
    experiment_id: int,
    parents: Sequence[str],
    *,
    order: Sequence[Order] = (),
    view: View = "active",
    limit: int,
) -> list[tuple[str, tuple[Any, ...]]]:
    """The first `limit` children of each of these eids, with the eid, in one statement.

    The rows are those of `records.RECORD_COLUMNS`.
    """
    orders = with_ties_broken(order)
    sorted_by = [(each.entity, each.key) for each in orders if each.entity != "attribute"]
    sources = Sources([experiment_id], ids_of_metrics(access, None, orders), sorted_by)
    clauses = [clause for each in orders for clause in sort_key(each, sources, set()).order_by()]
    links = links_to(parents)
    place = func.row_number().over(partition_by=links.c.parent, order_by=clauses)
    placed = (
        sources.join(select(*COLUMNS).select_from(CANDIDATES), outer=sorted_by)
        .join(links, links.c.candidate_id == CANDIDATES.c.id)
        .where(
            *is_child(access, experiment_id, links),
            *in_view(CANDIDATES.c.deleted_at, view),
        )
        .add_columns(links.c.parent, place.label("place"))
        .subquery()
    )
    statement = select(placed).where(placed.c.place <= limit).order_by(placed.c.place)
    rows = access.session.execute(statement)
    return [(parent, tuple(row)) for *row, parent, _ in rows]
