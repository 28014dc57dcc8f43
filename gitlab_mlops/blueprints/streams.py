"""Bytes over HTTP: request bodies of any size, and files as answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO
from urllib.parse import quote

from flask import Request, Response
from werkzeug.datastructures import Range

from gitlab_mlops.blueprints import bodies
from gitlab_mlops.errors import TooLarge
from gitlab_mlops.storage import Entry, Storage

READ_BYTES = 256 * 1024

OCTETS = "application/octet-stream"
# Types that no browser runs or sniffs. What a client said when it uploaded is not believed.
SAFE_TYPES = {
    ".csv": "text/csv",
    ".gif": "image/gif",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".log": "text/plain",
    ".md": "text/plain",
    ".png": "image/png",
    ".txt": "text/plain",
    ".webp": "image/webp",
    ".yaml": "text/plain",
    ".yml": "text/plain",
}


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


def send_file(request: Request, storage: Storage, key: str, name: str) -> Response:
    """Answer a GET or HEAD for the object `key`, as a download named `name`.

    One range is honoured (206, or 416 outside of the file); several are answered with everything.
    Raises `NotFound`.
    """
    if request.method == "HEAD":
        return _headers(Response(), name, storage.head(key))
    if request.range is None:
        return _stream(storage, key, name, None)
    entry = storage.head(key)
    if not _is_one_span(request.range) or not _same(request, entry):
        return _stream(storage, key, name, None)
    span = _span(request.range, entry.size)
    if span is None:
        return Response(status=416, headers={"Content-Range": f"bytes */{entry.size}"})
    return _stream(storage, key, name, span)


def _is_one_span(wanted: Range) -> bool:
    return wanted.units == "bytes" and len(wanted.ranges) == 1


def _span(wanted: Range, size: int) -> tuple[int, int] | None:
    """(start, stop before) of the bytes wanted; None if the file of `size` bytes has none."""
    start, stop = wanted.ranges[0]
    if start < 0:  # the last bytes
        start, stop = max(size + start, 0), size
    stop = size if stop is None else min(stop, size)
    return (start, stop) if start < stop else None


def _same(request: Request, entry: Entry) -> bool:
    """Whether the client, if it resumes a download, has the beginning of this very file."""
    known = request.if_range
    if "If-Range" not in request.headers:
        return True
    return known is not None and bool(entry.etag) and known.etag == entry.etag


def _stream(storage: Storage, key: str, name: str, span: tuple[int, int] | None) -> Response:
    blob = storage.open(key, span)
    response = Response(blob.chunks, direct_passthrough=True)
    response.call_on_close(blob.close)
    _headers(response, name, Entry(key, blob.stop - blob.start, etag=blob.etag))
    if span is not None:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {blob.start}-{blob.stop - 1}/{blob.size}"
    return response


def _headers(response: Response, name: str, entry: Entry) -> Response:
    """Make sure that a browser saves the file, and neither shows nor runs it."""
    headers = response.headers
    headers["Content-Type"] = SAFE_TYPES.get(PurePosixPath(name).suffix.lower(), OCTETS)
    headers["Content-Length"] = str(entry.size)
    headers["Content-Disposition"] = disposition(name)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    headers["Cache-Control"] = "private, no-cache"
    headers["Accept-Ranges"] = "bytes"
    if entry.etag:
        response.set_etag(entry.etag)
    return response


def disposition(name: str) -> str:
    """An attachment's Content-Disposition, by RFC 6266; any other letters by RFC 5987."""
    plain = name.encode("ascii", "replace").decode().replace("\\", "\\\\").replace('"', '\\"')
    header = f'attachment; filename="{plain}"'
    return header if name.isascii() else f"{header}; filename*=UTF-8''{quote(name, safe='')}"
