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
    rows = zip(ours.answers, normalised(stock), normalised(ours), strict=True)
    found = (mismatch(*row, wanted.get(row[0].call.name)) for row in rows)
    return [text for text in found if text]


def mismatch(answer: Answer, stock: Plain, ours: Plain, wanted: Wanted | None) -> str:
    """What is wrong with our answer, or nothing."""
    if wanted is None:
        lines = list(differing("", stock, ours, "stock"))
    elif ours == stock:
        lines = [f"  no difference any more; it was: {wanted.reason}"]
    else:
        lines = list(differing("", wanted.expected(stock), wanted.seen(ours), "wanted"))
        lines += [f"  the difference that is wanted: {wanted.reason}"] if lines else []
    return "\n".join([*headline(answer), *lines[:SHOWN_PATHS]]) if lines else ""


def headline(answer: Answer) -> Iterator[str]:
    yield answer.call.name
    yield f"  {answer.call.method} {shown(answer.sent.get('path', ''))}"
    if answer.sent.get("body"):
        yield f"  {shown(answer.sent['body'])}"
    body = answer.json()
    if isinstance(body, dict) and "message" in body:
        yield f"  we say: {shown(body['message'])}"


def differing(path: str, other: Any, ours: Any, whose: str) -> Iterator[str]:
    """One line per value that differs, with the path to it."""
    if isinstance(other, dict) and isinstance(ours, dict):
        for key in {**other, **ours}:
            yield from differing(f"{path}.{key}", other.get(key, ...), ours.get(key, ...), whose)
    elif isinstance(other, list) and isinstance(ours, list) and len(other) == len(ours):
        for index, (one, mine) in enumerate(zip(other, ours, strict=True)):
            yield from differing(f"{path}.{index}", one, mine, whose)
    elif other != ours:
        yield f"  {path.lstrip('.')}\n    {whose}: {shown(other)}\n    ours: {shown(ours)}"


def shown(value: Any) -> str:
    text = "nothing" if value is ... else value if isinstance(value, str) else repr(value)
    return text if len(text) <= SHOWN_LENGTH else text[:SHOWN_LENGTH] + "…"


def report(found: Sequence[str], total: int) -> str:
    return f"{len(found)} of {total} answers are not as wanted:\n\n" + "\n\n".join(found)
