"""What the forge announces, and what the plugin does then. `docs/hooks.md` is the reference."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, has_request_context, request

from gitlab_mlops.hooks import signals
from gitlab_mlops.host import Actor, Project, Source
from gitlab_mlops.mount import Mount
from gitlab_mlops.services import artifacts, mentions
from gitlab_mlops.services.purge import purge_project
from gitlab_mlops.services.references import Context


def connect(app: Flask, mount: Mount) -> None:
    """Listen to the forge's events, as far as `app` is the sender."""

    def text_saved(
        sender: Flask,
        *,
        source: Source,
        project: Project,
        actor: Actor,
        text: str = "",
        html: str | None = None,
        **_more: Any,
    ) -> None:
        context = context_of(sender, mount, project, actor)
        if html is not None:
            found = mentions.in_html(html, context)
        else:
            found = mentions.in_markdown(text, context)
        mentions.record(source, found, context)

    def text_deleted(_sender: Flask, *, source: Source, project: Project, **_more: Any) -> None:
        mentions.forget(source, project, mount.host)

    def project_deleted(_sender: Flask, *, project: Project, **_more: Any) -> None:
        purge_project(mount.host.session(project), project.id, delete_files)

    def delete_files(project_id: int) -> None:
        artifacts.delete_all(mount.storage, project_id)

    events = mount.host.events
    # The functions are held by nothing else, so the signals must hold them.
    events.text_saved.connect(text_saved, sender=app, weak=False)
    events.text_deleted.connect(text_deleted, sender=app, weak=False)
    events.project_deleted.connect(project_deleted, sender=app, weak=False)
    signals.use_application(_application)


def context_of(app: Flask, mount: Mount, project: Project, actor: Actor | None) -> Context:
    """For whom and where a text of `project` is read, in the application at work."""
    return Context(
        actor, project, mount.host, mount.settings, _url_root(app), app.url_map.converters
    )


def _url_root(app: Flask) -> str:
    """Where the forge is; empty in a worker process of a forge without `SERVER_NAME`."""
    if has_request_context():
        return request.url_root
    if not app.config["SERVER_NAME"]:
        return ""
    root = app.config["APPLICATION_ROOT"].rstrip("/")
    return f"{app.config['PREFERRED_URL_SCHEME']}://{app.config['SERVER_NAME']}{root}/"


def _application() -> Flask | None:
    """The application itself: the proxy would be a different sender."""
    return current_app._get_current_object() if current_app else None  # type: ignore[attr-defined]
