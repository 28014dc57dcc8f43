"""What a browser is told of a file: save it, and neither show nor run it, whatever it is."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote

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


def media_type(name: str) -> str:
    """The Content-Type of a file of this name."""
    return SAFE_TYPES.get(PurePosixPath(name).suffix.lower(), OCTETS)


def disposition(name: str) -> str:
    """An attachment's Content-Disposition, by RFC 6266; any other letters by RFC 5987."""
    plain = name.encode("ascii", "replace").decode().replace("\\", "\\\\").replace('"', '\\"')
    header = f'attachment; filename="{plain}"'
    return header if name.isascii() else f"{header}; filename*=UTF-8''{quote(name, safe='')}"


def attributes(key: str) -> dict[str, str]:
    """The headers with which an object store hands the object `key` to a client of its own."""
    name = key.rpartition("/")[2]
    return {"Content-Type": media_type(name), "Content-Disposition": disposition(name)}
