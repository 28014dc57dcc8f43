"""Notes of the forge under a text that has begun to mention candidates."""

from __future__ import annotations

from collections.abc import Sequence

from gitlab_mlops.access import ReadAccess, can
from gitlab_mlops.host import Project, Source
from gitlab_mlops.services.references import Context
from gitlab_mlops.services.references.resolver import Target

MAX_NAMED = 10
"""Candidates that one note names."""


def post(source: Source, targets: Sequence[Target], context: Context) -> None:
    """Write one note about all candidates that `source` mentions now and did not before.

    Whoever sees the source sees the note, and that it is there says that the candidates exist. So
    it is about the candidates of the source's own project, and of those that everybody may read.
    """
    references, actor = context.host.references, context.actor
    if not context.settings.system_notes or references is None or actor is None:
        return
    projects = {target.access.project for target in targets}
    told = {project for project in projects if _may_be_told(project, context)}
    named = [
        f"[candidate:{target.access.project.path}/{target.iid}]"
        for target in targets
        if target.access.project in told
    ]
    if named:
        more = len(named) - MAX_NAMED
        shown = [*named[:MAX_NAMED], *([f"{more} more"] if more > 0 else [])]
        references.post_system_note(actor, source, f"mentioned {', '.join(shown)}")


def _may_be_told(project: Project, context: Context) -> bool:
    own = project.id == context.project.id
    return own or can(ReadAccess, context.host, context.settings, None, project)
