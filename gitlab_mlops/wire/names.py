"""Names in filters and orders, such as ``metrics.`val loss` `` and `start_time`."""

from __future__ import annotations

from gitlab_mlops.services.expressions import Entity
from gitlab_mlops.wire.grammar import Grammar
from gitlab_mlops.wire.tokens import FilterError, Kind, Token, unquoted


def parse_name(token: Token, grammar: Grammar, what: str) -> tuple[Entity, str]:
    """The entity and key (attributes: the word on the wire) of a name; raises `FilterError`.

    As in MLflow the first dot ends the entity, a name without a dot is an attribute, and quotes
    around the whole key are taken off.
    """
    if token.kind is not Kind.NAME:
        raise FilterError(
            f"expected a name such as metrics.loss, not {token}.", token.position, what
        )
    prefix, dot, key = token.text.partition(".")
    entity = grammar.entities.get(_bare(prefix, "`")) if dot else "attribute"
    if entity is None:
        raise FilterError(
            f"{token} is of no known kind; a name starts with one of "
            f"{', '.join(grammar.entities)} and a dot, or is one of the attributes "
            f"{', '.join(grammar.attributes)}.",
            token.position,
            what,
        )
    key = _bare(key if dot else token.text, "`'\"")
    _check_key(entity, key, grammar, token, what)
    return entity, key


def _bare(text: str, quotes: str) -> str:
    bare = unquoted(text, quotes)
    return text if bare is None else bare


def _check_key(entity: Entity, key: str, grammar: Grammar, token: Token, what: str) -> None:
    known = {"attribute": grammar.attributes, "dataset": grammar.dataset_keys}.get(entity)
    if known is not None and key not in known:
        raise FilterError(
            f"{token} names no {entity}; known are {', '.join(sorted(known))}.",
            token.position,
            what,
        )
