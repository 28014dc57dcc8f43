"""Fills a template, inside the frame of the forge."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from flask import Response, render_template, request
from markupsafe import Markup

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import facts, formats
from gitlab_mlops.blueprints.web.blueprint import asset_url
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.host import Actor
from gitlab_mlops.services.clock import now

PAGES = ("experiments", "models")
"""What the pages are called towards `Chrome.context`, which marks the entry in its navigation."""


ASSETS = ("mlops.css", "morph.js", "mlops.js")
"""What every page loads."""
HTMX = ("vendor/htmx/htmx.min.js",)
"""What a page loads besides, if it has `hx-` attributes."""


def render(
    access: ReadAccess,
    template: str,
    *,
    status: int = 200,
    assets: Sequence[str] = (),
    **shown: Any,
) -> Response:
    """Render `templates/mlops/<template>`.

    `assets` are the style sheets and scripts below `static/mlops` that the page loads besides
    `ASSETS`, in this order.

    Everything that is ours goes into the one variable `ml`, so that it cannot collide with what
    the forge's base template needs.
    """
    chrome = mounted().host.chrome
    context = dict(chrome.context(access.project, _part()))
    frame = {
        "base_template": chrome.base_template(),
        "nonce": chrome.csp_nonce(),
        "asset_url": asset_url,
        "assets": (*ASSETS, *assets),
        "status": status,
    }
    ml = _variables(access, frame | shown)
    return Response(render_template(f"mlops/{template}", **{**context, "ml": ml}), status)


def _part() -> str:
    """The entry in the forge's navigation for this request: it holds for error pages, too."""
    part = request.path.rpartition("/-/ml/")[2].partition("/")[0]
    return part if part in PAGES else PAGES[0]


def fragment(access: ReadAccess, template: str, **shown: Any) -> Markup:
    """Fill a template that is a part of a page, such as a card, without the forge's frame."""
    # Templates escape what they are given.
    return Markup(render_template(f"mlops/{template}", ml=_variables(access, shown)))  # noqa: S704


def _variables(access: ReadAccess, shown: Mapping[str, Any]) -> SimpleNamespace:
    """What templates find in `ml`."""
    host = mounted().host
    moment = now()
    return SimpleNamespace(
        project=access.project,
        links=Links.of(host, access.project),
        csrf_field=host.chrome.csrf_field,
        csrf_token=host.chrome.csrf_token,
        formats=formats,
        moment=lambda milliseconds: formats.moment(milliseconds, moment),
        started=lambda record: formats.moment(facts.started_at(record), moment),
        duration=lambda record: facts.duration(record, moment),
        status_name=facts.status_name,
        **shown,
    )


def people(ids: Collection[str | None]) -> Mapping[str, Actor]:
    """The actors of these ids, asked for at once."""
    known = {each for each in ids if each is not None}
    return mounted().host.identity.actors(known) if known else {}
