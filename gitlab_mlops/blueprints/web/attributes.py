"""The columns that are no metric, parameter or tag, and which of them are the same in all rows."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gitlab_mlops.blueprints.web.badge import BadgeView
from gitlab_mlops.blueprints.web.columns import ATTRIBUTES, ColumnName
from gitlab_mlops.blueprints.web.source import Source, source_of
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.stamps import Stamp

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attributes:
    """`names` are the columns. `sources` is where each row comes from.

    `author` is a candidate whose author is everybody's, `source` that of all; None if they differ,
    or are columns.
    """

    names: list[ColumnName]
    sources: list[Source | None]
    author: CandidateRecord | None = None
    source: Source | None = None

    @property
    def flags(self) -> list[bool]:
        """Whether each of `ATTRIBUTES` is a column."""
        return [ColumnName("attribute", key) in self.names for key in ATTRIBUTES]


def attributes_of(
    records: Sequence[CandidateRecord],
    chosen: Sequence[ColumnName],
    stamps: Mapping[int, Stamp] | None = None,
    badges: Mapping[int, BadgeView] | None = None,
) -> Attributes:
    """The chosen columns; else all of them, but author and source only if they vary."""
    stamps, badges = stamps or {}, badges or {}
    sources = [
        source_of(record.tags, stamps.get(record.id), badges.get(record.id)) for record in records
    ]
    if chosen:
        return Attributes([each for each in chosen if each.entity == "attribute"], sources)
    one_author = _is_same(records, lambda record: (record.actor_id, record.user_id))
    one_source = _is_same(sources, lambda source: source)
    left_out = {key for key, same in (("author", one_author), ("source", one_source)) if same}
    if not any(sources):
        left_out.add("source")
    return Attributes(
        [ColumnName("attribute", key) for key in ATTRIBUTES if key not in left_out],
        sources,
        records[0] if one_author else None,
        sources[0] if one_source else None,
    )


def _is_same(items: Sequence[T], identity: Callable[[T], Hashable]) -> bool:
    """Whether several items are the same. Of a single candidate everything is shown."""
    return len(items) > 1 and len({identity(item) for item in items}) == 1
