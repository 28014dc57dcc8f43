"""Schemas and profiles of datasets: JSON that MLflow's clients send as text, read for people.

A client may send anything. What is not as MLflow writes it (`mlflow.data`, `mlflow.types.schema`)
is answered with None, and the reader is shown the text itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

MAX_CHARACTERS = 200_000
"""A longer text is not read."""
MAX_ROWS = 500
MAX_DEPTH = 4
"""Types in types that are spelled out."""
MAX_TYPE = 200
"""Characters of a type or a name."""


class Column(NamedTuple):
    """A column, or a tensor, of a dataset. `is_optional`: it may be missing."""

    name: str
    type: str
    is_optional: bool


def columns(schema: str) -> list[Column] | None:
    """The columns of a schema, at most `MAX_ROWS`; None if it is not as MLflow writes it."""
    said = _load(schema)
    if not isinstance(said, dict):
        return None
    if isinstance(said.get("mlflow_colspec"), list):
        return _columns(said["mlflow_colspec"])
    if isinstance(said.get("mlflow_tensorspec"), dict):
        return _tensors(said["mlflow_tensorspec"])
    return None


def profile(text: str) -> list[tuple[str, str]] | None:
    """The (name, value) pairs of a profile; None if it is not as MLflow writes it."""
    said = _load(text)
    if not isinstance(said, dict) or not said:
        return None
    return [(name, _plain(value)) for name, value in list(said.items())[:MAX_ROWS]]


def _load(text: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _columns(said: list[Any]) -> list[Column] | None:
    if not all(isinstance(each, dict) and "type" in each for each in said):
        return None
    return [
        Column(
            str(each.get("name") or f"column {number}")[:MAX_TYPE],
            _type(each)[:MAX_TYPE],
            each.get("required") is False,
        )
        for number, each in enumerate(said[:MAX_ROWS], start=1)
    ]


def _type(said: Any, depth: int = 0) -> str:
    """A type in words, such as `array of long`."""
    if not isinstance(said, dict) or not isinstance(said.get("type"), str):
        return "unknown"
    kind: str = said["type"]
    if depth < MAX_DEPTH and kind == "array":
        return f"array of {_type(said.get('items'), depth + 1)}"
    if depth < MAX_DEPTH and kind == "map":
        return f"map of {_type(said.get('values'), depth + 1)}"
    inside = said.get("properties")
    if depth < MAX_DEPTH and isinstance(inside, dict):
        parts = (f"{name}: {_type(each, depth + 1)}" for name, each in list(inside.items())[:20])
        return f"{kind} ({', '.join(parts)})"
    return kind


def _tensors(said: dict[str, Any]) -> list[Column] | None:
    """The tensors of the features and of the targets, each of which is JSON in JSON."""
    found = [column for role in ("features", "targets") for column in _of_role(role, said)]
    return found[:MAX_ROWS] or None


def _of_role(role: str, said: dict[str, Any]) -> Iterator[Column]:
    specs = _load(said[role]) if isinstance(said.get(role), str) else None
    for each in specs if isinstance(specs, list) else []:
        spec = each.get("tensor-spec") if isinstance(each, dict) else None
        if isinstance(spec, dict):
            name = f"{role}: {each['name']}" if each.get("name") else role
            yield Column(name, f"{spec.get('dtype')} {_shape(spec.get('shape'))}"[:MAX_TYPE], False)


def _shape(said: Any) -> str:
    if not isinstance(said, list):
        return ""
    return "x".join("any" if each == -1 else str(each) for each in said[:20])


def _plain(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text[:MAX_TYPE]
