"""What columns are called in addresses: `metrics.auc`, `params.depth`, `tags.team`, `author`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from gitlab_mlops.errors import Invalid

ColumnEntity = Literal["attribute", "metric", "param", "tag"]

ATTRIBUTES = ("status", "created", "author", "duration", "source")
"""The columns that are no metric, parameter or tag. The name of a candidate is always there."""
MAX_NAMES = 1000
"""Columns that an address may name."""

_ENTITIES: dict[str, ColumnEntity] = {"metrics": "metric", "params": "param", "tags": "tag"}
_PREFIXES = {entity: prefix for prefix, entity in _ENTITIES.items()}


class ColumnName(NamedTuple):
    """A metric, parameter or tag by its key, or one of `ATTRIBUTES`."""

    entity: ColumnEntity
    key: str

    @property
    def text(self) -> str:
        """The column as an address names it: without quotes, up to the first dot the entity."""
        return self.key if self.entity == "attribute" else f"{_PREFIXES[self.entity]}.{self.key}"


def parse_columns(texts: Iterable[str]) -> tuple[ColumnName, ...]:
    """The columns of these texts, each once; `Invalid` for what names none, or for too many."""
    names = tuple(dict.fromkeys(_parsed(text) for text in texts))
    if len(names) > MAX_NAMES:
        raise Invalid(f"The address of this page names more than {MAX_NAMES:,} columns.")
    return names


def _parsed(text: str) -> ColumnName:
    prefix, dot, key = text.partition(".")
    if dot and prefix in _ENTITIES:
        return ColumnName(_ENTITIES[prefix], key)
    if text in ATTRIBUTES:
        return ColumnName("attribute", text)
    raise Invalid(
        f"“{text[:60]}” is no column: one is called metrics.<name>, params.<name>, tags.<name>, "
        f"or {', '.join(ATTRIBUTES)}."
    )
