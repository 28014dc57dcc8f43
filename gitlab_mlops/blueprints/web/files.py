"""The page of a candidate's artifacts: a tree, and next to it a folder or the preview of a file."""

from __future__ import annotations

import posixpath
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from urllib.parse import unquote

from flask import Response

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import state
from gitlab_mlops.blueprints.web.artifacts import place_of
from gitlab_mlops.blueprints.web.folders import LAYOUTS, Folder, description, lay_out
from gitlab_mlops.blueprints.web.frames import render_candidate
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.model_snippets import as_python
from gitlab_mlops.blueprints.web.page import CANDIDATE, page
from gitlab_mlops.blueprints.web.previews import MAX_BYTES, Part, Preview, View, preview
from gitlab_mlops.blueprints.web.trees import Branch, find_way, grow, join, trail_of
from gitlab_mlops.errors import Unavailable
from gitlab_mlops.services import artifacts, candidates
from gitlab_mlops.services.artifacts import Amount, Place
from gitlab_mlops.storage import Entry

MAX_COUNTED = 2000
"""Files that are counted for the size of a folder; a store lists a thousand at a time."""
MAX_LISTED = 10_000
"""Entries of a folder that its pages show, and one more."""
UNREACHABLE = "The artifact store cannot be reached at the moment."


@dataclass(frozen=True, slots=True)
class File:
    """A file with its preview."""

    entry: Entry
    path: str
    preview: Preview


@dataclass(frozen=True, slots=True)
class Look:
    """What is at a path, with the tree around it; `problem` tells why there is nothing.

    In a folder, `file` is the one that tells what the folder is, if there is one.
    """

    path: str
    trail: list[tuple[str, str]]
    tree: Branch | None = None
    folder: Folder | None = None
    file: File | None = None
    problem: str = ""


@page(f"{CANDIDATE}/files", access=ReadAccess)
def candidate_files(access: ReadAccess, candidate_iid: int) -> Response:
    """A folder of a candidate's artifacts, or a file of them."""
    record = candidates.get_by_iid(access, candidate_iid)
    place = place_of(access, record.experiment_iid, record.eid, state.raw("path"))
    shelf = CandidateShelf(
        place, Links.of(mounted().host, access.project), candidate_iid, record.eid
    )
    return render_candidate(
        access,
        "candidate_files.html",
        record,
        tab="files",
        assets=("files.css",),
        shelf=shelf,
        look=shelf.look(),
    )


@dataclass(frozen=True, slots=True)
class Shelf(ABC):
    """Artifacts that belong together, and the place among them that a request asks for."""

    place: Place
    links: Links

    @abstractmethod
    def page(self, **query: str) -> str:
        """The page of a folder or file, its `path` in the query."""

    @abstractmethod
    def download(self, path: str) -> str:
        """The address of a file's bytes."""

    @abstractmethod
    def picture(self, path: str) -> str:
        """The address of the bytes of a picture, for a page to show."""

    @abstractmethod
    def archive(self, path: str) -> str:
        """The address of a folder as a zip file."""

    @abstractmethod
    def python(self, path: str) -> str:
        """Python code that gets a folder."""

    @abstractmethod
    def loading(self, path: str) -> str:
        """Python code that loads the model in a folder; empty if the page tells that already."""

    def look(self) -> Look:
        """What is at the place. The rest of the page survives a store that is down."""
        path = self.place.path
        number, layout = state.page_number(), state.choice("layout", LAYOUTS)
        view: View = "end" if state.choice("part", ("", "end")) else ""
        view = view or ("source" if state.choice("raw", ("", "1")) else "")
        try:
            way = find_way(self._list, self._find, path)
            look = Look(path, trail_of(path), grow(way))
            if way.file is not None:
                return replace(look, file=self._open(way.file, path, view))
            entries = way.levels[-1][1]
            amount = self._measure(entries)
            folder = lay_out(path, entries, amount, number, layout)
            folder = replace(folder, is_cut=len(entries) > MAX_LISTED)
            return replace(look, folder=folder, file=self._description(folder))
        except Unavailable as error:
            return Look(path, trail_of(path), problem=str(error) or UNREACHABLE)

    def _list(self, path: str) -> list[Entry]:
        place = replace(self.place, path=path)
        return artifacts.first_of_folder(mounted().storage, place, MAX_LISTED + 1)[0]

    def _find(self, path: str) -> Entry | None:
        return artifacts.find(mounted().storage, replace(self.place, path=path))

    def _measure(self, entries: list[Entry]) -> Amount:
        if any(entry.is_folder for entry in entries):
            return artifacts.measure_folder(mounted().storage, self.place, MAX_COUNTED)
        size = sum(entry.size for entry in entries)
        return Amount(len(entries), size, has_more=len(entries) > MAX_LISTED)

    def _description(self, folder: Folder) -> File | None:
        name = description(folder)
        for entry, path in folder.entries:
            if entry.name == name:
                return self._open(entry, path, "")
        return None

    def _open(self, entry: Entry, path: str, view: View) -> File:
        place = replace(self.place, path=path)
        first = max(0, entry.size - MAX_BYTES) if view == "end" else 0
        stop = min(entry.size, first + MAX_BYTES)
        data = artifacts.read_part(mounted().storage, place, first, stop)
        folder = posixpath.dirname(path)
        part = Part(entry.name, data, entry.size, first)
        return File(entry, path, preview(part, view, lambda target: self._resolve(folder, target)))

    def _resolve(self, folder: str, target: str) -> str:
        """The page of what a document in `folder` calls `target`."""
        plain = unquote(target.partition("#")[0].partition("?")[0])
        path = posixpath.normpath(join(folder, plain))
        return self.page(path="" if path.startswith(".") else path)


@dataclass(frozen=True, slots=True)
class CandidateShelf(Shelf):
    """The artifacts of a candidate."""

    iid: int
    eid: str

    def page(self, **query: str) -> str:
        """As `Shelf.page`."""
        return self.links.files(self.iid, **query)

    def download(self, path: str) -> str:
        """As `Shelf.download`."""
        return self.links.artifact(self.iid, path)

    def picture(self, path: str) -> str:
        """As `Shelf.picture`."""
        return self.links.picture(self.iid, path)

    def archive(self, path: str) -> str:
        """As `Shelf.archive`."""
        return self.links.candidate_action(self.iid, "archive", path=path)

    def python(self, path: str) -> str:
        """As `Shelf.python`."""
        where = f'run_id="{self.eid}", artifact_path={as_python(path)}'
        return f"import mlflow\n\npath = mlflow.artifacts.download_artifacts({where})"

    def loading(self, path: str) -> str:
        """As `Shelf.loading`."""
        uri = as_python(join(f"runs:/{self.eid}", path) if path else f"runs:/{self.eid}")
        return f"import mlflow\n\nmodel = mlflow.pyfunc.load_model({uri})"
