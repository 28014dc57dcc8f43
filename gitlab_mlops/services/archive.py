"""A folder of artifacts as one zip file, made while it is sent: no copy, and constant memory.

Python's `zipfile` writes it, since it needs no place to seek in. Files are stored as they are:
what fills a disk (models, pictures, Parquet) is compressed already, and so the length of the
archive is known before its first byte. A client sees from that whether it got all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from zipfile import ZipFile, ZipInfo

from gitlab_mlops.errors import Invalid, NotFound, Unavailable
from gitlab_mlops.services.artifacts import Place
from gitlab_mlops.storage import Entry, Storage

MAX_FILES = 10_000
"""Files of one archive; more take a client that can go on after a fault."""

# The years that a zip file knows.
_EARLIEST, _LATEST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)
_MODE = 0o644 << 16


@dataclass(frozen=True, slots=True)
class Archive:
    """The files below `place`, to be put into a zip file, all in one folder named `name`."""

    storage: Storage
    place: Place
    name: str
    files: list[Entry]

    def size(self) -> int:
        """The length of the zip file in bytes, from writing it without the files' bytes."""
        sink = _Sink()
        with ZipFile(sink, "w") as archive:
            for file in self.files:
                info = self._info(file)
                with archive.open(info, "w"):
                    sink.position += file.size
                info.file_size = info.compress_size = file.size
                sink.take()
        return sink.position

    def chunks(self) -> Iterator[bytes]:
        """The zip file in pieces.

        Raises `NotFound` or `Unavailable` if a file is not what it was in the listing, or the
        store fails. That has to end the answer before its announced length, or else a folder
        would seem complete that is not.
        """
        sink = _Sink()
        with ZipFile(sink, "w") as archive:
            for file in self.files:
                with archive.open(self._info(file), "w") as target:
                    for chunk in self._read(file):
                        target.write(chunk)
                        yield sink.take()
        yield sink.take()

    def _info(self, file: Entry) -> ZipInfo:
        moment = file.modified.timetuple()[:6] if file.modified else _EARLIEST
        info = ZipInfo(f"{self.name}/{file.name}", min(max(moment, _EARLIEST), _LATEST))
        info.file_size = file.size  # tells zipfile which headers the file needs
        info.external_attr = _MODE
        return info

    def _read(self, file: Entry) -> Iterator[bytes]:
        blob = self.storage.open(f"{self.place.key}/{file.name}")
        count = 0
        try:
            for chunk in blob.chunks if blob.size == file.size else ():
                count += len(chunk)
                yield chunk
        finally:
            blob.close()
        if count != file.size:
            raise Unavailable(f"“{file.name}” changed while its folder was downloaded.")


class _Sink:
    """Takes what `zipfile` writes, and counts it, until somebody takes it away."""

    def __init__(self) -> None:
        self.position = 0
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(data)
        self.position += len(data)
        return len(data)

    def tell(self) -> int:
        return self.position

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def collect(storage: Storage, place: Place, name: str) -> Archive:
    """The archive of a folder.

    Raises `NotFound` if there are no files in it, and `Invalid` if there are over `MAX_FILES`.
    """
    files = list(islice(storage.walk(place.key), MAX_FILES + 1))
    if not files:
        raise NotFound(f"There are no files in the folder “{place.path}”.")
    if len(files) > MAX_FILES:
        raise Invalid(f"The folder has over {MAX_FILES:,} files, too many for one archive.")
    return Archive(storage, place, name, sorted(files, key=lambda file: file.name))
