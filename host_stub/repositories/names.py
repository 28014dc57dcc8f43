"""Names of branches, paths of files and shas, as git allows them; all of them come from people."""

from __future__ import annotations

import re

from dulwich.index import validate_path_element_hfs, validate_path_element_ntfs
from dulwich.refs import Ref, check_ref_format

MAX_BRANCH = 240
"""Bytes: a branch is a file below `refs/heads`, and `.lock` is added to its name."""
MAX_PATH = 1024
MAX_NAME = 255
MAX_DEPTH = 40

SHA = re.compile(r"[0-9a-f]{40}")
SHORT_SHA = re.compile(r"[0-9a-f]{7,40}")


def check_branch(name: str) -> str:
    """Give the name of a branch back, or raise `ValueError` if git would not allow it."""
    if not is_branch(name):
        raise ValueError(
            f"“{printable(name)}” cannot be the name of a branch: use up to {MAX_BRANCH} letters, "
            "digits, “_”, “-”, “.” and “/”."
        )
    return name


def is_branch(name: str) -> bool:
    """Whether this can be a branch. Neither an option nor a sha can, nor what git forbids."""
    raw = _encoded(name)
    if raw is None or not 0 < len(raw) <= MAX_BRANCH or name.startswith("-"):
        return False
    if name in ("HEAD", "@") or SHA.fullmatch(name) or not name.isprintable():
        return False
    # The second is said by the first as well, in newer versions of dulwich.
    return check_ref_format(branch_ref(name)) and not re.search(r"^/|//|\.lock(/|$)", name)


def branch_ref(name: str) -> Ref:
    """The full name of a branch, `refs/heads/...`."""
    return Ref(b"refs/heads/" + name.encode())


def check_path(path: str) -> bytes:
    """The path of a file as git keeps it, or `ValueError` for one that is not a plain path."""
    raw = path_bytes(path)
    if raw is None:
        raise ValueError(
            f"“{printable(path)}” cannot be the path of a file: use names with “/” between them, "
            "without “.”, “..”, “.git” and control characters."
        )
    return raw


def path_bytes(path: str) -> bytes | None:
    """The path as git keeps it; None if it would lead out of the work tree, or into `.git`."""
    raw = _encoded(path)
    if raw is None or not 0 < len(raw) <= MAX_PATH or not path.isprintable() or "\\" in path:
        return None
    names = raw.split(b"/")
    return raw if len(names) <= MAX_DEPTH and all(map(_is_name, names)) else None


def printable(text: str) -> str:
    """A short form of what somebody sent, to be quoted in an error."""
    shown = text if len(text) <= 60 else text[:60] + "…"
    return "".join(c if c.isprintable() else "�" for c in shown)


def _is_name(name: bytes) -> bool:
    # The file systems of other people's computers must not see ".git" in it either.
    return (
        0 < len(name) <= MAX_NAME
        and validate_path_element_ntfs(name)
        and validate_path_element_hfs(name)
    )


def _encoded(text: str) -> bytes | None:
    try:
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return None
