"""The way down to an artifact: what is in the folders that lead to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from gitlab_mlops.blueprints.web.logged_images import label, without_doubles
from gitlab_mlops.errors import NotFound
from gitlab_mlops.storage import Entry

MAX_LEVELS = 8
"""Folders that are listed on the way; the way to a deeper one begins further down."""
MAX_BRANCHES = 60
"""Entries of one folder in the tree; the folder's own page has all of them."""

ListFolder = Callable[[str], list[Entry]]
Find = Callable[[str], Entry | None]


@dataclass(frozen=True, slots=True)
class Way:
    """The folders from the top to `path`, each with its entries, folders first.

    `file` is what `path` is, unless it is a folder.
    """

    path: str
    levels: list[tuple[str, list[Entry]]]
    file: Entry | None = None


@dataclass(slots=True)
class Branch:
    """An entry of the tree; `hidden` of what is in it are not shown."""

    label: str
    path: str
    is_folder: bool
    is_here: bool = False
    branches: list[Branch] = field(default_factory=list)
    hidden: int = 0


def trail_of(path: str) -> list[tuple[str, str]]:
    """The parts of a path, as (name, path)."""
    names = path.split("/") if path else []
    return [(name, "/".join(names[: index + 1])) for index, name in enumerate(names)]


def find_way(list_folder: ListFolder, find: Find, path: str) -> Way:
    """Go down to `path`, which is plain; raise `NotFound` if it leads nowhere.

    `list_folder` need not give all of a large folder; `find` is asked for what it leaves out.
    """
    names = path.split("/") if path else []
    levels: list[tuple[str, list[Entry]]] = []
    for depth in range(max(0, len(names) - MAX_LEVELS), len(names) + 1):
        folder = "/".join(names[:depth])
        entries = sorted(list_folder(folder), key=_order)
        levels.append((folder, entries))
        if depth == len(names):
            break
        found = next((each for each in entries if each.name == names[depth]), None)
        found = found or find(join(folder, names[depth]))
        if found is not None and not found.is_folder and depth == len(names) - 1:
            return Way(path, levels, found)
        if found is None or not found.is_folder:
            raise NotFound(f"There is no file or folder “{path}”.")
    return Way(path, levels)


def grow(way: Way) -> Branch:
    """The tree of the folders on the way, with what is right in them."""
    top, _ = way.levels[0]
    root = branch = Branch(top.rpartition("/")[2], top, is_folder=True, is_here=top == way.path)
    on_way = {way.path, *(path for path, _ in way.levels)}
    for path, entries in way.levels:
        known = without_doubles(entries)
        shown = _shown(known, path, on_way)
        branch.hidden = len(known) - len(shown)
        branch.branches = [_branch(each, join(path, each.name), way.path) for each in shown]
        branch = next((each for each in branch.branches if each.path in on_way), branch)
    return root


def _branch(entry: Entry, path: str, here: str) -> Branch:
    shown = entry.name if entry.is_folder else label(entry.name)
    return Branch(shown, path, entry.is_folder, is_here=path == here)


def join(folder: str, name: str) -> str:
    """The path of a name in a folder."""
    return f"{folder}/{name}" if folder else name


def _shown(entries: Sequence[Entry], folder: str, on_way: set[str]) -> list[Entry]:
    """The first entries, and in any case the one that is on the way."""
    rest = entries[MAX_BRANCHES:]
    return [
        *entries[:MAX_BRANCHES],
        *(each for each in rest if join(folder, each.name) in on_way),
    ]


def _order(entry: Entry) -> tuple[bool, list[str | int]]:
    """Folders first; and step 9 before step 10."""
    parts = re.split("([0-9]+)", entry.name.lower())
    return not entry.is_folder, [
        int(part) if index % 2 else part for index, part in enumerate(parts)
    ]
