"""What a preview can show. The templates `preview_<kind>.html` have a way for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Text:
    """Lines of text, numbered from 1 if they are the first ones; `is_cut` if not all of them.

    `notes`, here and below, say what is missing.
    """

    kind: ClassVar[str] = "text"
    lines: list[str]
    notes: tuple[str, ...] = ()
    is_cut: bool = False
    is_numbered: bool = True


@dataclass(frozen=True, slots=True)
class Rendered:
    """A Markdown document as safe HTML."""

    kind: ClassVar[str] = "markdown"
    html: Markup
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, each as long as `columns`; a cell is None where there is no value.

    `numeric` tells of each column whether all its values are numbers.
    """

    kind: ClassVar[str] = "table"
    columns: list[str]
    rows: list[list[str | None]]
    numeric: list[bool]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """The inputs, outputs or parameters of a model: (name, type, remark) of each."""

    title: str
    fields: list[tuple[str, str, str]]
    hidden: int


@dataclass(frozen=True, slots=True)
class Model:
    """What an `MLmodel` file says of the model in its folder."""

    kind: ClassVar[str] = "model"
    facts: list[tuple[str, str]]
    flavors: list[tuple[str, list[tuple[str, str]]]]
    signature: list[Schema]
    can_predict: bool
    """Whether it has the flavor that `mlflow.pyfunc` loads."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """A picture that browsers show."""

    kind: ClassVar[str] = "image"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Nothing:
    """No preview, and why."""

    kind: ClassVar[str] = "nothing"
    why: str
    notes: tuple[str, ...] = ()


Content = Text | Rendered | Table | Model | Image | Nothing
