"""Who reads a text, and where: what its references mean depends on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gitlab_mlops.host import Actor, Host, Project
from gitlab_mlops.settings import Settings


@dataclass(frozen=True, slots=True)
class Context:
    """`actor` (None: anonymous) reads or writes a text in `project`.

    `url_root` is where the forge is (`request.url_root`); empty, full URLs are not recognised.
    `converters` are the application's own for its URL rules (`app.url_map.converters`).
    """

    actor: Actor | None
    project: Project
    host: Host
    settings: Settings
    url_root: str = ""
    converters: Mapping[str, Any] = field(default_factory=dict)
