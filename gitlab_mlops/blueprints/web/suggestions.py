"""What a comment box of the forge completes: references, by number or name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from flask import Response

from gitlab_mlops.access import ReadAccess, grant_or_none
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import formats, state
from gitlab_mlops.blueprints.web.facts import status_name
from gitlab_mlops.blueprints.web.page import page
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.references.syntax import references
from gitlab_mlops.services.suggestions import (
    ModelSuggestion,
    Suggestion,
    suggest_candidates,
    suggest_experiments,
    suggest_models,
    suggest_versions,
)
from gitlab_mlops.wire import json

MAX_TYPED = 250
"""Characters of a name that are looked for; more than these are no name."""


SUGGEST: dict[str, Callable[[ReadAccess, str], Sequence[Suggestion | ModelSuggestion]]] = {
    "candidate": suggest_candidates,
    "experiment": suggest_experiments,
    "model": suggest_models,
}


@page("/suggestions", access=ReadAccess)
def suggestions(access: ReadAccess) -> Response:
    """What `q` may mean in a text of this project, as JSON; in that of `path`, if it is given.

    A project that is hidden has none, as one that does not exist.
    """
    kind = state.choice("kind", tuple(SUGGEST))
    path, typed = state.text("path"), state.text("q")[:MAX_TYPED]
    there = _in_project(access, path)
    found = SUGGEST[kind](there, typed) if there is not None else ()
    if kind == "model" and path and not found:
        # What stands before the last slash may as well be a model, with or without a project.
        path, _, name = path.rpartition("/")
        there = _in_project(access, path)
        found = suggest_versions(there, name, typed) if there is not None else ()
    path = f"{there.project.path}/" if there and there.project.id != access.project.id else ""
    answer = {"suggestions": list(_shown(kind, path, found))}
    return Response(json.dumps(answer), mimetype="application/json")


def _in_project(access: ReadAccess, path: str) -> ReadAccess | None:
    """The reader's access to the project of this path, or None if there is none to see."""
    mount = mounted()
    if not path or path == access.project.path:
        return access
    project = mount.host.projects.by_path(path) if path.isprintable() else None
    return grant_or_none(ReadAccess, mount.host, mount.settings, access.actor, project)


def _shown(
    kind: str, path: str, found: Iterable[Suggestion | ModelSuggestion]
) -> Iterable[dict[str, str]]:
    moment = now()
    for each in found:
        text = f"[{kind}:{path}{each.label}]"
        # The name of a model may be one that only an address can name.
        if isinstance(each, ModelSuggestion) and not _means(text, each):
            continue
        yield {
            "text": text,
            "label": f"{path}{each.label}",
            "name": formats.named(each.name),
            "detail": " · ".join(filter(None, _details(each, moment))),
        }


def _details(each: Suggestion | ModelSuggestion, moment: int) -> Iterable[str]:
    if isinstance(each, ModelSuggestion):
        yield "prompt" if each.is_prompt else ""
        yield f"version {each.version}" if each.version else "no version"
        yield formats.age(moment - each.changed_at)
    else:
        yield each.experiment_name
        yield status_name(each.status) if each.status else ""
        yield formats.age(moment - each.started_at)


def _means(text: str, model: ModelSuggestion) -> bool:
    return [each.name for each in references(text, "")] == [model.name]
