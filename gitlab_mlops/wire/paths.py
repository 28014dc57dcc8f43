"""Which artifact paths there can be: those that MLflow's own client takes as they are.

The client passes every name of a listing through `mlflow.utils.uri.validate_path_is_safe`, which
raises for some names and rewrites others. One such file would break every listing of its folder
or could never be downloaded, so it is refused when it comes.
"""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote, urlparse, urlunparse

from gitlab_mlops.errors import Invalid

# A local disk takes names of 255 bytes, and obstore adds `#1` while it writes.
SEGMENT_BYTES = 250
# S3 takes keys of 1,024 bytes; the project's id and the operator's prefix come in front of this.
PATH_BYTES = 900
MAX_DEPTH = 64

UNSAFE = "Invalid path"
"""MLflow's words for a path that leads elsewhere."""


def to_write(path: str) -> str:
    """The path, if an artifact may have it; `Invalid` for every other.

    `path` has been decoded exactly once, by the web server or from JSON.
    """
    segments = path.split("/")
    _refuse_unsafe(path, segments)
    if "" in segments or "." in segments:
        raise Invalid(f"{UNSAFE}: it has an empty part, a part '.', or ends with a slash.")
    if len(segments) > MAX_DEPTH:
        raise Invalid(f"{UNSAFE}: it is over {MAX_DEPTH} folders deep.")
    for segment in segments:
        if why := _wrong_with(segment):
            raise Invalid(f"{UNSAFE}: {why}.")
    return path


def to_read(path: str) -> str:
    """The path in its plain form: a slash at the end, doubled ones and `.` are left out.

    Raises `Invalid` for every path that no artifact can have.
    """
    segments = path.split("/")
    _refuse_unsafe(path, segments)
    plain = "/".join(segment for segment in segments if segment not in ("", "."))
    return to_write(plain) if plain else ""


def _refuse_unsafe(path: str, segments: list[str]) -> None:
    """What the stock server refuses, in its words: also encoded once more, or many times."""
    if _bytes(path) > PATH_BYTES:
        raise Invalid(f"{UNSAFE}: it is over {PATH_BYTES} bytes long.")
    decoded = path
    while (again := unquote(decoded)) != decoded:
        decoded = again
    if path.startswith("/") or ".." in segments or "#" in path:
        raise Invalid(UNSAFE)
    if decoded != path and (decoded.startswith("/") or ".." in decoded.split("/")):
        raise Invalid(UNSAFE)


def _wrong_with(segment: str) -> str:
    if any(
        unicodedata.category(letter) in ("Cc", "Cs") or letter == "\ufffd" for letter in segment
    ):
        return "a name holds control characters or is not valid UTF-8"
    if _bytes(segment) > SEGMENT_BYTES:
        return f"a name is over {SEGMENT_BYTES} bytes long"
    if "\\" in segment or "?" in segment:
        return "a name holds a backslash or a question mark"
    if segment[1:2] == ":" or segment.lower().startswith("file:"):
        return "a name looks like a drive or a file: address"
    if segment.startswith(" ") or _rewritten(segment):
        return f"MLflow's client cannot ask for a file named {segment[:80]!r}"
    return ""


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _rewritten(name: str) -> bool:
    """Whether `mlflow.utils.uri.validate_path_is_safe` gives back something else.

    It decodes the name, and then encodes control characters again: MLflow 2 calls images
    `key%step%1%timestamp%1795445623896%...`, which so stay what they are.
    """
    try:
        decoded = urlunparse(urlparse(unquote(name)))
    except ValueError:
        return True
    return "".join(map(_escaped, decoded)) != name


def _escaped(letter: str) -> str:
    # An encoded NUL stays refused: it is never a name's own, and other tools decode it.
    return f"%{ord(letter):02x}" if "\0" < letter < " " or letter == "\x7f" else letter
