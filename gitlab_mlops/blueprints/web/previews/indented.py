"""JSON, laid out for reading. Its numbers and texts stay as they were typed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from gitlab_mlops.blueprints.web.previews.contents import Text
from gitlab_mlops.blueprints.web.previews.texts import cut_lines

MAX_DEPTH = 100
"""Deeper nesting is left as it is, for nobody reads that far to the right."""
MAX_FLAT = 80
"""Characters of a list or an object that stays on one line."""

_TOKEN = re.compile(r'\s*("[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{},:]|[^\s\[\]{},:"]+)', re.DOTALL)
_OPENING, _CLOSING = frozenset("[{"), frozenset("]}")


class TooDeepError(ValueError):
    """There is more nesting than can be read."""


def read_json(text: str, *, is_cut: bool) -> Text | None:
    """The JSON in `text`, one member a line; None if it is none, or is nested too deep."""
    if not is_cut and not _is_json(text):
        return None
    try:
        return cut_lines(_layout(_tokens(text)))
    except TooDeepError:
        return None


def _is_json(text: str) -> bool:
    try:
        # Numbers stay texts: the longest ones raise, and others would change.
        json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return False
    return True


def _tokens(text: str) -> list[str]:
    """The tokens of the text; what is left behind the last, as after a cut, is one more."""
    tokens, position = [], 0
    while found := _TOKEN.match(text, position):
        tokens.append(found[1])
        position = found.end()
    rest = text[position:].strip()
    return [*tokens, rest] if rest else tokens


def _layout(tokens: list[str]) -> Iterator[str]:
    """The lines, made as they are wanted: many short tokens would make more than are shown."""
    depth, index, line = 0, 0, ""
    while index < len(tokens):
        piece, index = _flat(tokens, index) or (tokens[index], index + 1)
        if piece in _OPENING or piece == ",":
            yield line + piece
            depth += piece != ","
            line = _margin(depth)
        elif piece in _CLOSING:
            if line.strip():
                yield line
            depth -= 1
            line = _margin(depth) + piece
        else:
            line += ": " if piece == ":" else piece
    yield line


def _margin(depth: int) -> str:
    if depth > MAX_DEPTH:
        raise TooDeepError
    return "  " * depth


def _flat(tokens: list[str], start: int) -> tuple[str, int] | None:
    """A short list or object without another in it, on one line, and what comes after it."""
    if tokens[start] not in _OPENING:
        return None
    spaced = {",": ", ", ":": ": "}
    length = 0
    for index in range(start + 1, len(tokens)):
        token = tokens[index]
        length += len(token) + 1
        if token in _CLOSING:
            return "".join(spaced.get(each, each) for each in tokens[start : index + 1]), index + 1
        if token in _OPENING or length > MAX_FLAT:
            return None
    return None
