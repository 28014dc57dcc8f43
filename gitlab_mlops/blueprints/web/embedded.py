"""What the sections that the forge puts onto its own pages have in common."""

from __future__ import annotations

from gitlab_mlops.access import ReadAccess, grant_or_none
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.host import Actor, Project

MAX_SHOWN = 50
"""Candidates in one section."""


def read_access(actor: Actor | None, project: Project | None) -> ReadAccess | None:
    """Access for the reader of the forge's page; None if the project is missing or hidden."""
    mount = mounted()
    return grant_or_none(ReadAccess, mount.host, mount.settings, actor, project)
