"""Pictures of a folder side by side, those that MLflow logged by key and step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitlab_mlops.blueprints.web.logged_images import key_and_step, small_names, without_doubles
from gitlab_mlops.blueprints.web.previews.images import IMAGE_SUFFIXES
from gitlab_mlops.blueprints.web.trees import join
from gitlab_mlops.settings import MEBIBYTE
from gitlab_mlops.storage import Entry

MAX_THUMBNAIL_BYTES = 2 * MEBIBYTE
"""A larger picture is not loaded for a page of many."""

_SUFFIXES = tuple(IMAGE_SUFFIXES)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture: its full one at `path`, and the one to show small, empty if all are too large."""

    label: str
    path: str
    thumbnail: str
    size: int


@dataclass(frozen=True, slots=True)
class Group:
    """The pictures of a key, by step; those that nobody logged by key have none."""

    key: str
    pictures: list[Picture]


def is_picture(entry: Entry) -> bool:
    """Whether it is called like one. Its bytes decide when it is asked for."""
    return not entry.is_folder and entry.name.lower().endswith(_SUFFIXES)


def pictures_of(entries: Iterable[Entry]) -> Sequence[Entry]:
    """The pictures among the entries, without the small doubles that MLflow makes."""
    return without_doubles([entry for entry in entries if is_picture(entry)])


def group(pictures: Iterable[Entry], folder: str, entries: Sequence[Entry]) -> list[Group]:
    """The pictures in groups; `entries` are all that is in the folder."""
    names = {entry.name for entry in entries}
    groups: dict[str, list[tuple[int, Picture]]] = {}
    for entry in pictures:
        logged = key_and_step(entry.name)
        key, step = logged or ("", 0)
        label = f"step {step}" if logged else entry.name
        small = _thumbnail(entry, folder, names)
        picture = Picture(label, join(folder, entry.name), small, entry.size)
        groups.setdefault(key, []).append((step, picture))
    # The sort is stable: without steps, pictures stay in the order of their names.
    return [
        Group(key, [picture for _, picture in sorted(found, key=lambda each: each[0])])
        for key, found in sorted(groups.items())
    ]


def _thumbnail(entry: Entry, folder: str, names: set[str]) -> str:
    for small in small_names(entry.name):
        if small in names:
            return join(folder, small)
    return join(folder, entry.name) if entry.size <= MAX_THUMBNAIL_BYTES else ""
