"""The least that copies a file up and down: WSGI handlers with no framework, for comparison."""

from __future__ import annotations

import http.client
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

FOLDER = "BENCH_BARE_FOLDER"
"""The environment's variable with the folder that `folder` keeps its file in."""
UP, DOWN = "BENCH_BARE_UP", "BENCH_BARE_DOWN"
"""Those with the signed addresses where `store` puts its file, and gets it from."""
FILE = "/file"
"""The path of the file; at any other, there is just an answer."""
CHUNK = 256 * 1024

StartResponse = Callable[[str, list[tuple[str, str]]], Any]


def folder(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """PUT copies the body into a file, GET sends the file."""
    if environ["PATH_INFO"] != FILE:
        return _done(start_response)
    path = Path(os.environ[FOLDER], "bare.bin")
    if environ["REQUEST_METHOD"] == "PUT":
        with path.with_suffix(".new").open("wb") as file:
            for piece in _pieces(environ["wsgi.input"], int(environ["CONTENT_LENGTH"])):
                file.write(piece)
        path.with_suffix(".new").replace(path)
        return _done(start_response)
    size = path.stat().st_size
    start_response("200 OK", [("Content-Length", str(size))])
    return _pieces(path.open("rb", buffering=0), size)


def store(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    """PUT hands the body on to an object store, GET what comes from there."""
    if environ["PATH_INFO"] != FILE:
        return _done(start_response)
    if environ["REQUEST_METHOD"] == "PUT":
        length = int(environ["CONTENT_LENGTH"])
        connection, target = _connect(os.environ[UP])
        body = _pieces(environ["wsgi.input"], length)
        connection.request("PUT", target, body, {"Content-Length": str(length)})
        connection.getresponse().read()
        return _done(start_response)
    connection, target = _connect(os.environ[DOWN])
    connection.request("GET", target)
    answer = connection.getresponse()
    length = int(answer.headers["Content-Length"])
    start_response("200 OK", [("Content-Length", str(length))])
    return _pieces(answer, length)


def _pieces(source: BinaryIO | http.client.HTTPResponse, length: int) -> Iterator[bytes]:
    while length and (piece := source.read(min(length, CHUNK))):
        length -= len(piece)
        yield piece


def _connect(url: str) -> tuple[http.client.HTTPConnection, str]:
    where = urlsplit(url)
    return http.client.HTTPConnection(where.netloc), f"{where.path}?{where.query}"


def _done(start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"{}"]
