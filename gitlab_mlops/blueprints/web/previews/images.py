"""Pictures that a browser may show: by their first bytes, whatever somebody called them."""

from __future__ import annotations

from gitlab_mlops.settings import MEBIBYTE

MAX_IMAGE_BYTES = 20 * MEBIBYTE
IMAGE_SUFFIXES = frozenset(".gif .jpeg .jpg .png .webp".split())

_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def image_type(start: bytes) -> str:
    """The media type of the picture that begins like this; empty if it is none."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for mark, kind in _BEGINNINGS if start.startswith(mark)), "")
