"""Artifacts of candidates and logged models: find their place in the store, put, list and delete.

`locate` asks the database once, and the `Place` it returns is the permission for the rest: by
then the edge has ended its transaction, so no connection waits for bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

from sqlalchemy import and_, bindparam, select

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.models import Candidate, Experiment, LoggedModel
from gitlab_mlops.services.stamps import note_alteration
from gitlab_mlops.storage import Entry, Storage

# Experiment and run as the server writes them, and nothing that means the same: one place, one key.
_CANDIDATE = re.compile(r"(0|[1-9]\d{0,9})/([0-9a-f]{32})/artifacts(?:/(.+))?", re.ASCII)
_MODEL = re.compile(r"models/(m-[0-9a-f]{32})/artifacts(?:/(.+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path of MLflow's artifact API is in the store, within what the actor may reach.

    `wire_path` is what the client calls it, `root` the key of its owner's folder, and `path` what
    lies below that ("": the folder itself). `is_frozen`: the owner is in the trash. `stamped` is
    the candidate that CI stamped, and whose artifacts these are, as (internal id, commit).
    """

    wire_path: str
    root: str
    path: str
    is_frozen: bool
    stamped: tuple[int, str] | None = None

    @property
    def key(self) -> str:
        """The key in the store."""
        return f"{self.root}/{self.path}" if self.path else self.root

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]


Finder = Callable[[ReadAccess, str], Place | None]


_CANDIDATE_AT = (
    select(Candidate.deleted_at, Candidate.id, Candidate.stamped_sha)
    .join(Experiment, Experiment.id == Candidate.experiment_id)
    .where(
        Candidate.eid == bindparam("eid"),
        Candidate.project_id == bindparam("project"),
        Experiment.iid == bindparam("experiment"),
    )
)
_MODEL_AT = (
    select(LoggedModel.deleted_at, Experiment.deleted_at, Candidate.id, Candidate.stamped_sha)
    .join(Experiment, Experiment.id == LoggedModel.experiment_id)
    .outerjoin(
        Candidate,
        and_(
            Candidate.eid == LoggedModel.source_eid,
            Candidate.project_id == LoggedModel.project_id,
        ),
    )
    .where(
        LoggedModel.model_id == bindparam("model"), LoggedModel.project_id == bindparam("project")
    )
)


def _find_candidate(access: ReadAccess, path: str) -> Place | None:
    """The place of `<experiment>/<run>/artifacts[/<path>]`."""
    match = _CANDIDATE.fullmatch(path)
    if match is None or int(match[1]) >= 2**31:
        return None
    where = {"eid": match[2], "project": access.project.id, "experiment": int(match[1])}
    found = access.session.connection().execute(_CANDIDATE_AT, where).one_or_none()
    if found is None:
        return None
    root = f"{access.project.id}/{match[1]}/{match[2]}/artifacts"
    is_frozen = found[0] is not None
    return Place(path, root, match[3] or "", is_frozen, _stamped(found[1], found[2]))


def _find_model(access: ReadAccess, path: str) -> Place | None:
    """The place of `models/<model id>/artifacts[/<path>]`."""
    match = _MODEL.fullmatch(path)
    if match is None:
        return None
    where = {"model": match[1], "project": access.project.id}
    found = access.session.connection().execute(_MODEL_AT, where).one_or_none()
    if found is None:
        return None
    root = f"{access.project.id}/models/{match[1]}/artifacts"
    is_frozen = any(moment is not None for moment in found[:2])
    return Place(path, root, match[2] or "", is_frozen, _stamped(found[2], found[3]))


def _stamped(candidate_id: int | None, sha: str | None) -> tuple[int, str] | None:
    return None if candidate_id is None or sha is None else (candidate_id, sha)


ROOTS: dict[str, Finder] = {"models": _find_model}
"""Finders by the first part of the path, for owners other than candidates."""


def locate(access: ReadAccess, path: str) -> Place:
    """The place of a path that `wire.paths` has passed; raise `NotFound` if nobody owns it.

    That a run of another project exists shows no more than that it does not.
    """
    find = ROOTS.get(path.partition("/")[0], _find_candidate)
    place = find(access, path)
    if place is None:
        raise NotFound(
            f"No such artifact: '{path}'. Paths start with <experiment id>/<run id>/artifacts of "
            f"a run in {access.project.path}, or with models/<model id>/artifacts."
        )
    return place


def locate_to_write(access: WriteAccess, path: str) -> Place:
    """The place of a path that is about to change; `Invalid` if its owner is in the trash.

    The stock server does not look; here a run in the trash keeps its artifacts as they were. Notes
    on the stamp of CI, if there is one, who else than CI changes them: before the bytes, so that
    no change is without a trace.
    """
    place = locate(access, path)
    if place.is_frozen:
        raise Invalid(
            f"The owner of '{path}' must be in the 'active' state. Current state is deleted; "
            "restore it first."
        )
    if place.stamped is not None:
        note_alteration(access, *place.stamped)
    return place


def put(
    access: WriteAccess, storage: Storage, place: Place, chunks: Iterable[bytes], length: int | None
) -> None:
    """Store a file, whole or not at all; `length` in bytes, None if nobody knows it yet.

    Raises `Invalid` where the name is a folder or a file is where a folder should be, and
    `NotFound` if the owner was deleted while the bytes came.
    """
    check_name(storage, place)
    storage.put(place.key, chunks, length)
    keep(access, storage, place)


def keep(access: WriteAccess, storage: Storage, place: Place) -> None:
    """Take the stored file away again, and raise `NotFound`, if its owner is gone by now."""
    try:
        locate(access, place.wire_path)
    except NotFound:
        storage.delete(place.key)
        raise


def check_name(storage: Storage, place: Place) -> None:
    """Raise `Invalid` if a file at `place` would hide, or be hidden by, what is there.

    A disk refuses that by itself, some object stores keep both, and others lose the folder.
    """
    if not place.path or storage.has_below(place.key):
        raise Invalid(f"Invalid path: '{place.wire_path}' is a folder.")
    if any(map(storage.exists, _parents(place))):
        raise Invalid(f"Invalid path: a folder of '{place.wire_path}' is a file.")


def _parents(place: Place) -> Iterator[str]:
    """Keys of the folders between the file and its root, the nearest first."""
    folder = place.path
    while "/" in folder:
        folder = folder.rpartition("/")[0]
        yield f"{place.root}/{folder}"


def missing(storage: Storage, place: Place) -> NotFound | Invalid:
    """Why the file at `place` cannot be opened, in MLflow's words."""
    if not place.path or storage.has_below(place.key):
        return Invalid(f"Artifact path refers to a directory, not a file: '{place.wire_path}'")
    return NotFound(f"No such artifact: '{place.wire_path}'")


MAX_LISTED = 50_000
"""Entries of a folder that MLflow's API lists: there is no second page, and no half answer."""


def list_folder(storage: Storage, place: Place) -> list[Entry]:
    """What is right in a folder, by name; nothing for a file and for what is not there.

    Raises `Invalid` if it is more than `MAX_LISTED`: clients would take a part for all of it.
    """
    entries, has_more = first_of_folder(storage, place, MAX_LISTED)
    if has_more:
        raise Invalid(
            f"The folder '{place.wire_path}' has over {MAX_LISTED} entries, too many for one "
            "list. Ask for its files by name, or log them to several folders."
        )
    return entries


def first_of_folder(storage: Storage, place: Place, limit: int) -> tuple[list[Entry], bool]:
    """The first entries of a folder, by name, and whether there are more."""
    found = storage.list_folder(place.key, limit + 1)
    return found[:limit], len(found) > limit


def find(storage: Storage, place: Place) -> Entry | None:
    """The file or folder at `place`, with its own name; None if there is none."""
    try:
        return replace(storage.head(place.key), name=place.name)
    except NotFound:
        is_folder = storage.has_below(place.key)
        return Entry(place.name, is_folder=True) if is_folder else None


@dataclass(frozen=True, slots=True)
class Amount:
    """How much there is in a folder at any depth; `has_more` if nobody counted to the end."""

    files: int
    bytes: int
    has_more: bool


def measure_folder(storage: Storage, place: Place, limit: int) -> Amount:
    """Count the files below a folder, and their bytes, up to so many files."""
    files = list(islice(storage.walk(place.key), limit + 1))
    counted = files[:limit]
    return Amount(len(counted), sum(file.size for file in counted), len(files) > limit)


def read_part(storage: Storage, place: Place, start: int, stop: int) -> bytes:
    """The bytes of a file from `start` to before `stop`, which lie in it; raise `NotFound`."""
    if start >= stop:
        return b""  # of nothing, no store gives a part
    blob = storage.open(place.key, (start, stop))
    try:
        return b"".join(blob.chunks)
    finally:
        blob.close()


def delete(storage: Storage, place: Place) -> None:
    """Delete a file, or a folder with all that is below it; what is not there stays so."""
    if place.path:
        storage.delete(place.key)
    storage.delete_below(place.key)


def delete_all(storage: Storage, project_id: int) -> int:
    """Delete every file of a project that is gone; returns how many."""
    return storage.delete_below(str(project_id))
