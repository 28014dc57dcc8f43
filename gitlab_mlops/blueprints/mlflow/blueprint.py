"""The blueprint that holds MLflow's API of a project, and its answer to everything else."""

from collections.abc import Callable

from flask import Blueprint, Response, request

from gitlab_mlops.blueprints.background import start_thread
from gitlab_mlops.blueprints.endpoint import error_response
from gitlab_mlops.blueprints.web.doorway import open_pages
from gitlab_mlops.wire import errors as wire_errors

api = Blueprint("mlops_api", __name__)
api.before_request(start_thread)

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def _everything(view: Callable[..., Response]) -> Callable[..., Response]:
    """Route what no other rule takes; a wildcard alone leaves out the prefix itself."""
    for rule in ("", "/", "/<path:anything>"):
        api.add_url_rule(
            rule,
            view_func=view,
            methods=METHODS,
            provide_automatic_options=False,
            merge_slashes=False,
        )
    return view


@_everything
def not_found(project: str, anything: str = "") -> Response:
    """Answer MLflow's JSON where no route is: its client falls back by this code, not by HTML.

    But whoever opens the tracking URI itself in a browser, as in the links that MLflow's client
    prints at the end of a run, comes to the project's pages.
    """
    if (
        not anything
        and request.method == "GET"
        and "text/html" in request.headers.get("Accept", "")
    ):
        return open_pages(project)
    return error_response(
        *wire_errors.ENDPOINT_NOT_FOUND,
        f"This server has no /{anything[:200]} for this method; see the README for what it offers.",
    )
