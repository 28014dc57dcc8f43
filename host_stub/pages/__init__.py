"""The forge's own pages."""

from __future__ import annotations

from flask import Flask

from host_stub.pages import (
    api,
    comments,
    errors,
    front,
    issuables,
    mails,
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
        api.api,
        mails.mails,
        tokens.personal_tokens,
        tokens.project_tokens,
        issuables.pages,
        comments.pages,
        pipelines.pipelines,
        members.members,
        repository.repository,
        projects.projects,
    ):
        app.register_blueprint(blueprint)
