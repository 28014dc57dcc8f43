"""Previews: what the start of an artifact shows. Nothing here runs, loads or unpickles it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.blueprints.web.markdown import MAX_CHARACTERS, Resolve, render
from gitlab_mlops.blueprints.web.previews.contents import (
    Content,
    Image,
    Nothing,
    Rendered,
    Table,
    Text,
)
from gitlab_mlops.blueprints.web.previews.images import IMAGE_SUFFIXES, MAX_IMAGE_BYTES, image_type
from gitlab_mlops.blueprints.web.previews.indented import read_json
from gitlab_mlops.blueprints.web.previews.mlmodel import read_model
from gitlab_mlops.blueprints.web.previews.tables import read_csv, read_split
from gitlab_mlops.blueprints.web.previews.texts import (
    INEXACT,
    decode,
    first_lines,
    has_control,
    last_lines,
    whole_lines,
)

MAX_BYTES = 512 * 1024
"""How much of a file is read for its preview."""

SCRIPTED = frozenset(".htm .html .mht .mhtml .shtml .svg .svgz .xht .xhtml".split())
TEXT_SUFFIXES = frozenset(
    ".cfg .conf .csv .err .ini .ipynb .js .json .jsonl .jsonnet .lock .log .md .markdown .out .py "
    ".r .rst .sh .sql .tab .toml .tsv .txt .xml .yaml .yml".split()
)
"""Shown as text even if a few bytes are none; other files only if all of them are."""

HAS_SCRIPTS = (
    "HTML and SVG files can run scripts, so they are never shown on this page. Download the file "
    "and open it if you trust who logged it."
)
NO_IMAGE = "Its name says that it is an image, but its content is none that browsers show."
NO_TEXT = "There is no preview of this kind of file."


View = Literal["", "source", "end"]
"""What to show of a file: what its kind asks for, its text as it is, or the end of that."""

Reader = Callable[[str], Content | None]
"""Makes more of a text than its lines, or nothing if the text is not what its name says."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What is shown of a file, as which of the `views` that it has."""

    content: Content
    view: View = ""
    views: tuple[View, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of a file of `size` bytes, from `first` on, and the file's name."""

    name: str
    data: bytes
    size: int
    first: int = 0

    @property
    def is_cut(self) -> bool:
        """Whether the file has more than this."""
        return len(self.data) < self.size


def preview(part: Part, view: View = "", resolve: Resolve | None = None) -> Preview:
    """What to show of a file; `resolve` gives the addresses for the relative links in it."""
    suffix = PurePosixPath(part.name).suffix.lower()
    if why := _refusal(part, suffix):
        return Preview(Nothing(why))
    if image_type(part.data):
        return Preview(Image())
    is_end = view == "end"
    data = whole_lines(part.data) if is_end and part.first else part.data
    text, is_exact = decode(data, is_cut=part.is_cut and not is_end)
    if "\0" in text or (suffix not in TEXT_SUFFIXES and (not is_exact or has_control(text))):
        return Preview(Nothing(NO_TEXT))
    found = _end(text) if is_end else _beginning(text, part, _reader(part, suffix, resolve), view)
    return replace(found, content=_noted(found.content, part, is_exact=is_exact))


def _end(text: str) -> Preview:
    return Preview(last_lines(text), "end", ("", "end"))


def _beginning(text: str, part: Part, read: Reader | None, view: View) -> Preview:
    found = read(text) if read else None
    views: tuple[View, ...] = ("",) if found is None else ("", "source")
    content = first_lines(text) if found is None or view == "source" else found
    is_cut = part.is_cut or (isinstance(content, Text) and content.is_cut)
    shown = view if view in views else ""
    return Preview(content, shown, (*views, "end") if is_cut else views)


def _refusal(part: Part, suffix: str) -> str:
    """Why there is no preview, as far as that can be told before reading the text."""
    if not part.size:
        return "This file is empty."
    if image_type(part.data):
        limit = formats.size(MAX_IMAGE_BYTES)
        return f"Images over {limit} are not shown." if part.size > MAX_IMAGE_BYTES else ""
    if suffix in SCRIPTED:
        return HAS_SCRIPTS
    return NO_IMAGE if suffix in IMAGE_SUFFIXES else ""


def _reader(part: Part, suffix: str, resolve: Resolve | None) -> Reader | None:
    """What makes more of a text than its lines, if anything does."""
    is_cut = part.is_cut
    if part.name == "MLmodel":
        return None if is_cut else read_model
    return {
        ".csv": lambda text: read_csv(text, is_cut=is_cut),
        ".tsv": lambda text: read_csv(text, is_cut=is_cut, delimiter="\t"),
        ".tab": lambda text: read_csv(text, is_cut=is_cut, delimiter="\t"),
        ".json": lambda text: _read_json(text, is_cut),
        ".ipynb": lambda text: read_json(text, is_cut=is_cut),
        ".md": lambda text: _read_markdown(text, resolve),
        ".markdown": lambda text: _read_markdown(text, resolve),
    }.get(suffix)


def _read_json(text: str, is_cut: bool) -> Table | Text | None:
    return read_split(text, is_cut=is_cut) or read_json(text, is_cut=is_cut)


def _read_markdown(text: str, resolve: Resolve | None) -> Rendered:
    if len(text) <= MAX_CHARACTERS:
        return Rendered(render(text, resolve))
    shown = text[:MAX_CHARACTERS].rpartition("\n")[0]
    note = f"Only the first {len(shown):,} characters are rendered."
    return Rendered(render(shown, resolve), (note,))


def _noted(content: Content, part: Part, *, is_exact: bool) -> Content:
    """The content, with notes on the file in front of its own."""
    notes = []
    if part.is_cut:
        which = "last" if part.first else "first"
        sizes = f"{formats.size(len(part.data))} of {formats.size(part.size)}"
        notes.append(f"These are the {which} {sizes}.")
    if not is_exact:
        notes.append(INEXACT)
    return replace(content, notes=(*notes, *content.notes))
