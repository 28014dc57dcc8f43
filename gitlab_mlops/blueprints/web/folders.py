"""A folder of artifacts as a page shows it: entries, or pictures in a grid, and what it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gitlab_mlops.blueprints.web import pictures
from gitlab_mlops.blueprints.web.trees import join
from gitlab_mlops.services.artifacts import Amount
from gitlab_mlops.storage import Entry

PER_PAGE = 200
DESCRIPTIONS = ("MLmodel", "README.md", "readme.md")
"""Files that tell what their folder is, so that it shows them too."""

Layout = Literal["", "list", "grid"]
LAYOUTS: tuple[Layout, ...] = ("", "list", "grid")


@dataclass(frozen=True, slots=True)
class Folder:
    """A page of a folder: `entries` with their paths, or in a grid, `groups` of pictures.

    `total` counts what the pages have in all, `others` what a grid leaves out; `is_cut`: there is
    more in the folder than the pages have.
    """

    path: str
    entries: list[tuple[Entry, str]]
    groups: list[pictures.Group]
    total: int
    others: int
    page: int
    is_grid: bool
    has_pictures: bool
    amount: Amount
    is_cut: bool = False

    @property
    def has_more(self) -> bool:
        """Whether there is a page after this."""
        return self.page * PER_PAGE < self.total


def lay_out(path: str, entries: list[Entry], amount: Amount, page: int, layout: Layout) -> Folder:
    """The page of a folder with these entries. Without a layout, only pictures make a grid."""
    found = pictures.pictures_of(entries)
    doubles = sum(map(pictures.is_picture, entries)) - len(found)
    others = len(entries) - len(found) - doubles
    is_grid = layout == "grid" or (not layout and len(found) > 1 and not others)
    listed = found if is_grid else entries
    shown = listed[(page - 1) * PER_PAGE : page * PER_PAGE]
    return Folder(
        path=path,
        entries=[] if is_grid else [(entry, join(path, entry.name)) for entry in shown],
        groups=pictures.group(shown, path, entries) if is_grid else [],
        total=len(listed),
        others=others if is_grid else 0,
        page=page,
        is_grid=is_grid,
        has_pictures=bool(found),
        amount=amount,
    )


def description(folder: Folder) -> str:
    """The name of the file that tells what the folder is; empty if this page shows none."""
    names = {entry.name for entry, _ in folder.entries if not entry.is_folder}
    return next((name for name in DESCRIPTIONS if name in names), "")
