"""How values are written on pages: numbers, times, durations, sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime

DIGITS = 6
"""Significant digits of a metric; the exact value is in the title."""
# Beyond this a float no longer holds every whole number, so its digits would be made up.
MAX_WHOLE = 2**53

_UNITS = (
    ("year", 31_536_000),
    ("month", 2_592_000),
    ("day", 86_400),
    ("hour", 3600),
    ("minute", 60),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment for `<time>`: `iso` for machines (empty if it is no date), `text`, `age`."""

    iso: str
    text: str
    age: str


def number(value: float) -> str:
    """A metric's value: whole numbers plainly, others to six significant digits."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == int(value) and abs(value) <= MAX_WHOLE:
        return str(int(value))
    return f"{value:.{DIGITS}g}"


def exact(value: float) -> str:
    """A metric's value with all its digits."""
    return number(value) if not math.isfinite(value) or value == int(value) else repr(value)


def is_number(text: str) -> bool:
    """Whether a parameter reads as a number, and so belongs to the right of its column."""
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text


def moment(milliseconds: int, now: int) -> Moment:
    """A time in milliseconds since 1970, in UTC; clients may send any int64."""
    try:
        time = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return Moment("", f"{milliseconds} ms", "")
    iso = time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Moment(iso, f"{time:%Y-%m-%d %H:%M} UTC", age(now - milliseconds))


def age(milliseconds: int) -> str:
    """How long ago something was, in its largest unit; clocks of clients may be ahead."""
    seconds = abs(milliseconds) // 1000
    for unit, length in _UNITS:
        if count := seconds // length:
            words = f"{count:,} {unit}{'s' if count > 1 else ''}"
            return f"{words} ago" if milliseconds > 0 else f"in {words}"
    return "just now"


def duration(milliseconds: int) -> str:
    """A length of time in its two largest units; nothing for a negative one."""
    if milliseconds < 0:
        return ""
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days:,} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def size(count: int) -> str:
    """A number of bytes, in units of 1,024."""
    if count < 1024:
        return f"{count} B"
    amount = float(count)
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        amount /= 1024
        if amount < 1000 or unit == "TiB":
            break
    return f"{amount:.1f} {unit}" if amount < 100 else f"{amount:,.0f} {unit}"


def named(name: str) -> str:
    """A name to show and to click on; a blank one would be a link without text."""
    return name if name.strip() else "(no name)"


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun: `1 candidate`, `1,234 candidates`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def shortened(text: str, length: int) -> str:
    """The text, cut to so many characters."""
    return text if len(text) <= length else text[: length - 1] + "…"
