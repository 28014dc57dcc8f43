"""Which artifact paths there can be: those that MLflow's own client takes as they are.

The client passes every name of a listing through `mlflow.utils.uri.validate_path_is_safe`, which
raises for some names and rewrites others. One such file would break every listing of its folder
or could never be downloaded. So the first are refused when they come, and the others are stored
as they are rewritten, like in the stock server: MLflow 2 calls the twentieth image of a run
`key%step%20%...`.
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

UNDECODABLE = "\ufffd"
"""What a web server makes of bytes that are not UTF-8. Names may have it only from a percent
escape of their own: MLflow 2 calls an image of step 80 `key%step%80%...`, which so becomes one."""
UNSAFE = "Invalid path"
"""MLflow's words for a path that leads elsewhere."""


def to_write(path: str) -> str:
    """The path that an artifact of this name gets; `Invalid` if there can be none.

    `path` has been decoded exactly once, by the web server or from JSON. Whoever decides by the
    path must decide by what this returns.
    """
    if UNDECODABLE in path:
        raise Invalid(f"{UNSAFE}: a name is not valid UTF-8.")
    return _as_stored(path)


def _as_stored(path: str) -> str:
    segments = path.split("/")
    _refuse_unsafe(path, segments)
    segments = [_as_clients_ask(segment) for segment in segments]
    if "" in segments or "." in segments:
        raise Invalid(f"{UNSAFE}: it has an empty part, a part '.', or ends with a slash.")
    if len(segments) > MAX_DEPTH:
        raise Invalid(f"{UNSAFE}: it is over {MAX_DEPTH} folders deep.")
    for segment in segments:
        if why := _wrong_with(segment):
            raise Invalid(f"{UNSAFE}: {why}.")
    return "/".join(segments)


def to_read(path: str) -> str:
    """The path in its plain form: a slash at the end, doubled ones and `.` are left out.

    Raises `Invalid` for every path that no artifact can have.
    """
    segments = path.split("/")
    _refuse_unsafe(path, segments)
    plain = "/".join(segment for segment in segments if segment not in ("", "."))
    return _as_stored(plain) if plain else ""


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
    if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in segment):
        return "a name holds control characters or is not valid UTF-8"
    if _bytes(segment) > SEGMENT_BYTES:
        return f"a name is over {SEGMENT_BYTES} bytes long"
    if not {"\\", "?", "#"}.isdisjoint(segment):
        return "a name holds a backslash, a question mark or a hash"
    if segment[1:2] == ":" or segment.lower().startswith("file:"):
        return "a name looks like a drive or a file: address"
    if segment.startswith(" ") or _rewritten(segment) != segment:
        return f"MLflow's client cannot ask for a file named {segment[:80]!r}"
    return ""


def _as_clients_ask(segment: str) -> str:
    """The name without percent escapes, under which clients will ask for the file.

    Only if nothing but such escapes stands in the way, and no more of them are behind.
    """
    asked = "".join(map(_escaped, unquote(segment)))
    good = segment.isprintable() and asked.isprintable() and "/" not in asked
    return asked if good else segment


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _rewritten(name: str) -> str | None:
    """What `mlflow.utils.uri.validate_path_is_safe` gives back; None if it raises.

    It decodes the name, and then encodes control characters again: MLflow 2 calls images
    `key%step%1%timestamp%1795445623896%...`, which so stay what they are.
    """
    try:
        decoded = urlunparse(urlparse(unquote(name)))
    except ValueError:
        return None
    return "".join(map(_escaped, decoded))


def _escaped(letter: str) -> str:
    # An encoded NUL stays refused: it is never a name's own, and other tools decode it.
    return f"%{ord(letter):02x}" if "\0" < letter < " " or letter == "\x7f" else letter
