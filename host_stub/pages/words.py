"""How values are written on pages: times, roles, and texts in Markdown."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Flask
from flask_login import current_user
from markupsafe import Markup

from gitlab_mlops import Actor
from host_stub import markdown
from host_stub.chrome import project_url
from host_stub.database import now
from host_stub.plugin import mlops
from host_stub.projects import Project, Role

UNITS = (
    ("year", 31_536_000),
    ("month", 2_592_000),
    ("day", 86_400),
    ("hour", 3600),
    ("minute", 60),
)


def init_app(app: Flask) -> None:
    """Add the filters to the templates."""
    app.jinja_env.filters.update(
        ago=ago, day=day, role=role_name, markdown=rendered, note=noted, summary=markdown.summary
    )
    app.jinja_env.globals.update(mlops_plugin=mlops, reader=reader, preview_url=preview_url)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def ago(seconds: int) -> Markup:
    """A moment as the time since then, with the date and time in full on hovering."""
    moment = datetime.fromtimestamp(seconds, UTC)
    passed = max(0, now() - seconds)
    words = "just now"
    for unit, length in UNITS:
        if count := passed // length:
            words = f"{count} {unit}{'s' if count > 1 else ''} ago"
            break
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        moment.isoformat(), f"{moment:%Y-%m-%d %H:%M} UTC", words
    )


def day(seconds: int) -> str:
    """A moment as its date in UTC."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


def role_name(role: int) -> str:
    """A role by its name."""
    return Role(role).name.capitalize()


def rendered(text: str, project: Project) -> Markup:
    """A text of somebody in this project, for whoever reads the page now."""
    return markdown.show(text, project.value, reader())


def noted(text: str, project: Project) -> Markup:
    """A note of the system in this project, for whoever reads the page now."""
    return markdown.show_note(text, project.value, reader())


def reader() -> Actor | None:
    """Whoever reads the page, as the plugin knows people."""
    return current_user.value if current_user.is_authenticated else None


def preview_url(project: Project) -> str:
    """Where a text is sent to see how it will look in this project."""
    return project_url(project.full_path, "preview")
