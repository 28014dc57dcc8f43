"""Domain errors as pages."""

from __future__ import annotations

from flask import Response, abort, after_this_request, redirect, request
from werkzeug.exceptions import ServiceUnavailable

from gitlab_mlops import errors
from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import domain_error, mounted
from gitlab_mlops.blueprints.web.rendering import render
from gitlab_mlops.host import Actor
from gitlab_mlops.wire.errors import RETRY_AFTER_SECONDS, status_and_code

TITLES = {
    400: "That does not work",
    403: "You may not do that",
    404: "Not found",
    413: "That is too much",
}


def answer(error: Exception, actor: Actor | None, reader: ReadAccess | None) -> Response:
    """A page for a failed request. `reader` is None if the actor may not see the project.

    A project that is hidden and one that does not exist look the same, and as the forge's own
    pages do: the forge's 404, or its sign-in page for who is not signed in. Raises what is a
    fault of ours, and what the forge itself has to show.
    """
    if reader is not None:
        reader.session.rollback()
    known = domain_error(error)
    if known is None:
        raise error
    if isinstance(known, errors.Unavailable):
        # The forge's own page for this may forget the header.
        after_this_request(_ask_to_come_back)
        raise ServiceUnavailable(str(known)) from error
    if isinstance(known, errors.Unauthenticated) or (reader is None and actor is None):
        return _sign_in()
    if reader is None:
        abort(404)
    status, _ = status_and_code(known)
    return render(
        reader,
        "error.html",
        status=status,
        title=TITLES.get(status, "That did not work"),
        message=str(known),
    )


def _ask_to_come_back(response: Response) -> Response:
    response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _sign_in() -> Response:
    """Sign in, and come back to this page; after a form, to the page that it was on."""
    here = request.script_root + request.path
    if request.method == "POST":
        back = here.rpartition("/")[0]
    else:
        query = request.query_string.decode("ascii", "replace")
        back = f"{here}?{query}" if query else here
    return redirect(mounted().host.chrome.login_url(back), 303)  # type: ignore[return-value]
