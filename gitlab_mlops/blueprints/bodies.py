"""Prepares MLflow's requests before the forge sees them: takes their bodies away, for us to read.

A forge may parse every form, limit every body to a few megabytes, or check every POST, before
any view runs. An upload must neither be buffered nor refused by that, so the body waits in
`environ["mlops.input"]` where the forge does not look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, BinaryIO

from flask import Request

from gitlab_mlops.errors import Invalid, TooLarge

INPUT = "mlops.input"
LENGTH = "mlops.content_length"
CHUNKED = "mlops.chunked"
SLASH = "%2F"
SMALL = 1024 * 1024
"""Bytes of a JSON body that are read before it is known who sends them; MLflow's are below."""
AJAX = "/ajax-api/"

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def tracking_path(api_prefix: str) -> re.Pattern[str]:
    """The paths below which MLflow's API lives, with what names the project as a group.

    A path may have several segments, but `1/repository/files/ml/mlflow` is the forge's own.
    """
    return re.compile(re.escape(api_prefix.rstrip("/")) + r"/(\d+|(?!\d+/).+?)/ml/mlflow(?=/|$)")


def detach_bodies(app: WSGIApp, api_prefix: str) -> WSGIApp:
    """Wrap a WSGI application so that MLflow's requests reach it with an empty body.

    A project's path comes as one segment (`group%2Fproject`), and WSGI has decoded it; it becomes
    one again, because URL rules with an open number of segments are tried one after the other.
    As in the stock server, `/ajax-api/` mirrors `/api/`.
    """
    pattern = tracking_path(api_prefix)

    def wrapped(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if found := pattern.match(path := environ.get("PATH_INFO", "")):
            project = found[1].replace("/", SLASH)
            # As many servers do: a tracking URI may have been typed with a slash too many.
            rest = re.sub("^/+", "/", path[found.end() :])
            if rest.startswith(AJAX):
                rest = "/api/" + rest.removeprefix(AJAX)
            # No URL rule takes a line break, not even the catch-all; NUL is refused like it.
            rest = rest.replace("\n", "\0")
            environ["PATH_INFO"] = f"{path[: found.start(1)]}{project}/ml/mlflow{rest}"
            environ[INPUT] = environ["wsgi.input"]
            environ[LENGTH] = environ.pop("CONTENT_LENGTH", "")
            environ[CHUNKED] = environ.get("wsgi.input_terminated", False)
            environ["wsgi.input"] = BytesIO()
            environ["CONTENT_LENGTH"] = "0"
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            environ.pop("wsgi.input_terminated", None)
        return app(environ, start_response)

    return wrapped


def owns(request: Request) -> bool:
    """Whether this request is for MLflow's API."""
    return INPUT in request.environ


def stream_of(request: Request) -> tuple[BinaryIO, int | None]:
    """The request's body and its length in bytes; None: read until it ends (chunked)."""
    environ = request.environ
    length = environ.get(LENGTH, "")
    if length:
        return environ[INPUT], _number(length)
    return (environ[INPUT], None) if environ.get(CHUNKED) else (BytesIO(), 0)


def read(request: Request, limit: int) -> bytes:
    """The whole body, at most `limit` bytes; raise `TooLarge` beyond, `Invalid` if cut short."""
    stream, length = stream_of(request)
    if length is not None and length > limit:
        raise TooLarge(f"The request body has {length} bytes; at most {limit} are accepted.")
    body = read_some(stream, limit + 1 if length is None else length)
    if len(body) > limit:
        raise TooLarge(f"The request body is over {limit} bytes.")
    if length is not None and len(body) < length:
        raise Invalid(f"The request body ended after {len(body)} of {length} bytes.")
    return body


def prefetch(request: Request, limit: int) -> None:
    """Read a small body into memory, for `read` to find it there.

    For before a connection to the database is taken: a slow client would keep it from others.
    Nobody knows yet who sends it, so what is larger than `SMALL` or the limit stays where it is.
    """
    environ = request.environ
    length = environ.get(LENGTH, "")
    if (
        length.isascii()
        and length.isdigit()
        and len(length) < 8
        and int(length) <= min(SMALL, limit)
    ):
        environ[INPUT] = BytesIO(read_some(environ[INPUT], int(length)))


def read_some(stream: BinaryIO, size: int) -> bytes:
    """At most `size` bytes of a body; raise `Invalid` if the rest cannot come any more."""
    try:
        return stream.read(size)
    except OSError as error:  # the client is gone, or its chunks make no sense
        raise Invalid(f"The request body was cut off: {error}") from None


def _number(length: str) -> int:
    if not (length.isascii() and length.isdigit() and len(length) < 19):
        raise Invalid("The Content-Length is not a number.")
    return int(length)
