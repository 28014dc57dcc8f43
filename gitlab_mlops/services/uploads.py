"""Multipart uploads: parts wait as objects of their own until the upload is complete.

This works the same on every store. The parts of an upload are `<project id>/.uploads/<id>/<n>`,
next to `done` once they have become the artifact.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.errors import Invalid, NotFound, TooLarge
from gitlab_mlops.services import artifacts
from gitlab_mlops.services.artifacts import Place
from gitlab_mlops.storage import Entry, Storage

MAX_PARTS = 10_000
"""As many as S3 takes; 100 GB in the client's parts of 10 MB."""
FOLDER = ".uploads"
DONE = "done"


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload in `parts` parts to the artifact `path`, as MLflow's API calls it, by an actor."""

    project_id: int
    id: str
    path: str
    parts: int
    actor_id: str = ""

    @property
    def folder(self) -> str:
        """The key below which the parts are."""
        return f"{self.project_id}/{FOLDER}/{self.id}"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an upload that an actor began; numbers start at 1."""

    project_id: int
    upload_id: str
    number: int
    actor_id: str

    @property
    def key(self) -> str:
        """The key of the part."""
        return f"{self.project_id}/{FOLDER}/{self.upload_id}/{self.number}"


def begin(access: WriteAccess, storage: Storage, place: Place, parts: int) -> Upload:
    """A new upload to `place`; raise `Invalid` for a name that cannot be or too many parts."""
    if not 1 <= parts <= MAX_PARTS:
        raise Invalid(f"'num_parts' must be from 1 to {MAX_PARTS}; it is {parts}.")
    artifacts.check_name(storage, place)
    return Upload(access.project.id, uuid4().hex, place.wire_path, parts, access.actor.id)


def put_part(
    storage: Storage, part: Part, chunks: Iterable[bytes], length: int | None, max_bytes: int
) -> str:
    """Store a part, whole or not at all; returns its ETag, without quotes.

    Raises `TooLarge` if the parts would have over `max_bytes` (0: no limit) in all: what waits in
    the store counts before it is complete.
    """
    if max_bytes:
        others = _bytes_of_others(storage, part)
        _check_size(others + (length or 0), max_bytes)
        chunks = _up_to(chunks, max_bytes - others)
    storage.put(part.key, chunks, length)
    return storage.head(part.key).etag


def _bytes_of_others(storage: Storage, part: Part) -> int:
    folder, _, name = part.key.rpartition("/")
    return sum(entry.size for entry in storage.walk(folder) if entry.name != name)


def _up_to(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    count = 0
    for chunk in chunks:
        count += len(chunk)
        _check_size(count, limit)
        yield chunk


def _check_size(count: int, limit: int) -> None:
    if count > limit:
        raise TooLarge(f"The parts have {count} bytes; at most {limit} are accepted.")


def complete(
    access: WriteAccess,
    storage: Storage,
    place: Place,
    upload: Upload,
    etags: Sequence[tuple[int, str]],
    max_bytes: int,
) -> None:
    """Make the artifact out of the parts, given as (number, ETag); once more changes nothing.

    Raises `Invalid` unless exactly the parts that arrived are named, `TooLarge` over `max_bytes`
    (0: no limit), `NotFound` for an upload that is not to `place`.
    """
    if (upload.project_id, upload.path) != (access.project.id, place.wire_path):
        raise NotFound("There is no such upload to this path.")
    if storage.exists(f"{upload.folder}/{DONE}"):
        return
    found = {entry.name: entry for entry in storage.walk(upload.folder)}
    _compare(upload, found, etags)
    total = sum(entry.size for entry in found.values())
    if max_bytes and total > max_bytes:
        storage.delete_below(upload.folder)
        raise TooLarge(f"The artifact has {total} bytes; at most {max_bytes} are accepted.")
    _assemble(access, storage, place, upload, total)


def abort(access: WriteAccess, storage: Storage, upload: Upload) -> None:
    """Forget an upload and its parts."""
    if upload.project_id != access.project.id:
        raise NotFound("There is no such upload.")
    storage.delete_below(upload.folder)


def sweep(storage: Storage, older_than_seconds: int) -> int:
    """Delete the parts of uploads where nothing happened for so long; returns how many uploads.

    Choose more seconds than `MLOPS_UPLOAD_URL_SECONDS`. Leftovers of single uploads that were
    cut off are `Storage.sweep`'s.
    """
    before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
    count = 0
    for folder in _uploads(storage):
        touched = [entry.modified for entry in storage.walk(folder) if entry.modified]
        if touched and max(touched) < before:
            storage.delete_below(folder)
            count += 1
    return count


def _uploads(storage: Storage) -> Iterator[str]:
    for project in storage.list_folder(""):
        if project.is_folder and project.name.isdigit():
            waiting = f"{project.name}/{FOLDER}"
            for upload in storage.list_folder(waiting):
                yield f"{waiting}/{upload.name}"


def _compare(upload: Upload, found: dict[str, Entry], etags: Sequence[tuple[int, str]]) -> None:
    wanted = {str(number): etag.strip('"') for number, etag in etags}
    numbers = {str(number) for number in range(1, upload.parts + 1)}
    if len(etags) != upload.parts or wanted.keys() != numbers:
        raise Invalid(f"The upload has parts 1 to {upload.parts}; name each of them once.")
    if absent := sorted(map(int, numbers - found.keys())):
        raise Invalid(f"Part {absent[0]} of the upload has not arrived.")
    for number, etag in wanted.items():
        if found[number].etag != etag:
            raise Invalid(f"Part {number} of the upload is not the one with this ETag.")


def _assemble(
    access: WriteAccess, storage: Storage, place: Place, upload: Upload, total: int
) -> None:
    parts = [f"{upload.folder}/{number}" for number in range(1, upload.parts + 1)]
    artifacts.check_name(storage, place)
    storage.concat(parts, place.key, total)
    artifacts.keep(access, storage, place)
    # The answer may get lost: the client then asks again, and must hear that all is well.
    storage.put(f"{upload.folder}/{DONE}", [b""])
    for part in parts:
        storage.delete(part)
