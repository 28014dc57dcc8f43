"""What the small forge hands to the plugin: one project, and everybody may do everything."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flask import Flask
from jinja2 import DictLoader

from bench.small_forge import db
from gitlab_mlops import Ability, Actor, Credential, Host, Project

PROJECT = Project(1, "group/project", "Project")
SOMEBODY = Actor(id="1", username="somebody")
FRAME = """<!doctype html><html><head><title>{% block title %}{% endblock %}</title>
{% block head %}{% endblock %}</head><body>{% block content %}{% endblock %}</body></html>"""


def make_host(app: Flask) -> Host:
    """The adapter; its template is put where the application looks."""
    app.jinja_loader = DictLoader({"frame.html": FRAME})
    return Host(
        identity=Identity(),
        projects=Projects(),
        permissions=Permissions(),
        chrome=Chrome(),
        session=lambda project: db.session(),
        engines=lambda: [db.engine],
    )


class Identity:
    """One person."""

    def web_actor(self) -> Actor | None:
        """The person."""
        return SOMEBODY

    def authenticate(self, credential: Credential) -> Actor | None:
        """The person, whatever the secret."""
        return SOMEBODY

    def actors(self, ids: Collection[str]) -> Mapping[str, Actor]:
        """The person, whoever is asked for."""
        return dict.fromkeys(ids, SOMEBODY)


class Projects:
    """One project."""

    def by_id(self, project_id: int) -> Project | None:
        """The project."""
        return PROJECT

    def by_path(self, path: str) -> Project | None:
        """The project."""
        return PROJECT

    def by_url(self, values: Mapping[str, Any]) -> Project | None:
        """The project."""
        return PROJECT


class Permissions:
    """No limits."""

    def can(self, actor: Actor | None, ability: Ability, project: Project) -> bool:
        """Always."""
        return True


class Chrome:
    """A bare frame."""

    web_prefixes: Sequence[str] = ("/<group>/<name>",)
    csrf_field = "csrf"

    def base_template(self) -> str:
        """The frame."""
        return "frame.html"

    def context(self, project: Project, page: str) -> Mapping[str, Any]:
        """It needs nothing."""
        return {}

    def project_url(self, project: Project) -> str:
        """Path of the project's page."""
        return f"/{project.path}"

    def csrf_token(self) -> str:
        """No secret: nobody can send a form here."""
        return "token"

    def check_csrf(self) -> bool:
        """No form is taken."""
        return False

    def csp_nonce(self) -> str | None:
        """No policy."""
        return None

    def login_url(self, next_url: str) -> str:
        """Nobody has to."""
        return "/"

    def tokens_url(self) -> str | None:
        """No tokens."""
        return None
