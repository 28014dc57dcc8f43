"""An `MLmodel` file: which flavors a model has, what goes in and what comes out.

It is YAML that MLflow wrote, or that somebody made up. So it is read without YAML's types, which
could make objects, and without its references, which could make a small file a huge tree: every
value is the text that stands there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from gitlab_mlops.blueprints.web.formats import is_number, shortened, size
from gitlab_mlops.blueprints.web.previews.contents import Model, Schema

MAX_CHARACTERS = 128 * 1024
MAX_DEPTH = 32
MAX_FIELDS = 200
"""Inputs or outputs that are shown."""
MAX_TYPE_DEPTH = 4
MAX_VALUE = 300

PYFUNC = "python_function"
FACTS = (
    ("Made with MLflow", "mlflow_version"),
    ("Created (UTC)", "utc_time_created"),
    ("Size", "model_size_bytes"),
    ("Run ID", "run_id"),
    ("Model ID", "model_id"),
    ("Model UUID", "model_uuid"),
)
TITLES = {"inputs": "Inputs", "outputs": "Outputs", "params": "Parameters"}
EMPTY = ("", "null", "~")


def read_model(text: str) -> Model | None:
    """What the file says; None if it does not read as an `MLmodel` file."""
    said = _parsed(text) if len(text) <= MAX_CHARACTERS else None
    if said is None or not isinstance(said.get("flavors"), dict):
        return None
    flavors = [(name, _pairs(value)) for name, value in said["flavors"].items()]
    return Model(
        facts=list(_facts(said)),
        flavors=flavors[:MAX_FIELDS],
        signature=list(_signature(said.get("signature"))),
        can_predict=PYFUNC in said["flavors"],
    )


def _parsed(text: str) -> dict[str, Any] | None:
    """The file as mappings, lists and texts; None if it is nothing that MLflow writes."""
    import yaml  # a worker needs it only when somebody looks at a model

    loader = getattr(yaml, "CBaseLoader", None)  # the one in Python takes seconds
    if loader is None:
        return None
    try:
        if not _is_plain(yaml, yaml.parse(text, Loader=loader)):
            return None
        found = yaml.load(text, Loader=loader)  # noqa: S506  (it makes texts, and nothing else)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) and all(isinstance(key, str) for key in found) else None


def _is_plain(yaml: Any, events: Iterator[Any]) -> bool:
    """Whether there are no references, and no more levels than a model has."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            return False
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            return False
    return True


def _facts(said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for label, key in FACTS:
        value = said.get(key)
        if isinstance(value, str) and value not in EMPTY:
            is_size = key == "model_size_bytes" and value.isascii() and value.isdigit()
            yield label, size(int(value[:18])) if is_size else shortened(value, MAX_VALUE)
    example = said.get("saved_input_example_info")
    if isinstance(example, dict) and isinstance(path := example.get("artifact_path"), str):
        kind = example.get("type")
        about = f" ({kind})" if isinstance(kind, str) else ""
        yield "Input example", shortened(f"{path}{about}", MAX_VALUE)


def _pairs(flavor: Any) -> list[tuple[str, str]]:
    """What a flavor says, without what it leaves open."""
    if not isinstance(flavor, dict):
        return []
    found = [(str(key), _as_text(value)) for key, value in flavor.items()]
    return [(key, value) for key, value in found if value not in EMPTY][:MAX_FIELDS]


def _as_text(value: Any) -> str:
    if isinstance(value, dict):
        value = ", ".join(f"{key}: {_inner(each)}" for key, each in value.items())
    return shortened(value if isinstance(value, str) else _inner(value), MAX_VALUE)


def _inner(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _signature(signature: Any) -> Iterator[Schema]:
    if not isinstance(signature, dict):
        return
    for key, title in TITLES.items():
        fields = _fields(signature.get(key))
        if fields:
            shown = [_field(each, number) for number, each in enumerate(fields[:MAX_FIELDS])]
            yield Schema(title, shown, max(0, len(fields) - MAX_FIELDS))


def _fields(written: Any) -> list[dict[str, Any]]:
    """A schema is JSON within the YAML."""
    try:
        found = json.loads(written, parse_int=str, parse_float=str, parse_constant=str)
    except (TypeError, ValueError, RecursionError):
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _field(field: dict[str, Any], number: int) -> tuple[str, str, str]:
    name = field.get("name")
    shown = shortened(name, MAX_VALUE) if isinstance(name, str) else f"({number})"
    return shown, shortened(_type(field, 0), MAX_VALUE), _remark(field)


def _remark(field: dict[str, Any]) -> str:
    if field.get("required") is False:
        return "optional"
    default = field.get("default")
    return "" if default is None else f"default {shortened(_inner(default), MAX_VALUE)}"


def _type(field: Any, depth: int) -> str:
    """A type in words: `double`, `tensor of float32 (-1, 28, 28)`, `array of string`."""
    kind = field.get("type") if isinstance(field, dict) else field
    if not isinstance(field, dict) or not isinstance(kind, str) or depth > MAX_TYPE_DEPTH:
        return _inner(kind)
    if isinstance(tensor := field.get("tensor-spec"), dict):
        return f"tensor of {_inner(tensor.get('dtype'))} {_shape(tensor.get('shape'))}"
    for inner in ("items", "values"):
        if inner in field:
            return f"{kind} of {_type(field[inner], depth + 1)}"
    if isinstance(members := field.get("properties"), dict):
        parts = (f"{name}: {_type(each, depth + 1)}" for name, each in members.items())
        return f"{kind} ({', '.join(parts)})"
    return kind


def _shape(shape: Any) -> str:
    if not isinstance(shape, list) or not all(isinstance(each, str) for each in shape):
        return ""
    numbers = [each if is_number(each) else "?" for each in shape]
    return f"({', '.join(numbers)})"
