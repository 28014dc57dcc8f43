"""Images among the artifacts of several candidates, to be looked at side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.storage import Entry, Storage

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")
MAX_ENTRIES = 100
"""Entries of a folder that are looked at."""
MAX_FOLDERS = 10
"""Folders of a candidate that are looked into."""
MAX_LISTED = 1000
"""Entries of a folder that are asked for."""
THREADS = 8

A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Images:
    """Paths of images with the iids of the candidates that have them, the most common first.

    `is_cut`: there was more than is looked at.
    """

    owners: dict[str, set[int]]
    is_cut: bool


def find_images(
    access: ReadAccess, storage: Storage, compared: Sequence[CandidateRecord]
) -> Images:
    """The images of candidates at the top and one folder down; a bounded number of listings."""
    tops = _at_once(lambda each: storage.list_folder(_root(access, each), MAX_LISTED), compared)
    folders = [
        (each, entry.name)
        for each, top in zip(compared, tops, strict=True)
        for entry in _some_folders(top)
    ]
    below = _at_once(
        lambda each: storage.list_folder(f"{_root(access, each[0])}/{each[1]}", MAX_ENTRIES + 1),
        folders,
    )
    owners: dict[str, set[int]] = {}
    listings = [(each, "", top) for each, top in zip(compared, tops, strict=True)]
    listings += [(*each, found) for each, found in zip(folders, below, strict=True)]
    for record, folder, entries in listings:
        for name in filter(is_image, (entry.name for entry in entries[:MAX_ENTRIES])):
            owners.setdefault(f"{folder}/{name}" if folder else name, set()).add(record.iid)
    ordered = sorted(owners.items(), key=lambda item: (-len(item[1]), item[0]))
    is_cut = any(len(found) > MAX_ENTRIES for _, _, found in listings) or any(
        sum(entry.is_folder for entry in top) > MAX_FOLDERS for top in tops
    )
    return Images(dict(ordered), is_cut)


def having(
    access: ReadAccess, storage: Storage, compared: Sequence[CandidateRecord], path: str
) -> set[int]:
    """The iids of the candidates that have a file at this path, which `wire.paths` has passed."""
    there = _at_once(lambda each: storage.exists(f"{_root(access, each)}/{path}"), compared)
    return {each.iid for each, is_there in zip(compared, there, strict=True) if is_there}


def is_image(path: str) -> bool:
    """Whether a browser shows such a file as an image that cannot run."""
    return path.lower().endswith(SUFFIXES)


def _some_folders(entries: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.is_folder][:MAX_FOLDERS]


def _root(access: ReadAccess, record: CandidateRecord) -> str:
    """The key below which a candidate has its artifacts, as in `artifacts.locate`."""
    return f"{access.project.id}/{record.experiment_iid}/{record.eid}/artifacts"


def _at_once(ask: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """Ask the store about each; an object store takes its time for every answer."""
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(ask, items))
