"""Puts links into HTML where it refers to candidates, experiments and models, for one reader."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from itertools import islice
from urllib.parse import urljoin

from gitlab_mlops.host import Project
from gitlab_mlops.services.references.context import Context
from gitlab_mlops.services.references.markup import occurrences
from gitlab_mlops.services.references.resolver import Target, projects, resolve
from gitlab_mlops.services.references.syntax import Kind

MAX_OCCURRENCES = 5000
"""Places in one text that are looked at; a link is longer than what it stands for."""
MAX_NAME = 80
"""Characters of a name that a link shows."""
_ANY = re.compile("|".join(Kind))


def link(html: str, context: Context, *, external: bool = False) -> str:
    """The rendered and sanitized `html` with links where it refers to something.

    Only what the context's actor may see becomes links. All else comes out as it came in, so what
    is hidden looks like what does not exist. Made for one reader: the result must not be cached
    for another. `external` links work outside of the forge's pages, such as in mail; there are
    none if nobody says where the forge is.
    """
    if not _ANY.search(html) or (external and not context.url_root):
        return html
    found = list(islice(occurrences(html, context.url_root), MAX_OCCURRENCES))
    targets = resolve(projects((each.reference for each in found), context), context)
    page_of = cache(context.host.chrome.project_url)
    root = context.url_root if external else ""
    pieces, position = [], 0
    for each in found:
        target = targets.get(each.reference)
        if target is not None and each.end:
            page = f"{page_of(target.access.project)}/-/ml/{target.page}"
            shown = _anchor(target, urljoin(root, page), context.project, has_card=not external)
            pieces += [html[position : each.start], shown]
            position = each.end
    return "".join([*pieces, html[position:]])


def _anchor(target: Target, url: str, here: Project, *, has_card: bool) -> str:
    project = target.access.project
    path = "" if project.id == here.id else f"{project.path}/"
    label = f"{target.kind}:{path}{target.label}{', in trash' if target.in_trash else ''}"
    kind = "mlops-reference mlops-in-trash" if target.in_trash else "mlops-reference"
    card = f' data-mlops-card="{escape(url)}/card"' if has_card else ""
    return (
        f'<a class="{kind}" href="{escape(url)}"{card}>'
        # A name in a right-to-left script, or one that pretends to be, stays in its own part.
        f"<bdi>{escape(_shortened(target.name))}</bdi> <small>{escape(label)}</small></a>"
    )


def _shortened(name: str) -> str:
    words = " ".join(name.split())
    return words if len(words) <= MAX_NAME else f"{words[: MAX_NAME - 1]}…"
