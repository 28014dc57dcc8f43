"""What the forge announces to the plugin, always inside the transaction that makes the change."""

from __future__ import annotations

from typing import Any

from flask import current_app

from gitlab_mlops import Actor, Events, Project, Source


def host_events() -> Events:
    """The signals of the current application; each application has its own."""
    events: Events = current_app.extensions["host_stub"]
    return events


def announce_text(source: Source, project: Project, html: str, actor: Actor) -> None:
    """An issue or merge request was created or edited and now says `html`."""
    host_events().text_saved.send(_sender(), source=source, project=project, html=html, actor=actor)


def announce_text_deleted(source: Source, project: Project) -> None:
    """An issue or merge request is going."""
    host_events().text_deleted.send(_sender(), source=source, project=project)


def announce_project_deleted(project: Project) -> None:
    """A project is going, with all its issues and merge requests."""
    host_events().project_deleted.send(_sender(), project=project)


def _sender() -> Any:
    return current_app._get_current_object()  # type: ignore[attr-defined]
