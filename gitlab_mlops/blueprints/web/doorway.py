"""Leads links of MLflow's client to the pages.

At the end of a run the client prints `<tracking URI>/#/experiments/1/runs/<run id>`. A browser
keeps what follows the `#` to itself, also through a redirect, so the page it comes to reads it
(`mlops.js`) and goes on to the address of that run.
"""

from __future__ import annotations

from flask import Response, abort, redirect, request

from gitlab_mlops.access import ReadAccess, grant
from gitlab_mlops.blueprints.credentials import find_project, project_key
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import page
from gitlab_mlops.errors import MLOpsError
from gitlab_mlops.services import candidates


def open_pages(which: str) -> Response:
    """Redirect from the tracking URI of a project, by id or path, to its experiments.

    Who may not see the project, or is asked for one that does not exist, is sent to sign in, or
    gets the forge's 404 if that is done.
    """
    mount = mounted()
    actor = mount.host.identity.web_actor()
    try:
        access = grant(
            ReadAccess,
            mount.host,
            mount.settings,
            actor,
            find_project(mount.host, project_key(which)),
        )
    except MLOpsError:
        if actor is not None:
            abort(404)
        return _see(mount.host.chrome.login_url(request.script_root + request.path))
    return _see(Links.of(mount.host, access.project).experiments())


@page("/runs/<string(length=32):run_id>", access=ReadAccess)
def candidate_of_run(access: ReadAccess, run_id: str) -> Response:
    """The page of the candidate that MLflow calls by this run id."""
    record = candidates.get(access, run_id)
    return _see(Links.of(mounted().host, access.project).candidate(record.iid))


def _see(url: str) -> Response:
    return redirect(url, 303)  # type: ignore[return-value]
