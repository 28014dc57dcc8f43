"""The application: configuration, the parts of the forge, and the plugin mounted."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask

from gitlab_mlops import Events
from host_stub import cli, cli_ci, database, namespaces, pages, security, users
from host_stub.adapter import make_host
from host_stub.plugin import mlops

TEXTS = frozenset({"DATABASE_URL", "INSTANCE_PATH", "SECRET_KEY"})


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Make the forge.

    Keys come from `config`, else from the environment as `HOST_STUB_<KEY>`: `DATABASE_URL` (an
    SQLAlchemy URL; default: SQLite in the instance folder), `SECRET_KEY` (default: a random one,
    made once and kept in the instance folder), `INSTANCE_PATH` (absolute), Flask's own keys and
    the plugin's `MLOPS_*`.
    """
    given = _environment() | dict(config or {})
    app = Flask("host_stub", static_url_path="/assets", instance_path=given.get("INSTANCE_PATH"))
    _configure(app, given)
    app.extensions["host_stub"] = events = Events()
    database.init_app(app)
    namespaces.init_app(app)
    security.init_app(app)
    users.init_app(app)
    pages.init_app(app)
    cli.init_app(app)
    cli_ci.init_app(app)
    mlops.init_app(app, host=make_host(events))
    return app


def _environment() -> dict[str, Any]:
    prefix = "HOST_STUB_"
    given = {k.removeprefix(prefix): v for k, v in os.environ.items() if k.startswith(prefix)}
    return {key: value if key in TEXTS else _parsed(value) for key, value in given.items()}


def _parsed(value: str) -> Any:
    """A number, true, false or a list as JSON writes them; anything else is text."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _configure(app: Flask, given: Mapping[str, Any]) -> None:
    folder = Path(app.instance_path)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # the database is nobody else's
    app.config.from_mapping(
        SESSION_COOKIE_NAME="host_stub", SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax"
    )
    app.config.from_mapping(given)
    url = given.get("DATABASE_URL") or f"sqlite:///{folder / 'host_stub.sqlite3'}"
    app.config.setdefault("SQLALCHEMY_DATABASE_URI", url)
    app.config["SECRET_KEY"] = given.get("SECRET_KEY") or _kept_secret(folder / "secret_key")


def _kept_secret(path: Path) -> str:
    """The secret in this file, which is made if it is missing; workers may start at once."""
    if not path.exists():
        descriptor, name = tempfile.mkstemp(dir=path.parent)  # mode 0600
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(name, path)  # fails if another worker was first, and is never half written
        except FileExistsError:
            pass
        finally:
            os.unlink(name)
    return path.read_text()
