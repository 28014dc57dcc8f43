"""What changed between long texts, word by word."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

MAX_WORDS = 300
"""Words of a text that are compared."""
MAX_EFFORT = 400_000
"""Pairs of words of one page that are compared: half a second, at worst."""
MIN_ALIKE = 0.3
"""Of texts that share less than this, to read both is easier than to read what changed."""

_WORD = re.compile(r"\w+\s*|[^\w\s]\s*|\s+")


class Piece(NamedTuple):
    """A part of one or of both texts."""

    kind: Literal["same", "gone", "new"]
    text: str


class Rewording:
    """Compares texts, until that was too much for one page."""

    def __init__(self) -> None:
        self._effort = MAX_EFFORT

    def pieces(self, old: str, new: str) -> list[Piece]:
        """The parts of both texts in order; none if that is too much, or would help nobody."""
        before, after = _WORD.findall(old), _WORD.findall(new)
        self._effort -= len(before) * len(after)
        if self._effort < 0 or max(len(before), len(after)) > MAX_WORDS:
            return []
        # The heuristic for long texts would call frequent words different.
        matcher = SequenceMatcher(None, before, after, autojunk=False)
        return _pieces(matcher, before, after) if matcher.quick_ratio() >= MIN_ALIKE else []


def _pieces(matcher: SequenceMatcher[str], before: list[str], after: list[str]) -> list[Piece]:
    pieces = []
    for kind, start, stop, new_start, new_stop in matcher.get_opcodes():
        gone, new = "".join(before[start:stop]), "".join(after[new_start:new_stop])
        if kind == "equal":
            pieces.append(Piece("same", gone))
            continue
        pieces += [Piece("gone", gone)] if gone else []
        pieces += [Piece("new", new)] if new else []
    return pieces
