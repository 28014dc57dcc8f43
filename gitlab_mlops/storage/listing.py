"""What is in a folder of an object store, bounded: a store knows keys only, and has no end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import obstore

if TYPE_CHECKING:
    from obstore import ListResult, ObjectMeta
    from obstore.store import ObjectStore

LIST_PAGE = 1000
"""Objects per answer of a store when all of them are wanted."""
# Comes after every key that goes on behind it.
_LAST = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder of a listing. `name` is relative to what was listed; `size` in bytes."""

    name: str
    size: int = 0
    is_folder: bool = False
    modified: datetime | None = None
    etag: str = ""


def entry_of(meta: ObjectMeta, cut: int) -> Entry:
    """The entry of an object, whose name is its key without the first `cut` letters."""
    return Entry(meta["path"][cut:], meta["size"], False, meta["last_modified"], etag_of(meta))


def etag_of(meta: ObjectMeta) -> str:
    """Without the quotes that some stores leave around it; empty if there is none."""
    return (meta["e_tag"] or "").strip('"')


def whole(store: ObjectStore, prefix: str) -> list[Entry]:
    """All that is right below `prefix`, by name, however much it is."""
    found = obstore.list_with_delimiter(store, prefix or None)
    cut = len(prefix) + 1 if prefix else 0
    return sorted(_entries(found, cut), key=lambda entry: entry.name)


def first(store: ObjectStore, prefix: str, limit: int) -> list[Entry]:
    """The first `limit` entries right below `prefix`, by name, in bounded memory and time.

    obstore's list of a folder has no bound, so this reads its list of all keys and leaves out
    what is deep in folders.
    """
    try:
        found = list(islice(_scan(store, prefix), limit))
    except _Unordered:
        found = whole(store, prefix)[:limit]
    return sorted(found, key=lambda entry: entry.name)


class _Unordered(Exception):
    """The store does not list its keys in order, or not behind the one that it was given."""


def _scan(store: ObjectStore, prefix: str) -> Iterator[Entry]:
    cut = len(prefix) + 1 if prefix else 0
    folder = ""
    after: str | None = ""
    while after is not None:
        pages = obstore.list(store, prefix or None, offset=after or None, chunk_size=LIST_PAGE)
        last, after = after, None
        for page in pages:
            for meta in page:
                if meta["path"] <= last:
                    raise _Unordered
                last = meta["path"]
                name, slash, _ = last[cut:].partition("/")
                if slash and name != folder:
                    folder = name
                    yield Entry(name, is_folder=True)
                elif not slash and name:  # a store may keep an empty object for the folder itself
                    yield entry_of(meta, cut)
            if len(page) == LIST_PAGE and "/" in last[cut:]:
                after = f"{last[:cut]}{folder}/{_LAST}"  # leave out the rest of this folder
                break


def _entries(found: ListResult[Sequence[ObjectMeta]], cut: int) -> Iterator[Entry]:
    yield from (Entry(path[cut:], is_folder=True) for path in found["common_prefixes"])
    yield from (entry_of(meta, cut) for meta in found["objects"] if len(meta["path"]) > cut)
