"""The models that a run logged, as MLflow 2 notes them in a tag of the run.

A client may have set the tag to anything; what is not as MLflow writes it is left out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

MAX_CHARACTERS = 200_000
"""A longer tag is not read."""
MAX_MODELS = 100
PYTHON = "python_function"
"""The flavor that every model in Python has besides its own."""


class LoggedModel(NamedTuple):
    """A model among the artifacts; `flavors` with their versions, such as `sklearn 1.5.0`."""

    path: str
    flavors: list[str]
    python: str


def models_of(tag: str) -> list[LoggedModel]:
    """The models that the tag tells of, the latest of each path, in the order of their logging."""
    try:
        said = orjson.loads(tag) if len(tag) <= MAX_CHARACTERS else None
    except orjson.JSONDecodeError:
        said = None
    listed = said if isinstance(said, list) else []
    found = [_model(each) for each in listed if isinstance(each, dict)]
    latest = {each.path: each for each in found if each is not None}
    return list(latest.values())[:MAX_MODELS]


def _model(said: dict[str, Any]) -> LoggedModel | None:
    path, flavors = said.get("artifact_path"), said.get("flavors")
    if not isinstance(path, str) or not path or not isinstance(flavors, dict):
        return None
    own = [_flavor(name, config) for name, config in flavors.items() if name != PYTHON]
    return LoggedModel(path, own[:10], _text(flavors.get(PYTHON), "python_version"))


def _flavor(name: str, config: Any) -> str:
    return f"{name} {_text(config, f'{name}_version')}".strip()[:80]


def _text(config: Any, name: str) -> str:
    value = config.get(name) if isinstance(config, dict) else None
    return value[:40] if isinstance(value, str) else ""
