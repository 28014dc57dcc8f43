"""Takes code out of Markdown, for forges that announce what people typed instead of HTML.

An approximation, in linear time: fenced blocks and code spans go. Indented blocks stay, since
they look like the paragraphs of a list. Too many mentions are harmless, for they are recorded of
candidates only that the author may see; no link for a reader is ever made from this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r"(?:[ \t>]|[-*+][ \t]|[0-9]{1,9}[.)][ \t])*(`{3,}|~{3,})(.*)")
_BACKTICKS = re.compile(r"(?<!\\)`+")


def without_code(text: str) -> str:
    """The text without fenced blocks and code spans."""
    return "\n\n".join(_without_spans(paragraph) for paragraph in _paragraphs(text))


def _paragraphs(text: str) -> Iterator[str]:
    """Runs of lines that are neither blank nor fenced; a code span cannot leave its run."""
    lines: list[str] = []
    fence = ""
    for line in text.splitlines():
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence) and not found[2].strip():
                fence = ""
        elif found and not (found[1][0] == "`" and "`" in found[2]):
            fence = found[1]
        elif line.strip():
            lines.append(line)
            continue
        if lines:
            yield "\n".join(lines)
            lines.clear()
    yield "\n".join(lines)


def _without_spans(paragraph: str) -> str:
    """Cut from each run of backticks to the next of the same length, if there is one."""
    runs = list(_BACKTICKS.finditer(paragraph))
    next_alike: dict[int, int] = {}
    ends: list[int | None] = [None] * len(runs)
    for index in range(len(runs) - 1, -1, -1):
        length = len(runs[index][0])
        ends[index] = next_alike.get(length)
        next_alike[length] = index
    kept, position, index = [], 0, 0
    while index < len(runs):
        end = ends[index]
        if end is not None:
            kept.append(paragraph[position : runs[index].start()])
            position, index = runs[end].end(), end
        index += 1
    # The backtick keeps what stood around the code from becoming one reference.
    return "`".join([*kept, paragraph[position:]])
