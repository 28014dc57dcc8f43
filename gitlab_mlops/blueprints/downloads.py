"""Files as answers, by RFC 9110: whole, one range, "not modified", or an address in the store.

A browser saves them, and neither shows nor runs them.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Request, Response
from werkzeug.datastructures import Range
from werkzeug.http import parse_date

from gitlab_mlops.storage import Blob, Entry, Storage
from gitlab_mlops.storage.labels import disposition, media_type

CONDITIONS = ("If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since")
# Within its second, a file may change and keep its time.
SETTLED = timedelta(seconds=2)


def send_file(
    request: Request, storage: Storage, key: str, name: str, *, link_seconds: int = 0
) -> Response:
    """Answer a GET or HEAD for the object `key`, as a download named `name`; raise `NotFound`.

    With `link_seconds`, a client gets the file from the store, if that gives out addresses; one
    is good for so long.
    """
    wants_link = bool(link_seconds) and storage.can_sign and request.method == "GET"
    is_plain = request.range is None and not any(each in request.headers for each in CONDITIONS)
    if request.method == "GET" and is_plain and not wants_link:
        return _send(storage.open(key), name)
    entry = storage.head(key)
    if status := failed_condition(request, entry):
        return _headers(Response(status=status), name, entry)
    if wants_link and (url := storage.sign(key, link_seconds)):
        return _redirect(url)
    if request.method == "HEAD":
        return _with_length(_headers(Response(), name, entry), entry.size)
    return _send_part(request, storage, key, name, entry)


def failed_condition(request: Request, entry: Entry) -> int:
    """The status of a condition that is not met, in the order of RFC 9110, 13.2.2; else 0."""
    modified, headers = _last_modified(entry), request.headers
    if "If-Match" in headers:
        if not request.if_match.contains(entry.etag):
            return 412
    elif modified and (moment := _date(headers.get("If-Unmodified-Since"))) and modified > moment:
        return 412
    if "If-None-Match" in headers:
        return 304 if request.if_none_match.contains_weak(entry.etag) else 0
    since = _date(headers.get("If-Modified-Since"))
    return 304 if modified and since and modified <= since else 0


def _date(text: str | None) -> datetime | None:
    """The time that a header tells; None for what is no time, or out of all times."""
    try:
        return parse_date(text)
    except OverflowError:
        return None


def _last_modified(entry: Entry) -> datetime | None:
    """The time of a file in whole seconds; None until no other version can have the same."""
    if entry.modified is None or datetime.now(UTC) - entry.modified < SETTLED:
        return None
    return entry.modified.replace(microsecond=0)


def _redirect(url: str) -> Response:
    headers = {
        "Location": url,
        "Cache-Control": "private, no-store",  # the address does not live long
        "Referrer-Policy": "no-referrer",
    }
    return Response(status=302, headers=headers)


def _send_part(request: Request, storage: Storage, key: str, name: str, entry: Entry) -> Response:
    """The part that is asked for; everything if that is none, several, or of another version."""
    wanted = request.range
    if wanted is None or not entry.size or not _is_one(wanted) or not _is_same(request, entry):
        return _send(storage.open(key), name)
    span = _span(wanted, entry.size)
    if span is None:
        headers = {"Content-Range": f"bytes */{entry.size}", "Accept-Ranges": "bytes"}
        return Response(status=416, headers=headers)
    blob = storage.open(key, span)
    if blob.etag != entry.etag:  # it was replaced just now, and may be shorter
        blob.close()
        return _send(storage.open(key), name)
    response = _send(blob, name)
    response.status_code = 206
    response.headers["Content-Range"] = f"bytes {blob.start}-{blob.stop - 1}/{blob.size}"
    return response


def _is_one(wanted: Range) -> bool:
    return wanted.units == "bytes" and len(wanted.ranges) == 1


def _is_same(request: Request, entry: Entry) -> bool:
    """Whether the client, if it resumes a download, has the beginning of this very file."""
    known = request.headers.get("If-Range")
    if known is None:
        return True
    if moment := _date(known):
        return moment == _last_modified(entry)
    return bool(entry.etag) and known == f'"{entry.etag}"'  # a weak one is not enough


def _span(wanted: Range, size: int) -> tuple[int, int] | None:
    """(start, stop before) of the bytes wanted; None if the file of `size` bytes has none."""
    start, stop = wanted.ranges[0]
    if start < 0:  # the last bytes
        start, stop = max(size + start, 0), size
    stop = size if stop is None else min(stop, size)
    return (start, stop) if start < stop else None


def _send(blob: Blob, name: str) -> Response:
    # No `wsgi.file_wrapper`: measured with gunicorn, it is slower than pieces of this size.
    response = Response(blob.chunks, direct_passthrough=True)
    response.call_on_close(blob.close)
    entry = Entry(name, blob.size, etag=blob.etag, modified=blob.modified)
    return _with_length(_headers(response, name, entry), blob.stop - blob.start)


def _with_length(response: Response, length: int) -> Response:
    response.headers["Content-Length"] = str(length)
    return response


def _headers(response: Response, name: str, entry: Entry) -> Response:
    headers = response.headers
    headers["Content-Type"] = media_type(name)
    headers["Content-Disposition"] = disposition(name)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    headers["Cache-Control"] = "private, no-cache"
    headers["Accept-Ranges"] = "bytes"
    if modified := _last_modified(entry):
        response.last_modified = modified
    if entry.etag:
        response.set_etag(entry.etag)
    return response
