"""What guards every page: the CSRF check of forms, and the headers of answers."""

from __future__ import annotations

import hmac
import secrets

from flask import Flask, Response, abort, g, request, session

from host_stub.plugin import mlops

CSRF_FIELD = "csrf_token"
MAX_BODY = 4 * 1024 * 1024
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Frame-Options": "DENY",
}
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def init_app(app: Flask) -> None:
    """Guard the application: its own pages and those of the plugin, not the plugin's API."""
    if app.config["MAX_CONTENT_LENGTH"] is None:
        app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    app.before_request(_refuse_forged_forms)
    app.after_request(_add_headers)
    app.jinja_env.globals.update(csrf_field=CSRF_FIELD, csrf_token=csrf_token, csp_nonce=csp_nonce)


def csrf_token() -> str:
    """The token of this session, made when it is first wanted."""
    token: str = session.setdefault("csrf", secrets.token_urlsafe(32))
    return token


def check_csrf() -> bool:
    """Whether the form or the `X-CSRF-Token` header of this request carries the token."""
    # Reading the form first is what real forges do; it parses the whole body.
    given = request.form.get(CSRF_FIELD) or request.headers.get("X-CSRF-Token", "")
    known = session.get("csrf", "")
    return bool(known) and hmac.compare_digest(given.encode(), known.encode())


def csp_nonce() -> str:
    """The nonce for scripts in this answer."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    nonce: str = g.csp_nonce
    return nonce


def _refuse_forged_forms() -> None:
    if mlops.owns_request():
        return
    if request.method not in SAFE and not check_csrf():
        abort(403, "This form has expired. Go back, reload the page, and send it again.")


def _add_headers(response: Response) -> Response:
    if mlops.owns_request():
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", POLICY.format(nonce=csp_nonce()))
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "private, no-store")
    return response
