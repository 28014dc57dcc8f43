"""A candidate's artifacts: folders to look into, files to download."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints import streams
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import state
from gitlab_mlops.blueprints.web.frames import render_candidate
from gitlab_mlops.blueprints.web.page import CANDIDATE, page
from gitlab_mlops.errors import MLOpsError, NotFound, Unavailable
from gitlab_mlops.services import artifacts, candidates, overview
from gitlab_mlops.services.artifacts import Place
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.storage import Entry
from gitlab_mlops.wire import paths

PER_PAGE = 200


@dataclass(frozen=True, slots=True)
class Folder:
    """A page of a folder: `entries` with their paths, folders first.

    `trail` are the folders above as (name, path). `problem` tells why there are no entries.
    """

    path: str
    trail: list[tuple[str, str]]
    entries: list[tuple[Entry, str]]
    total: int
    page: int
    problem: str = ""

    @property
    def has_more(self) -> bool:
        """Whether there is a page after this."""
        return self.page * PER_PAGE < self.total


@page(f"{CANDIDATE}/artifacts/<path:artifact_path>", access=ReadAccess)
def artifact(access: ReadAccess, candidate_iid: int, artifact_path: str) -> Response:
    """A file, always as a download."""
    experiment_iid, eid = overview.get_eid(access, candidate_iid)
    place = _place(access, experiment_iid, eid, artifact_path)
    access.session.commit()  # no connection waits while the bytes flow
    storage = mounted().storage
    try:
        return streams.send_file(request, storage, place.key, place.name)
    except NotFound:
        # In the words of the page, because the API's tell the run's id.
        raise NotFound(f"Candidate {candidate_iid} has no file “{place.path}”.") from None


@page(f"{CANDIDATE}/files", access=ReadAccess)
def candidate_files(access: ReadAccess, candidate_iid: int) -> Response:
    """A folder of a candidate's artifacts."""
    record = candidates.get_by_iid(access, candidate_iid)
    folder = look_into(access, record, state.raw("path"), state.page_number())
    return render_candidate(access, "candidate_files.html", record, tab="files", folder=folder)


def look_into(access: ReadAccess, record: CandidateRecord, path: str, page: int) -> Folder:
    """A folder of a candidate; raise `NotFound` if there is none, `Invalid` for a bad path.

    The rest of the page does not depend on the store, so it survives a store that is down.
    """
    place = _place(access, record.experiment_iid, record.eid, path)
    try:
        found = artifacts.list_folder(mounted().storage, place)
    except Unavailable as error:
        return Folder(place.path, _trail(place.path), [], 0, 1, _reason(error))
    if place.path and not found:
        raise NotFound(f"Candidate {record.iid} has no folder “{place.path}”.")
    found.sort(key=lambda entry: (not entry.is_folder, entry.name))
    first = (page - 1) * PER_PAGE
    below = f"{place.path}/" if place.path else ""
    shown = [(entry, below + entry.name) for entry in found[first : first + PER_PAGE]]
    return Folder(place.path, _trail(place.path), shown, len(found), page)


def _place(access: ReadAccess, experiment_iid: int, eid: str, path: str) -> Place:
    plain = paths.to_read(path)
    root = f"{experiment_iid}/{eid}/artifacts"  # as in `wire.runs.artifact_uri`
    return artifacts.locate(access, f"{root}/{plain}" if plain else root)


def _trail(path: str) -> list[tuple[str, str]]:
    names = path.split("/") if path else []
    return [(name, "/".join(names[: index + 1])) for index, name in enumerate(names)]


def _reason(error: MLOpsError) -> str:
    return str(error) or "The artifact store cannot be reached at the moment."
