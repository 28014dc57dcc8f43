"""Finds where our answers are not those of stock, and says so readably."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .normalise import Plain, normalised
from .replay import Answer, Replay
from .wanted import Wanted

SHOWN_PATHS = 8
SHOWN_LENGTH = 300


def mismatches(stock: Replay, ours: Replay, wanted: Mapping[str, Wanted]) -> list[str]:
    pairs = zip(stock.answers, normalised(stock), normalised(ours), strict=True)
    found = (
        mismatch(answer, theirs, mine, wanted.get(answer.call.name))
        for answer, theirs, mine in pairs
    )
    return [text for text in found if text]


def mismatch(answer: Answer, stock: Plain, ours: Plain, wanted: Wanted | None) -> str:
    expected = wanted.expected(stock) if wanted else stock
    if wanted and ours == stock:
        return headline(answer) + f"\n  no difference any more; it was: {wanted.reason}"
    if ours == expected:
        return ""
    lines = [headline(answer), *list(differing("", expected, ours))[:SHOWN_PATHS]]
    if wanted:
        lines.append(f"  although a difference is wanted: {wanted.reason}")
    return "\n".join(lines)


def headline(answer: Answer) -> str:
    call = answer.call
    return f"{call.name}\n  {call.method} {shown(answer.sent.get('path'))} " + shown(
        answer.sent.get("body") or ""
    )


def differing(path: str, stock: Any, ours: Any) -> Iterator[str]:
    """One line per value that differs, with the path to it."""
    if isinstance(stock, dict) and isinstance(ours, dict):
        for key in {**stock, **ours}:
            yield from differing(f"{path}.{key}", stock.get(key, ...), ours.get(key, ...))
    elif isinstance(stock, list) and isinstance(ours, list) and len(stock) == len(ours):
        for index, (one, other) in enumerate(zip(stock, ours, strict=True)):
            yield from differing(f"{path}.{index}", one, other)
    elif stock != ours:
        yield f"  {path.lstrip('.')}\n    stock: {shown(stock)}\n    ours:  {shown(ours)}"


def shown(value: Any) -> str:
    text = "nothing" if value is ... else value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "…"


def report(found: Sequence[str], total: int) -> str:
    return f"{len(found)} of {total} answers are not as wanted:\n\n" + "\n\n".join(found)
