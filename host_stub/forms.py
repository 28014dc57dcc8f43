"""Fields of forms, cleaned."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import request

from host_stub.database import now


def text(name: str) -> str:
    """A field's text; without NUL, which PostgreSQL refuses, and with one kind of line end."""
    return request.form.get(name, "").replace("\0", "").replace("\r\n", "\n")


def line(name: str) -> str:
    """A field of one line, without space around it."""
    return " ".join(text(name).split())


def is_preview() -> bool:
    """Whether the form was sent to see how a text in it will look, and nothing is to be stored."""
    return "preview" in request.form


def number(name: str) -> int:
    """A field that holds an id, or 0."""
    value = request.form.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def end_of_token(name: str) -> int | None:
    """A date as the second at which it begins (UTC), or None if the field is empty.

    Raises `ValueError` for what is no date, or lies in the past.
    """
    value = line(name)
    if not value:
        return None
    try:
        end = int(datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except (ValueError, OverflowError):
        raise ValueError("Give the expiry as a date, like 2031-12-24.") from None
    if end <= now():
        raise ValueError("The expiry must be a day after today.")
    return end


def page_number() -> int:
    """The page of a list that the URL asks for, from 1."""
    value = request.args.get("page", "")
    return max(1, int(value)) if value.isascii() and value.isdigit() and len(value) < 6 else 1
