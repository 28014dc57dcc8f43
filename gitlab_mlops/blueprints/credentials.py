"""Reads the credential out of a request's headers; what it is worth, the forge says."""

from __future__ import annotations

from typing import TypeVar

from flask import Request, current_app

from gitlab_mlops.access import ReadAccess, grant, grant_admitted
from gitlab_mlops.blueprints.allowance import ALLOWANCE
from gitlab_mlops.blueprints.bodies import SLASH
from gitlab_mlops.errors import Unauthenticated
from gitlab_mlops.host import Credential, Host, Project
from gitlab_mlops.mount import Mount

A = TypeVar("A", bound=ReadAccess)

UNAUTHENTICATED = (
    "Authentication is needed: set MLFLOW_TRACKING_TOKEN to an access token of this forge "
    "that is valid, not expired and not revoked."
)


def credential_of(request: Request) -> Credential | None:
    """The credential of a request: Bearer, Basic, PRIVATE-TOKEN or JOB-TOKEN; cookies never."""
    authorization = request.authorization
    if authorization is not None:
        if authorization.type == "bearer" and authorization.token:
            return Credential("bearer", authorization.token)
        if authorization.type == "basic" and authorization.password:
            return Credential("basic", authorization.password, authorization.username or "")
    if token := request.headers.get("PRIVATE-TOKEN"):
        return Credential("private-token", token)
    if token := request.headers.get("JOB-TOKEN"):
        return Credential("job-token", token)
    return None


def grant_request(kind: type[A], mount: Mount, request: Request, which: str) -> A:
    """Give the credential of an API request access of this kind to a project, or raise.

    `which` is the project's id or full path, as in GitLab's API. Raises `Unauthenticated`, with
    one text for every reason, and as `access.grant`.
    """
    credential, key = _presented(request), project_key(which)
    if mount.settings.requests_per_minute:
        current_app.extensions[ALLOWANCE].take(credential.secret)
    host = mount.host
    if host.admission is not None and key is not None:
        admitted = host.admission.admit(credential, key)
        if admitted.actor is None:
            raise Unauthenticated(UNAUTHENTICATED)
        return grant_admitted(kind, host, mount.settings, admitted)
    actor = host.identity.authenticate(credential)
    if actor is None:
        raise Unauthenticated(UNAUTHENTICATED)
    return grant(kind, host, mount.settings, actor, find_project(host, key))


def find_project(host: Host, key: int | str | None) -> Project | None:
    """The project of an id or a full path."""
    if key is None:
        return None
    return host.projects.by_id(key) if isinstance(key, int) else host.projects.by_path(key)


def project_key(which: str) -> int | str | None:
    """The id or full path that a URL names; None for what no project can have."""
    if which.isascii() and which.isdigit():
        # Beyond a signed 64-bit integer PostgreSQL would raise instead of finding nothing.
        return int(which) if len(which) < 19 else None
    path = which.replace(SLASH, "/")
    return path if path.isprintable() else None


def _presented(request: Request) -> Credential:
    credential = credential_of(request)
    if credential is None or not _is_plausible(credential.secret):
        raise Unauthenticated(UNAUTHENTICATED)
    return credential


def _is_plausible(secret: str) -> bool:
    """Whether a secret may be asked about at all: a NUL would be an error in PostgreSQL."""
    return len(secret) <= 4096 and secret.isprintable()
