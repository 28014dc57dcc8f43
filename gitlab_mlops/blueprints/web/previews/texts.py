"""Bytes to text, and text to lines that a page can bear."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from gitlab_mlops.blueprints.web.formats import plural
from gitlab_mlops.blueprints.web.previews.contents import Text

MAX_LINES = 5000
MAX_LINE = 2000
"""Characters of a line that are shown."""

INEXACT = "Some bytes are no valid text; they are shown as \ufffd."

# UTF-16 begins with a mark, or else it cannot be told from anything.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BREAK = re.compile("\r\n|\r|\n")
_TERMINAL = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_HALF_LETTER = re.compile(rb"\A[\x80-\xbf]{1,3}")
_CONTROL = re.compile("[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f-\x9f]")
_PICTURES = {code: 0x2400 + code for code in range(32) if code != 9} | {127: 0x2421}


def decode(data: bytes, *, is_cut: bool) -> tuple[str, bool]:
    """The text of `data`, and whether all of it was valid. The end may be half a letter if cut."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    decoder = codecs.getincrementaldecoder(encoding)
    try:
        return decoder("strict").decode(data, final=not is_cut), True
    except UnicodeDecodeError:
        return decoder("replace").decode(data, final=True), False


def has_control(text: str) -> bool:
    """Whether there are control characters that no text has, but bytes of other kinds do."""
    return _CONTROL.search(text) is not None


def first_lines(text: str) -> Text:
    """The first lines of a text, without the colours of a terminal."""
    return cut_lines(_lines(text))


def last_lines(text: str) -> Text:
    """The last lines of a text."""
    lines = _lines(text)
    found = cut_lines(lines[-MAX_LINES:])
    note = (f"Only the last {MAX_LINES:,} lines are shown.",) if len(lines) > MAX_LINES else ()
    return replace(found, notes=(*note, *found.notes), is_numbered=False)


def whole_lines(data: bytes) -> bytes:
    """The bytes without the rest of a line, or at least of a letter, at their beginning."""
    cut = data.find(b"\n") + 1
    return data[cut:] if 0 < cut < len(data) else _HALF_LETTER.sub(b"", data, count=1)


def cut_lines(lines: Iterable[str]) -> Text:
    """The lines that a page has room for, with a note if those are not all."""
    shown = list(islice(lines, MAX_LINES + 1))
    is_cut = len(shown) > MAX_LINES
    notes = [f"Only the first {MAX_LINES:,} lines are shown."] if is_cut else []
    if long := sum(len(line) > MAX_LINE for line in shown[:MAX_LINES]):
        notes.append(f"{plural(long, 'line')} cut after {MAX_LINE:,} characters.")
    return Text([_bearable(line) for line in shown[:MAX_LINES]], tuple(notes), is_cut)


def _lines(text: str) -> list[str]:
    lines = _BREAK.split(_TERMINAL.sub("", text))
    if len(lines) > 1 and not lines[-1]:
        lines.pop()  # the last line is ended, and that begins no other
    return lines


def _bearable(line: str) -> str:
    cut = line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]}…"
    return cut.translate(_PICTURES)
