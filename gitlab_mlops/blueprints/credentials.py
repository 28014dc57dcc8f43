"""Reads the credential out of a request's headers; what it is worth, the forge says."""

from __future__ import annotations

from flask import Request

from gitlab_mlops.errors import Unauthenticated
from gitlab_mlops.host import Actor, Credential, Host

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


def authenticate(host: Host, request: Request) -> Actor:
    """The actor of an API request; raise `Unauthenticated`, with one text for every reason."""
    credential = credential_of(request)
    if credential is None or not _is_plausible(credential.secret):
        raise Unauthenticated(UNAUTHENTICATED)
    actor = host.identity.authenticate(credential)
    if actor is None:
        raise Unauthenticated(UNAUTHENTICATED)
    return actor


def _is_plausible(secret: str) -> bool:
    """Whether a secret may be asked about at all: a NUL would be an error in PostgreSQL."""
    return len(secret) <= 4096 and secret.isprintable()
