"""Turns what obstore and the operating system raise into the plugin's domain errors."""

from __future__ import annotations

import errno
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError

from gitlab_mlops.errors import Invalid, MLOpsError, NotFound, StorageFull, Unavailable

logger = logging.getLogger(__name__)

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# A file stands where the path wants a folder, the reverse, or a name is too long for the disk.
NO_SUCH_PLACE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG})

# What servers that speak S3 answer when a disk or a quota is full (MinIO, Ceph, any WebDAV-like).
FULL_TEXTS = ("XMinioStorageFull", "QuotaExceeded", "InsufficientStorage", "507 Insufficient")

_OS_ERROR = re.compile(r"\(os error (\d+)\)")


@contextmanager
def translated(*, writing: bool = False) -> Iterator[None]:
    """Let only domain errors out.

    Raises `NotFound` for what is missing, `StorageFull`, `Invalid` when `writing` to a name that
    cannot be, and `Unavailable` for all else, which the log explains: whatever it is, the client
    cannot help it, and the operator can.
    """
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise _domain_error(error, writing) from error


def _domain_error(error: Exception, writing: bool) -> MLOpsError:
    code = _errno(error)
    text = str(error)
    if code in FULL or any(mark in text for mark in FULL_TEXTS):
        logger.error("The artifact store is full: %s", text)
        return StorageFull("The artifact store is full; ask the operator for more room.")
    if isinstance(error, ValueError) or (writing and code in NO_SUCH_PLACE):
        return Invalid("Invalid path: a file is where a folder should be, or a name is too long.")
    if isinstance(error, FileNotFoundError) or code in NO_SUCH_PLACE:
        return NotFound("There is no such artifact.")
    logger.error("The artifact store failed: %s", text)
    return Unavailable("The artifact store cannot be reached at the moment; try again.")


def _errno(error: Exception) -> int | None:
    """The operating system's number, which obstore's local store gives away in the text only."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno
    found = _OS_ERROR.search(str(error))
    return int(found[1]) if found else None
