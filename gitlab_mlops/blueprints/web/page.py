"""`@page`: a page of a project as a declaration. Resolve, grant, render, commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from typing import Any, Literal, TypeVar

from flask import Response, request

from gitlab_mlops.access import ReadAccess, grant
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import failures
from gitlab_mlops.blueprints.web.blueprint import pages
from gitlab_mlops.errors import Forbidden
from gitlab_mlops.host import Project
from gitlab_mlops.mount import Mount

V = TypeVar("V", bound=Callable[..., Response])

CANDIDATE = "/candidates/<int(max=2147483647):candidate_iid>"
"""Rule of a candidate's page. A larger number would be an error in PostgreSQL."""
EXPERIMENT = "/experiments/<int(max=2147483647):experiment_iid>"
"""Rule of an experiment's page."""
LOGGED_MODEL = "/logged_models/<model_id>"
"""Rule of the pages of a logged model."""
MODEL = "/models/<model_name>"
"""Rule of a registered model's page. A name has no slash, and may have anything else."""
VERSION = f"{MODEL}/versions/<int(max=2147483647):version>"
"""Rule of the page of a version."""
WEBHOOK = "/webhooks/<uuid:webhook_id>"
"""Rule of a webhook's page."""
EXPIRED = "This form has expired. Go back, reload the page, and send it again."


@dataclass(frozen=True, slots=True)
class Route:
    """One declared page or form, for the tests that walk all of them."""

    method: str
    rule: str
    access: type[ReadAccess]


ROUTES: list[Route] = []
"""Every page and form declared with `@page`; rules are below the project's URL."""


def page(
    rule: str, *, access: type[ReadAccess], method: Literal["GET", "POST"] = "GET"
) -> Callable[[V], V]:
    """Declare a page, or with POST where a form goes, below the project's `/-/ml`.

    The view gets the granted access, and the variables of the rule that it has parameters for;
    the others are the forge's and name the project. `access` has no default: a page that forgets
    it fails at import. A form's address ends in one word more than the page it is on.
    """

    def declare(view: V) -> V:
        own = list(signature(view).parameters)[1:]

        @wraps(view)
        def respond(**values: Any) -> Response:
            arguments = {name: values.pop(name) for name in own}
            return _respond(view, access, values, arguments)

        ROUTES.append(Route(method, rule, access))
        pages.add_url_rule(
            rule, view.__name__, respond, methods=[method], provide_automatic_options=False
        )
        return view

    return declare


def _respond(
    view: Callable[..., Response],
    kind: type[ReadAccess],
    place: dict[str, Any],
    arguments: dict[str, Any],
) -> Response:
    mount = mounted()
    actor = reader = None
    try:
        actor = mount.host.identity.web_actor()
        project = _project(mount, place)
        reader = grant(ReadAccess, mount.host, mount.settings, actor, project)
        granted = grant(kind, mount.host, mount.settings, actor, project)
        if request.method == "POST" and not mount.host.chrome.check_csrf():
            raise Forbidden(EXPIRED)
        response = view(granted, **arguments)
        granted.session.commit()
    except Exception as error:
        return failures.answer(error, actor, reader)
    # What one reader may see is nothing for a cache in between, or for the next user of a browser.
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


def _project(mount: Mount, place: dict[str, Any]) -> Project | None:
    # A NUL would be an error in PostgreSQL.
    if not all(value.isprintable() for value in place.values() if isinstance(value, str)):
        return None
    return mount.host.projects.by_url(place)
