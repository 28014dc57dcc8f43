"""The words of MLflow's filter language, read from left to right in linear time.

MLflow hands filters to the package sqlparse, so a few of its habits are part of the language:
a quote inside a literal is doubled or follows a backslash, and either is kept as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from gitlab_mlops.errors import Invalid

MAX_LENGTH = 400_000
"""Longest filter in characters: room for a list of 10,000 run ids."""

_SHOWN = 60

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"\w+")
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![\w.])")
_OPERATOR = re.compile(r"[<>=!~]+")
# What can end a literal in each kind of quotes, or seem to.
_ENDINGS = {
    "'": re.compile(r"\\?'+"),
    '"': re.compile(r'\\?"+'),
    "`": re.compile(r"`+"),
}


class FilterError(Invalid):
    """A filter or order breaks the grammar, `position` characters from its start."""

    def __init__(self, why: str, position: int, what: str = "filter") -> None:
        """Say `why`, and where in `what`."""
        super().__init__(f"Invalid {what} at character {position + 1}: {why}")
        self.position = position


class Kind(Enum):
    """What a token is; the values are words for messages."""

    NAME = "a name"
    TEXT = "a text"
    NUMBER = "a number"
    OPERATOR = "an operator"
    OPEN = "'('"
    CLOSE = "')'"
    COMMA = "','"
    END = "the end"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a filter as it was typed; `position` is its first character.

    A NAME is a dotted name with its quotes. A text in double quotes is a NAME too, because only
    its place in the filter tells them apart.
    """

    kind: Kind
    text: str
    position: int

    @property
    def word(self) -> str:
        """The token in capitals, to compare with keywords."""
        return self.text.upper() if self.kind is Kind.NAME else ""

    def __str__(self) -> str:
        """The token for a message: shortened, and named if there is nothing to show."""
        if self.kind is Kind.END:
            return "the end of it"
        return self.text if len(self.text) <= _SHOWN else self.text[:_SHOWN] + "…"


_MARKS = {"(": Kind.OPEN, ")": Kind.CLOSE, ",": Kind.COMMA}


def tokens(text: str, what: str = "filter") -> Iterator[Token]:
    """The tokens of a filter or order, an END last; raises `FilterError`, which names `what`."""
    _check_characters(text, what)
    position = 0
    while (position := _skip_space(text, position)) < len(text):
        kind, end = _token_at(text, position, what)
        yield Token(kind, text[position:end], position)
        position = end
    yield Token(Kind.END, "", position)


def unquoted(text: str, quotes: str) -> str | None:
    """What is between the quotes, if the text is in quotes of one of these kinds; else None."""
    if len(text) >= 2 and text[0] in quotes and text[0] == text[-1]:
        return text[1:-1]
    return None


def _check_characters(text: str, what: str) -> None:
    if len(text) > MAX_LENGTH:
        raise FilterError(
            f"it is too long: {len(text)} characters; at most {MAX_LENGTH} are allowed.",
            MAX_LENGTH,
            what,
        )
    if (position := text.find("\x00")) >= 0:
        raise FilterError("NUL characters are not allowed.", position, what)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FilterError("half a surrogate pair is no character.", error.start, what) from None


def _skip_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _token_at(text: str, position: int, what: str) -> tuple[Kind, int]:
    character = text[position]
    if character == "'":
        return Kind.TEXT, _quote_end(text, position, what)
    if kind := _MARKS.get(character):
        return kind, position + 1
    if found := _NUMBER.match(text, position):
        return Kind.NUMBER, found.end()
    if found := _OPERATOR.match(text, position):
        return Kind.OPERATOR, found.end()
    end = _part_end(text, position, what, '"`')
    if end == position:
        raise FilterError(
            f"{character!r} is not part of the language; a name with such characters stands in "
            "backticks or double quotes, a text in single or double quotes.",
            position,
            what,
        )
    return Kind.NAME, _name_end(text, end, what)


def _name_end(text: str, position: int, what: str) -> int:
    while text.startswith(".", position):
        position = _part_end(text, position + 1, what, "\"`'")
    return position


def _part_end(text: str, position: int, what: str, quotes: str) -> int:
    """Where the part of a name that starts here ends: here, if there is none."""
    if position < len(text) and text[position] in quotes:
        return _quote_end(text, position, what)
    found = _WORD.match(text, position)
    return found.end() if found else position


def _quote_end(text: str, start: int, what: str) -> int:
    """The position after the quote that closes the one at `start`.

    A quote after a backslash closes the literal only if no other quote does, as in `'C:\\'`.
    """
    fallback = None
    for found in _ENDINGS[text[start]].finditer(text, start + 1):
        run = found.group()
        if run[0] == "\\":
            # The escaped quote, then pairs of quotes, then perhaps the one that closes.
            fallback, run = found.start() + 2, run[2:]
        if len(run) % 2:
            return found.end()
        if run:
            fallback = None
    if fallback is None:
        raise FilterError(f"the quote {text[start]} is never closed.", start, what)
    return fallback
