"""Puts links into HTML where it refers to candidates, for one reader."""

from __future__ import annotations

from functools import cache
from html import escape
from itertools import islice

from gitlab_mlops.host import Project
from gitlab_mlops.services.references.context import Context
from gitlab_mlops.services.references.markup import occurrences
from gitlab_mlops.services.references.resolver import Target, projects, resolve

MAX_OCCURRENCES = 5000
"""Places in one text that are looked at; a link is longer than what it stands for."""
MAX_NAME = 80
"""Characters of a candidate's name that a link shows."""


def link(html: str, context: Context) -> str:
    """The rendered and sanitized `html` with links where it refers to candidates.

    Only candidates that the context's actor may see become links. All else comes out as it came
    in, so a hidden candidate looks like one that does not exist. Made for one reader: the result
    must not be cached for another.
    """
    if "candidate" not in html:
        return html
    found = list(islice(occurrences(html, context.url_root), MAX_OCCURRENCES))
    targets = resolve(projects((each.reference for each in found), context), context)
    page_of = cache(context.host.chrome.project_url)
    pieces, position = [], 0
    for each in found:
        target = targets.get(each.reference)
        if target is not None and each.end:
            shown = _anchor(target, page_of(target.access.project), context.project)
            pieces += [html[position : each.start], shown]
            position = each.end
    return "".join([*pieces, html[position:]])


def _anchor(target: Target, page: str, here: Project) -> str:
    project = target.access.project
    path = "" if project.id == here.id else f"{project.path}/"
    label = f"candidate:{path}{target.iid}{', in trash' if target.in_trash else ''}"
    kind = "mlops-reference mlops-in-trash" if target.in_trash else "mlops-reference"
    return (
        f'<a class="{kind}" href="{escape(page)}/-/ml/candidates/{target.iid}"'
        f' data-mlops-candidate="{escape(target.eid)}">'
        # A name in a right-to-left script, or one that pretends to be, stays in its own part.
        f"<bdi>{escape(_shortened(target.name))}</bdi> <small>{escape(label)}</small></a>"
    )


def _shortened(name: str) -> str:
    words = " ".join(name.split())
    return words if len(words) <= MAX_NAME else f"{words[: MAX_NAME - 1]}…"
