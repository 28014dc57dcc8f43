"""The forge's secret keys, with which the plugin signs and encrypts."""

from __future__ import annotations

from flask import Flask


def secrets_of(app: Flask) -> list[bytes]:
    """The keys of an application, the current one last; none if it has none."""
    current = app.secret_key
    fallbacks = app.config.get("SECRET_KEY_FALLBACKS") or []
    keys = [*fallbacks, current] if current else []
    return [key.encode() if isinstance(key, str) else key for key in keys]
