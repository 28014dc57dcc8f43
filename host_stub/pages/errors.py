"""Errors as pages; the plugin's API answers its own."""

from __future__ import annotations

from flask import Flask, render_template
from sqlalchemy.exc import IntegrityError
from werkzeug.exceptions import Conflict, HTTPException
from werkzeug.wrappers import Response

from host_stub.database import db
from host_stub.plugin import mlops

TITLES = {
    403: "You may not do that",
    404: "Page not found",
    409: "Somebody was faster",
    413: "That is too much",
}
ADVICE = {
    404: "It does not exist, or you may not see it.",
    409: "The same was stored a moment ago. Go back and look before you try again.",
    413: "A form may hold 4 MB at most.",
}


def init_app(app: Flask) -> None:
    """Answer errors with pages."""
    app.register_error_handler(HTTPException, show)
    app.register_error_handler(IntegrityError, conflict)


def show(error: HTTPException) -> Response | HTTPException | tuple[str, int]:
    """A page for the error; one that needs no database if the server is at fault."""
    code = error.code or 500
    if mlops.owns_request() or code < 400:
        return error
    if code >= 500:
        db.session.rollback()
        return render_template("host_stub/broken.html"), code
    title = TITLES.get(code, error.name)
    advice = ADVICE.get(code, error.description)
    return render_template("host_stub/error.html", code=code, title=title, advice=advice), code


def conflict(error: IntegrityError) -> Response | HTTPException | tuple[str, int]:
    """Two requests made the same thing at once, and this one was the second."""
    if mlops.owns_request():
        raise error
    db.session.rollback()
    return show(Conflict())
