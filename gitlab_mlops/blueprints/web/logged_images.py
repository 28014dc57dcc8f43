"""What the names say that MLflow's `log_image(key=, step=)` gives to its files.

MLflow 3 writes `key+step+20+timestamp+1795…+<uuid>.png`, with `~` for a slash in the key, and next
to it a small double, `…+compressed.webp`. MLflow 2 has `%` where that has `+`, so that some steps
look like escapes, and are stored as what those mean: `%20` as a space, `%30` as `0`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gitlab_mlops.storage import Entry

_LOGGED = re.compile(
    r"(?P<key>.+?)(?P<mark>[+%])step(?P<step>.{1,20}?)(?P=mark)timestamp.+", re.DOTALL
)
_DOUBLE = re.compile(r"[+%]compressed\.webp\Z")


def key_and_step(name: str) -> tuple[str, int] | None:
    """The key and the step in the name of a file; None if MLflow did not name it."""
    found = _LOGGED.fullmatch(_stem(name))
    step = _step(found["step"], found["mark"]) if found else None
    return None if found is None or step is None else (found["key"].replace("~", "/"), step)


def label(name: str) -> str:
    """The name of a file as a person would say it."""
    found = key_and_step(name)
    return name if found is None else f"{found[0]}, step {found[1]}"


def small_names(name: str) -> tuple[str, ...]:
    """What the small double of an image may be called."""
    stem = _stem(name)
    return tuple(f"{stem}{mark}compressed.webp" for mark in "+%")


def without_doubles(entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries but for the small doubles of images that are among them."""
    doubles = {found.string: found for entry in entries if (found := _DOUBLE.search(entry.name))}
    if not doubles:
        return entries
    stems = {_stem(entry.name) for entry in entries}
    gone = {name for name, found in doubles.items() if name[: found.start()] in stems}
    return [entry for entry in entries if entry.name not in gone]


def _stem(name: str) -> str:
    return name.rpartition(".")[0] or name


def _step(text: str, mark: str) -> int | None:
    # Without the mark, the first letter is what an escape of two digits became.
    digits = text[1:] if text.startswith(mark) else f"{ord(text[0]):02x}{text[1:]}"
    return int(digits) if re.fullmatch(r"-?[0-9]{1,19}", digits) else None
