"""What a comment box of the forge completes: candidates and experiments, by number or name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flask import Response

from gitlab_mlops.access import ReadAccess, grant
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import formats, state
from gitlab_mlops.blueprints.web.facts import status_name
from gitlab_mlops.blueprints.web.page import page
from gitlab_mlops.errors import Forbidden, NotFound, Unauthenticated
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.suggestions import (
    Suggestion,
    suggest_candidates,
    suggest_experiments,
)
from gitlab_mlops.wire import json

MAX_TYPED = 250
"""Characters of a name that are looked for; more than these are no name."""


def _no_models(_access: ReadAccess, _typed: str) -> list[Suggestion]:
    """There are no registered models yet."""
    return []


SUGGEST: dict[str, Callable[[ReadAccess, str], list[Suggestion]]] = {
    "candidate": suggest_candidates,
    "experiment": suggest_experiments,
    "model": _no_models,
}


@page("/suggestions", access=ReadAccess)
def suggestions(access: ReadAccess) -> Response:
    """What `q` may mean in a text of this project, as JSON; in that of `path`, if it is given.

    A project that is hidden has none, as one that does not exist.
    """
    kind = state.choice("kind", tuple(SUGGEST))
    there = _in_project(access, state.text("path"))
    typed = state.text("q")[:MAX_TYPED]
    found = SUGGEST[kind](there, typed) if there is not None else ()
    path = f"{there.project.path}/" if there and there.project.id != access.project.id else ""
    answer = {"suggestions": list(_shown(kind, path, found))}
    return Response(json.dumps(answer), mimetype="application/json")


def _in_project(access: ReadAccess, path: str) -> ReadAccess | None:
    """The reader's access to the project of this path, or None if there is none to see."""
    mount = mounted()
    if not path or path == access.project.path:
        return access
    project = mount.host.projects.by_path(path) if path.isprintable() else None
    try:
        return grant(ReadAccess, mount.host, mount.settings, access.actor, project)
    except (NotFound, Forbidden, Unauthenticated):
        return None


def _shown(kind: str, path: str, found: Iterable[Suggestion]) -> Iterable[dict[str, str]]:
    moment = now()
    for each in found:
        status = (status_name(each.status),) if each.status else ()
        age = formats.age(moment - each.started_at)
        yield {
            "text": f"[{kind}:{path}{each.iid}]",
            "label": f"{path}{each.iid}",
            "name": formats.named(each.name),
            "detail": " · ".join(part for part in (each.experiment_name, *status, age) if part),
        }
