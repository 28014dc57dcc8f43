"""Artifacts of candidates and logged models: find their place in the store, put, list and delete.

`locate` asks the database once, and the `Place` it returns is the permission for the rest: by
then the edge has ended its transaction, so no connection waits for bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import select

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.models import Candidate, Experiment, LoggedModel
from gitlab_mlops.storage import Entry, Storage

# Experiment and run as the server writes them, and nothing that means the same: one place, one key.
_CANDIDATE = re.compile(r"(0|[1-9]\d{0,9})/([0-9a-f]{32})/artifacts(?:/(.+))?", re.ASCII)
_MODEL = re.compile(r"models/(m-[0-9a-f]{32})/artifacts(?:/(.+))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a path of MLflow's artifact API is in the store, within what the actor may reach.

    `wire_path` is what the client calls it, `root` the key of its owner's folder, and `path` what
    lies below that ("": the folder itself). `is_frozen`: the owner is in the trash.
    """

    wire_path: str
    root: str
    path: str
    is_frozen: bool

    @property
    def key(self) -> str:
        """The key in the store."""
        return f"{self.root}/{self.path}" if self.path else self.root

    @property
    def name(self) -> str:
        """The file's own name."""
        return self.path.rpartition("/")[2]


Finder = Callable[[ReadAccess, str], Place | None]


def _find_candidate(access: ReadAccess, path: str) -> Place | None:
    """The place of `<experiment>/<run>/artifacts[/<path>]`."""
    match = _CANDIDATE.fullmatch(path)
    if match is None or int(match[1]) >= 2**31:
        return None
    found = access.session.execute(
        select(Candidate.deleted_at)
        .join(Experiment, Experiment.id == Candidate.experiment_id)
        .where(
            Candidate.eid == match[2],
            Candidate.project_id == access.project.id,
            Experiment.iid == int(match[1]),
        )
    ).one_or_none()
    if found is None:
        return None
    root = f"{access.project.id}/{match[1]}/{match[2]}/artifacts"
    return Place(path, root, match[3] or "", found.deleted_at is not None)


def _find_model(access: ReadAccess, path: str) -> Place | None:
    """The place of `models/<model id>/artifacts[/<path>]`."""
    match = _MODEL.fullmatch(path)
    if match is None:
        return None
    found = access.session.execute(
        select(LoggedModel.deleted_at, Experiment.deleted_at.label("experiment_deleted_at"))
        .join(Experiment, Experiment.id == LoggedModel.experiment_id)
        .where(LoggedModel.model_id == match[1], LoggedModel.project_id == access.project.id)
    ).one_or_none()
    if found is None:
        return None
    root = f"{access.project.id}/models/{match[1]}/artifacts"
    return Place(path, root, match[2] or "", any(moment is not None for moment in found))


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
    """The place of a path that may change; `Invalid` if its owner is in the trash.

    The stock server does not look; here a run in the trash keeps its artifacts as they were.
    """
    place = locate(access, path)
    if place.is_frozen:
        raise Invalid(
            f"The owner of '{path}' must be in the 'active' state. Current state is deleted; "
            "restore it first."
        )
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


def list_folder(storage: Storage, place: Place) -> list[Entry]:
    """What is right in a folder, by name; nothing for a file and for what is not there."""
    return storage.list_folder(place.key)


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
