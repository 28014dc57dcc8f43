"""What a local folder does better than obstore: read fast, and show what killed uploads left."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import BinaryIO, Self

# obstore writes `name` as `name#1` (or the next free number) and renames it when it is complete.
_STAGED = re.compile(r".+#\d+")


class LocalChunks:
    """The bytes of an open file from `start` to before `stop`; closes it at the end.

    obstore reads a local file in 8 KiB pieces, at a tenth of this speed. The file stays the same
    to its reader when a new upload takes its name.
    """

    def __init__(self, file: BinaryIO, start: int, stop: int, chunk_bytes: int) -> None:
        """Read `file`, which this object now owns, `chunk_bytes` at a time."""
        self._file = file
        self._left = stop - start
        self._chunk_bytes = chunk_bytes
        file.seek(start)

    def __iter__(self) -> Self:
        """Itself."""
        return self

    def __next__(self) -> bytes:
        """The next piece; closes the file after the last."""
        chunk = self._file.read(min(self._left, self._chunk_bytes)) if self._left else b""
        if not chunk:
            self.close()
            raise StopIteration
        self._left -= len(chunk)
        return chunk

    def close(self) -> None:
        """Close the file."""
        self._left = 0
        self._file.close()


def open_local(path: Path) -> tuple[BinaryIO, int, str]:
    """Open a complete file: (file, size in bytes, ETag). Raises `OSError`."""
    if _STAGED.fullmatch(path.name):
        raise FileNotFoundError(path)
    file = open(path, "rb", buffering=0)  # noqa: SIM115  (LocalChunks closes it)
    found = os.fstat(file.fileno())
    return file, found.st_size, f"{found.st_ino:x}-{found.st_mtime_ns // 1000:x}-{found.st_size:x}"


def sweep_local(folder: Path, before: float) -> int:
    """Delete unfinished files last written `before` (seconds since 1970); returns how many."""
    count = 0
    for parent, _, names in os.walk(folder):
        for name in filter(_STAGED.fullmatch, names):
            path = Path(parent, name)
            if path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
                count += 1
    return count
