"""Names, tags and numbers of the model registry, by MLflow's rules and in its words."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import ValidationError

from gitlab_mlops.services.registry.aliases import LATEST
from gitlab_mlops.wire.values import invalid, missing, to_key, to_limited, to_object, to_text

MAX_NAME = 256
MAX_ALIAS = 255
MAX_TAG_VALUE = 100_000
MAX_DESCRIPTION = 100_000
MAX_LINK = 2000

_ALIAS = re.compile(r"[\w\-]+\Z")
_VERSION_ALIAS = re.compile(r"[vV]\d+\Z")
_INT32 = range(-(2**31), 2**31)
_DIGITS = 20


def to_model_name(value: Any, path: str) -> str:
    """The name of a registered model."""
    name = to_text(value, path)
    if not name.strip():
        raise missing(path)
    if "/" in name or ":" in name:
        raise ValidationError(
            f"Invalid model name '{name[:300]}'. Names cannot contain '/' or ':'."
        )
    if name == "." or name.startswith(".."):
        raise invalid(path, name, "It must be good as the name of a folder.")
    if len(name) > MAX_NAME:
        raise ValidationError(f"'{path}' exceeds the maximum length of {MAX_NAME} characters")
    return name


def to_version(value: Any, path: str) -> int:
    """The number of a version, which MLflow writes as a string."""
    text = to_text(value, path)
    try:
        version = int(text) if len(text) <= _DIGITS else None
    except ValueError:
        version = None
    if version is None:
        raise ValidationError(f"Parameter '{path}' must be an integer, got '{text[:64]}'.")
    # Out of the column's range nothing is found, and PostgreSQL would raise.
    return version if version in _INT32 else -1


def to_alias(value: Any, path: str) -> str:
    """An alias to look up or delete: `latest` too."""
    alias = to_text(value, path)
    if not _ALIAS.match(alias):
        raise ValidationError(
            f"Invalid alias name: '{alias[:300]}'. Names may only contain alphanumerics, "
            "underscores (_), and dashes (-)."
        )
    if len(alias) > MAX_ALIAS:
        raise ValidationError(f"'{path}' exceeds the maximum length of {MAX_ALIAS} characters")
    return alias


def to_new_alias(value: Any, path: str) -> str:
    """An alias to set: not one of the words that mean something else."""
    alias = to_alias(value, path)
    if alias.lower() == LATEST:
        raise ValidationError("'latest' alias name (case insensitive) is reserved.")
    if _VERSION_ALIAS.match(alias):
        raise ValidationError(f"Version alias name '{alias}' is reserved.")
    return alias


def to_registry_tag(item: Any, path: str) -> tuple[str, str]:
    """A tag of a registered model or version as (key, value)."""
    pair = to_object(item, path)
    key = to_key(pair.get("key"), f"{path}.key")
    value = pair.get("value")
    return key, to_registry_value("" if value is None else value, f"{path}.value")


def to_registry_value(value: Any, path: str) -> str:
    """The value of a tag; one that is too long is refused, because prompts are tags."""
    return to_limited(value, path, MAX_TAG_VALUE)


def to_description(value: Any, path: str) -> str:
    """A description, in Markdown."""
    return to_limited(value, path, MAX_DESCRIPTION)


def to_link(value: Any, path: str) -> str:
    """The address of a run elsewhere. It is kept and shown as text, never opened."""
    return to_limited(value, path, MAX_LINK)
