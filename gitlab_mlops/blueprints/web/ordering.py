"""Sorting by a link: how a column is called in an order, and what clicking on its head does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gitlab_mlops.blueprints.web.columns import ColumnEntity
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.expressions import Entity, Order
from gitlab_mlops.wire.order import parse_candidate_order

_PREFIXES = {"attribute": "attributes", "metric": "metrics", "param": "params", "tag": "tags"}
_QUOTES = ("", "`", '"', "'")


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a column that can be sorted by: the order that a click asks for.

    `state` is the value of `aria-sort`, empty if the table is sorted by something else.
    """

    order_by: str
    state: Literal["ascending", "descending", ""]


@lru_cache(maxsize=4096)
def order_name(entity: ColumnEntity, key: str) -> str:
    """How an order or filter of MLflow names a metric, parameter or tag; empty if none can."""
    for quote in _QUOTES:
        name = f"{_PREFIXES[entity]}.{quote}{key}{quote}"
        try:
            orders = parse_candidate_order([name])
        except Invalid:
            continue
        if orders == (Order(entity, key),):
            return name
    return ""


def head(order: tuple[Order, ...], name: str, entity: Entity, key: str) -> Head:
    """The head of the column `name` in a table in this order.

    The first click sorts metrics and times from the top, because that is what people look for,
    and texts from A to Z; the next one turns it around.
    """
    first_down = entity == "metric" or key in ("start_time", "end_time")
    lead = order[0] if order else Order("attribute", "start_time", descending=True)
    if (lead.entity, lead.key) != (entity, key):
        return Head(f"{name} {_direction(first_down)}", "")
    state: Literal["ascending", "descending"] = "descending" if lead.descending else "ascending"
    return Head(f"{name} {_direction(not lead.descending)}", state)


def _direction(descending: bool) -> str:
    return "DESC" if descending else "ASC"
