"""Request bodies of any size, in pieces. How files are sent: `downloads`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from flask import Request

from gitlab_mlops.blueprints import bodies
from gitlab_mlops.errors import TooLarge

READ_BYTES = 256 * 1024


def body(request: Request, limit: int) -> tuple[Iterator[bytes], int | None]:
    """The request's body in pieces, and its length in bytes if the client told it.

    Raises `TooLarge` over `limit` bytes (0: no limit), at once or as soon as it shows.
    """
    stream, length = bodies.stream_of(request)
    if limit and length is not None and length > limit:
        raise TooLarge(f"The file has {length} bytes; at most {limit} are accepted.")
    return _pieces(stream, length, limit), length


def _pieces(stream: BinaryIO, length: int | None, limit: int) -> Iterator[bytes]:
    count = 0
    while length is None or count < length:
        size = READ_BYTES if length is None else min(READ_BYTES, length - count)
        piece = bodies.read_some(stream, size)
        if not piece:
            return  # too early, if a length was told: the storage, which counts too, then raises
        count += len(piece)
        if limit and count > limit:
            raise TooLarge(f"The file is over {limit} bytes, which is all that is accepted.")
        yield piece
