"""The URI that a client gives as the source of a version, taken apart. It is never opened."""

from __future__ import annotations

import re
from typing import Any

from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.registry.sources import (
    ArtifactPath,
    LoggedModelName,
    Placeholder,
    RunFolder,
    Source,
    VersionName,
    wrong_source,
)
from gitlab_mlops.wire import paths
from gitlab_mlops.wire.registry_values import to_version
from gitlab_mlops.wire.values import to_text

PLACEHOLDERS = frozenset({"dummy-source", "prompt-template"})
"""What MLflow's clients and servers send as the source of a prompt, which has no files."""
MAX_LENGTH = 2000

_ADDRESS = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):/(?!/)(.+)", re.DOTALL)
_KNOWN = (
    "It must be runs:/<run id>/<path>, models:/<logged model id>, models:/<name>/<version>, "
    "models:/<name>@<alias> or mlflow-artifacts:/<path>, of this project."
)


def to_source(value: Any, path: str) -> Source:
    """What a source names; raise `Invalid` for any other address, wherever it leads."""
    text = to_text(value, path)
    if text in PLACEHOLDERS:
        return Placeholder(text)
    address = _ADDRESS.fullmatch(text) if len(text) <= MAX_LENGTH else None
    parse = _PARSERS.get(address[1].lower()) if address else None
    if address is None or parse is None:
        raise wrong_source(text, _KNOWN)
    return parse(text, address[2])


def _run(text: str, rest: str) -> Source:
    eid, _, path = rest.partition("/")
    return RunFolder(text, eid, _plain(text, path))


def _model(text: str, rest: str) -> Source:
    name, slash, suffix = rest.partition("/")
    if not name.strip() or "/" in suffix or (slash and not suffix.strip()):
        raise wrong_source(text, _KNOWN)
    if not slash:
        name, at, alias = rest.rpartition("@")
        if not at:
            return LoggedModelName(text, rest)
        if not name or not alias.strip():
            raise wrong_source(text, _KNOWN)
        return VersionName(text, name, alias=alias)
    if suffix.isascii() and suffix.isdigit():
        return VersionName(text, name, version=to_version(suffix, "source"))
    return VersionName(text, name, stage="" if suffix.lower() == "latest" else suffix)


def _artifact(text: str, rest: str) -> Source:
    return ArtifactPath(text, _plain(text, rest))


def _plain(text: str, path: str) -> str:
    try:
        return paths.to_read(path)
    except Invalid as error:
        raise wrong_source(text, str(error)) from None


_PARSERS = {"runs": _run, "models": _model, "mlflow-artifacts": _artifact}
