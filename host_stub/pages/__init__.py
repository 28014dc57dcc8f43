"""The forge's own pages."""

from __future__ import annotations

from flask import Flask

from host_stub.pages import (
    errors,
    front,
    issuables,
    members,
    pipelines,
    projects,
    repository,
    tokens,
    words,
)


def init_app(app: Flask) -> None:
    """Add every page to the application."""
    errors.init_app(app)
    words.init_app(app)
    for blueprint in (
        front.front,
        tokens.personal_tokens,
        tokens.project_tokens,
        issuables.pages,
        pipelines.pipelines,
        members.members,
        repository.repository,
        projects.projects,
    ):
        app.register_blueprint(blueprint)
