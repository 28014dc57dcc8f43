"""Our forge for the benchmark: one private project, a developer with a token and a session."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from flask import Flask
from flask.sessions import SecureCookieSessionInterface

from bench.postgresql import Database
from gitlab_mlops import migrations
from host_stub import create_app
from host_stub.database import db
from host_stub.projects import Role, add_member, create_project
from host_stub.tokens import create_token
from host_stub.users import create_user


@dataclass(frozen=True)
class Forge:
    """How to start the forge again, and what its developer shows: a token, or a cookie."""

    config: dict[str, str]
    project_id: int
    project_path: str
    actor_id: str
    token: str
    cookie: str


def make_forge(database: Database, folder: Path) -> Forge:
    """Make the tables, a project and a developer, who owns nothing there."""
    config = {
        "DATABASE_URL": database.sqlalchemy_url,
        "SECRET_KEY": secrets.token_hex(32),
        "INSTANCE_PATH": str(folder),
    }
    app = create_app(config)
    with app.app_context():
        db.create_all()
        migrations.upgrade(db.engine)
        owner, developer = create_user("owner"), create_user("developer")
        project = create_project(owner, "bench")
        add_member(project, developer, Role.DEVELOPER)
        token = create_token(developer, "bench", ["api"])[1]
        db.session.commit()
        made = Forge(
            config=config,
            project_id=int(project.id),
            project_path="owner/bench",
            actor_id=str(developer.id),
            token=token,
            cookie=_cookie(app, developer.id),
        )
        db.session.remove()
        db.engine.dispose()
    return made


def _cookie(app: Flask, user_id: int) -> str:
    """The cookie of somebody who is signed in."""
    serializer = SecureCookieSessionInterface().get_signing_serializer(app)
    if serializer is None:
        raise SystemExit("the forge has no secret key")
    signed = serializer.dumps({"_user_id": str(user_id), "_fresh": True})
    return f"{app.config['SESSION_COOKIE_NAME']}={signed}"
