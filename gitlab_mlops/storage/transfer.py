"""Bytes on their way into and out of a store: counted, cut into parts, strung together."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self

import obstore
from obstore.exceptions import GenericError
from obstore.store import LocalStore

from gitlab_mlops.errors import Invalid
from gitlab_mlops.settings import MEBIBYTE
from gitlab_mlops.storage.failures import translated
from gitlab_mlops.storage.labels import attributes

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import ObjectStore

READ_BYTES = 256 * 1024
"""Size of the pieces in which bytes are handed on, in bytes."""
PART_BYTES = 5 * MEBIBYTE
"""Size of the parts in which an object store gets a large object; S3 takes no smaller ones."""
MAX_PARTS = 10_000
"""As many parts as S3 takes for one object."""
PARALLEL_PARTS = 3
"""Parts on their way at once; times `PART_BYTES`, the memory that one upload needs."""


class Counted:
    """Passes chunks on and counts them; raises `Invalid` unless `length` bytes come.

    `failure` keeps what went wrong on the giving side, to tell it from what the store raises.
    """

    def __init__(self, chunks: Iterable[bytes], length: int | None) -> None:
        """Count `chunks`; a `length` of None accepts any."""
        self.bytes = 0
        self.failure: Exception | None = None
        self._chunks = iter(chunks)
        self._length = length

    def __iter__(self) -> Self:
        """Itself."""
        return self

    def __next__(self) -> bytes:
        """The next chunk, counted."""
        try:
            return self._next()
        except StopIteration:
            raise
        except Exception as error:
            self.failure = error
            raise

    def _next(self) -> bytes:
        chunk = next(self._chunks, None)
        if chunk is None:
            if self._length not in (None, self.bytes):
                raise Invalid(f"The body ended after {self.bytes} of {self._length} bytes.")
            raise StopIteration
        self.bytes += len(chunk)
        if self._length is not None and self.bytes > self._length:
            raise Invalid(f"The body is longer than the {self._length} bytes it announced.")
        return chunk


def part_bytes(total: int) -> int:
    """How large the parts must be for `total` bytes to fit into `MAX_PARTS` of them."""
    return max(PART_BYTES, math.ceil(total / MAX_PARTS))


def put(store: ObjectStore, key: str, chunks: Counted, length: int | None) -> None:
    """Stream `chunks` into the object `key`; if they raise, obstore aborts the upload."""
    obstore.put(
        store,
        key,
        chunks,
        attributes=_attributes(store, key),
        chunk_size=part_bytes(length or 0),
        max_concurrency=PARALLEL_PARTS,
    )


def _attributes(store: ObjectStore, key: str) -> Any:
    """What the store is to tell clients that get the object from it; a disk tells nothing."""
    return None if isinstance(store, LocalStore) else attributes(key)


def get(
    store: ObjectStore, key: str, span: tuple[int, int] | None
) -> tuple[ObjectMeta, tuple[int, int], Iterator[bytes]]:
    """Open the object `key`, or its bytes `span` (start, stop before).

    Returns what the store knows of it, the span that comes, and its chunks.
    """
    try:
        found = obstore.get(store, key, options={"range": span} if span is not None else {})
        return found.meta, found.range, _received(found.stream(READ_BYTES))
    except GenericError as error:
        # Some servers (`rclone serve s3`) answer a range with the wrong status.
        if span is None or "non-partial" not in str(error):
            raise
    found = obstore.get(store, key)
    return found.meta, span, _cut(_received(found.stream(READ_BYTES)), *span)


def _received(stream: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks of an opened object, with the store's failures as domain errors."""
    with translated():
        for chunk in stream:
            yield bytes(chunk)


def _cut(chunks: Iterable[bytes], start: int, stop: int) -> Iterator[bytes]:
    """What lies from byte `start` to before `stop`."""
    position = 0
    for chunk in chunks:
        piece = chunk[max(start - position, 0) : max(stop - position, 0)]
        position += len(chunk)
        if piece:
            yield piece
        if position >= stop:
            return


async def concat(store: ObjectStore, sources: Sequence[str], key: str, total: int) -> None:
    """Stream the objects `sources` (`total` bytes) one after the other into the object `key`.

    Asynchronous, because obstore's blocking `get` cannot run inside its blocking `put`.
    """

    async def chunks() -> AsyncIterator[bytes]:
        for source in sources:
            found = await obstore.get_async(store, source)
            async for chunk in found.stream(READ_BYTES):
                yield chunk

    await obstore.put_async(
        store,
        key,
        chunks(),
        attributes=_attributes(store, key),
        chunk_size=part_bytes(total),
        max_concurrency=PARALLEL_PARTS,
    )
