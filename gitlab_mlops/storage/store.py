"""`Storage`: put, open, list and delete artifact bytes by key, streamed and atomically."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

import obstore
from obstore.store import AzureStore, GCSStore, S3Store

from gitlab_mlops.errors import Invalid, NotFound, Unavailable
from gitlab_mlops.settings import Settings
from gitlab_mlops.storage import transfer
from gitlab_mlops.storage.connect import check_fork, connect, local_folder, open_folder
from gitlab_mlops.storage.failures import translated
from gitlab_mlops.storage.listing import LIST_PAGE, Entry, entry_of, etag_of, first, whole
from gitlab_mlops.storage.local import (
    LocalChunks,
    has_file,
    look_at,
    open_local,
    scan_folder,
    sweep_local,
)

if TYPE_CHECKING:
    from obstore.store import ObjectStore

SIGNING = (S3Store, GCSStore, AzureStore)
"""The stores that give out addresses of their own."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Opened bytes: `chunks` yields those from `start` to before `stop`, of `size` in all.

    `modified` is when they were stored. Call `close` when done, also when nothing was read.
    """

    size: int
    start: int
    stop: int
    etag: str
    chunks: Iterator[bytes]
    modified: datetime | None = None

    def close(self) -> None:
        """Give back the open file, if it is one."""
        if isinstance(self.chunks, LocalChunks):
            self.chunks.close()


class Storage:
    """Where artifacts are. Keys are `/`-separated; the server alone makes them.

    Every method raises `NotFound`, `StorageFull` or `Unavailable`, and `Invalid` for a key that
    cannot be. Nothing is read, written or connected to before the first use, so an instance may
    cross a fork until then.
    """

    def __init__(
        self, url: str, options: Mapping[str, str] | None = None, *, default_folder: Path
    ) -> None:
        """Remember where to go; `ValueError` for a `url` or `options` that mean nothing."""
        self.folder = local_folder(url, default_folder)
        self._url = url
        self._store = None if self.folder is not None else connect(url, options or {})

    @classmethod
    def from_settings(cls, settings: Settings, default_folder: Path) -> Self:
        """The storage that the operator chose, else `default_folder`."""
        return cls(
            settings.artifacts_url, settings.artifacts_options, default_folder=default_folder
        )

    def __repr__(self) -> str:
        """The place, without the credentials."""
        return f"Storage({str(self.folder or self._url)!r})"

    def put(self, key: str, chunks: Iterable[bytes], length: int | None = None) -> int:
        """Store `chunks` under `key`, replacing what is there; returns the number of bytes.

        Readers see the old bytes or all of the new ones. If `chunks` raises, or yields fewer or
        more than `length` bytes, nothing is stored. `chunks` must not use a `Storage` itself:
        obstore drives it from inside its event loop, where it can start nothing else.
        """
        counted = transfer.Counted(chunks, length)
        with translated(writing=True):
            try:
                transfer.put(self._connected(), _checked(key), counted, length)
            except Exception:
                if counted.failure is None:
                    raise
        if counted.failure is not None:  # the body's own fault, whatever the store made of it
            raise counted.failure
        return counted.bytes

    def open(self, key: str, span: tuple[int, int] | None = None) -> Blob:
        """Open the bytes of `key`; `span` is (start, stop before), not empty and within them."""
        with translated():
            if self.folder is not None:
                return _open_local(self.folder / _checked(key), span)
            meta, (start, stop), chunks = transfer.get(self._connected(), _checked(key), span)
            size, modified = meta["size"], meta["last_modified"]
            return Blob(size, start, stop, etag_of(meta), chunks, modified)

    def head(self, key: str) -> Entry:
        """Size, time and ETag of the object `key`."""
        with translated():
            if self.folder is not None:
                return replace(look_at(self.folder / _checked(key)), name=key)
            return entry_of(obstore.head(self._connected(), _checked(key)), cut=0)

    def sign(self, key: str, seconds: int) -> str | None:
        """An address where anybody gets the object `key` for so long, from the store itself.

        None if the store has no such thing. Nobody looks whether there is such an object.
        """
        store = self._connected()
        if not isinstance(store, SIGNING):
            return None
        with translated():
            return obstore.sign(store, "GET", _checked(key), timedelta(seconds=seconds))

    @property
    def can_sign(self) -> bool:
        """Whether `sign` gives addresses."""
        return isinstance(self._store, SIGNING)

    def exists(self, key: str) -> bool:
        """Whether there is an object `key`; a folder is none."""
        try:
            self.head(key)
        except NotFound:
            return False
        return True

    def list_folder(self, prefix: str, limit: int | None = None) -> list[Entry]:
        """Folders and files right below `prefix` ("": the top), by name, the first `limit`.

        There are none if there is no such folder, or if it is a file.
        """
        key = _checked(prefix) if prefix else ""
        with suppress(NotFound), translated():
            if self.folder is not None:
                check_fork()
                return scan_folder(self.folder / key, limit)
            store = self._connected()
            return whole(store, key) if limit is None else first(store, key, limit)
        return []

    def walk(self, prefix: str, page_size: int = LIST_PAGE) -> Iterator[Entry]:
        """All files below `prefix` at any depth, in no order, in bounded memory."""
        cut = len(prefix) + 1
        with suppress(NotFound), translated():
            for page in obstore.list(self._connected(), _checked(prefix), chunk_size=page_size):
                yield from (entry_of(meta, cut) for meta in page if len(meta["path"]) > cut)

    def has_below(self, prefix: str) -> bool:
        """Whether `prefix` is a folder: whether anything is below it."""
        if self.folder is None:
            return next(self.walk(prefix, page_size=1), None) is not None
        with suppress(NotFound), translated():
            return has_file(self.folder / _checked(prefix))
        return False

    def delete(self, key: str) -> None:
        """Delete the object `key`; if it is already gone, all is well."""
        # Told to delete a folder, or what is below a file, some servers do more harm than nothing.
        with suppress(NotFound), translated():
            obstore.head(self._connected(), _checked(key))
            obstore.delete(self._connected(), key)

    def delete_below(self, prefix: str) -> int:
        """Delete everything below `prefix`, at any depth; returns how many files that were."""
        count = 0
        while page := [f"{prefix}/{found.name}" for found in islice(self.walk(prefix), LIST_PAGE)]:
            # If somebody else deletes the same, the next look shows what is left.
            with suppress(NotFound), translated():
                obstore.delete(self._connected(), page)
                count += len(page)
        return count

    def concat(self, keys: Sequence[str], key: str, total: int) -> None:
        """Store the bytes of `keys` (`total` of them), one after the other, under `key`.

        Readers of `key` see the old bytes or all of the new ones.
        """
        if self.folder is not None:
            # Local files are read without obstore, so they may feed its `put`; at full speed.
            self.put(key, (chunk for part in keys for chunk in self.open(part).chunks), total)
            return
        with translated(writing=True):
            work = transfer.concat(self._connected(), keys, _checked(key), total)
            # A thread of its own: the caller's may run an event loop already, as under ASGI.
            with ThreadPoolExecutor(1) as thread:
                thread.submit(asyncio.run, work).result()

    def sweep(self, older_than_seconds: int) -> int:
        """Delete what uploads that were cut off have left; returns how many files that were.

        Only a local folder can show them. In an object store they are incomplete multipart
        uploads, which the lifecycle rules of the bucket remove.
        """
        if self.folder is None:
            return 0
        with translated():
            return sweep_local(self.folder, time.time() - older_than_seconds)

    def check(self) -> None:
        """Write, read and delete a small object, to prove to the operator that it works."""
        key = f".check/{os.getpid()}-{time.time_ns()}"
        self.put(key, [b"mlops"])
        self.open(key).close()
        self.delete(key)

    def ping(self) -> None:
        """Ask whether it is there, and change nothing; raises if not.

        A bucket that does not exist is no empty folder, so it is `NotFound` here.
        """
        store = self._connected()
        if self.folder is not None:
            if not os.access(self.folder, os.W_OK | os.X_OK):
                raise Unavailable(f"The folder {self.folder} is gone or cannot be written to.")
            return
        with translated():
            obstore.list_with_delimiter(store, ".check")

    def _connected(self) -> ObjectStore:
        check_fork()
        if self._store is None and self.folder is not None:
            self._store = open_folder(self.folder)
        return cast("ObjectStore", self._store)


def _checked(key: str) -> str:
    """The key, if it stays where it says; the last line of defence below the path rules."""
    if "\0" in key or not {"", ".", ".."}.isdisjoint(key.split("/")):
        raise Invalid("Invalid path")
    return key


def _open_local(path: Path, span: tuple[int, int] | None) -> Blob:
    file, entry = open_local(path)
    start, stop = span or (0, entry.size)
    chunks = LocalChunks(file, start, stop, transfer.READ_BYTES)
    return Blob(entry.size, start, stop, entry.etag, chunks, entry.modified)
