"""MLflow's `order_by`: a list of `name [ASC|DESC]`."""

from __future__ import annotations

from collections.abc import Sequence

from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.expressions import Order
from gitlab_mlops.wire.grammar import (
    CANDIDATES,
    EXPERIMENTS,
    MODEL_VERSION_ORDER,
    REGISTERED_MODEL_ORDER,
    Grammar,
)
from gitlab_mlops.wire.names import parse_name
from gitlab_mlops.wire.tokens import FilterError, Kind, tokens

WHAT = "order_by clause"
# Each key may join a table, and SQLite joins at most 64.
MAX_ORDERS = 20


def parse_candidate_order(clauses: Sequence[str]) -> tuple[Order, ...]:
    """The `order_by` of runs/search; raises `Invalid`, or `FilterError` for bad syntax."""
    return _parse(clauses, CANDIDATES)


def parse_experiment_order(clauses: Sequence[str]) -> tuple[Order, ...]:
    """The `order_by` of experiments/search; raises `Invalid`, or `FilterError` for bad syntax."""
    return _parse(clauses, EXPERIMENTS)


def parse_registered_model_order(clauses: Sequence[str]) -> tuple[Order, ...]:
    """The `order_by` of registered-models/search; raises as the others."""
    return _parse(clauses, REGISTERED_MODEL_ORDER)


def parse_model_version_order(clauses: Sequence[str]) -> tuple[Order, ...]:
    """The `order_by` of model-versions/search; raises as the others."""
    return _parse(clauses, MODEL_VERSION_ORDER)


def _parse(clauses: Sequence[str], grammar: Grammar) -> tuple[Order, ...]:
    if len(clauses) > MAX_ORDERS:
        raise Invalid(f"Order by at most {MAX_ORDERS} keys; order_by has {len(clauses)}.")
    orders = tuple(_order(clause, grammar) for clause in clauses)
    seen: set[tuple[str, str]] = set()
    for order, clause in zip(orders, clauses, strict=True):
        if (order.entity, order.key) in seen:
            raise Invalid(f"`order_by` contains duplicate fields: {clause!r} is there already.")
        seen.add((order.entity, order.key))
    return orders


def _order(clause: str, grammar: Grammar) -> Order:
    words = tokens(clause, WHAT)
    name = next(words)
    entity, key = parse_name(name, grammar, WHAT)
    sortable = key in grammar.order_attributes if entity == "attribute" else True
    if entity not in grammar.order_entities or not sortable:
        raise FilterError(
            f"{name} cannot be sorted by; sort by one of {', '.join(_sortable(grammar))}.",
            name.position,
            WHAT,
        )
    direction = next(words)
    if direction.kind is not Kind.END:
        if direction.word not in ("ASC", "DESC"):
            raise FilterError(f"expected ASC or DESC, not {direction}.", direction.position, WHAT)
        if (rest := next(words)).kind is not Kind.END:
            raise FilterError(f"expected the end, not {rest}.", rest.position, WHAT)
    return Order(entity, grammar.column(entity, key), direction.word == "DESC")


def _sortable(grammar: Grammar) -> list[str]:
    entities = sorted(grammar.order_entities - {"attribute"})
    return sorted(grammar.order_attributes) + [f"{entity}s.<key>" for entity in entities]
