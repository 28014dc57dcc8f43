"""What the forge announces, and what the plugin does then. `docs/hooks.md` is the reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app, has_request_context, request
from sqlalchemy.orm import Session

from gitlab_mlops.hooks import signals
from gitlab_mlops.host import Actor, Project, Source
from gitlab_mlops.mount import Mount
from gitlab_mlops.services import artifacts, mentions, people, renaming, system_notes
from gitlab_mlops.services.gate import watching
from gitlab_mlops.services.purge import purge_project
from gitlab_mlops.services.references import Context

RECEIVERS = "mlops_receivers"
"""Where an application keeps what listens to the plugin's own signals, in its `extensions`."""


def connect(app: Flask, mount: Mount) -> None:
    """Listen to the forge's events, and to our own signals, as far as `app` is the sender."""
    events, heard = mount.host.events, _Events(mount)
    for signal, receiver in (
        (events.text_saved, heard.text_saved),
        (events.text_deleted, heard.text_deleted),
        (events.project_deleted, heard.project_deleted),
        (events.project_renamed, heard.project_renamed),
        (events.user_removed, heard.user_removed),
        (events.state_changed, heard.state_changed),
        (events.branch_moved, heard.branch_moved),
        (events.pipeline_finished, heard.pipeline_finished),
    ):
        # The receivers are held by nothing else, so the signals of this forge must hold them.
        signal.connect(receiver, sender=app, weak=False)
    if mount.host.repository is not None:
        _connect_own(app, _Candidates(mount))
    signals.use_application(_application)


def _connect_own(app: Flask, heard: _Candidates) -> None:
    """Our signals are there as long as the process; they must not keep applications alive."""
    app.extensions[RECEIVERS] = heard
    signals.candidate_finished.connect(heard.finished, sender=app)
    for signal in (signals.candidate_trashed, signals.candidate_restored):
        signal.connect(heard.moved, sender=app)


@dataclass(frozen=True)
class _Events:
    """What the plugin does when the forge announces something."""

    mount: Mount

    def text_saved(
        self,
        sender: Flask,
        *,
        source: Source,
        project: Project,
        actor: Actor,
        text: str = "",
        html: str | None = None,
        **_more: Any,
    ) -> None:
        context = context_of(sender, self.mount, project, actor)
        if html is not None:
            found = mentions.in_html(html, context)
        else:
            found = mentions.in_markdown(text, context)
        system_notes.post(source, mentions.record(source, found, context), context)

    def text_deleted(
        self, _sender: Flask, *, source: Source, project: Project, **_more: Any
    ) -> None:
        mentions.forget(source, project, self.mount.host)

    def project_deleted(self, _sender: Flask, *, project: Project, **_more: Any) -> None:
        storage = self.mount.storage
        session = self.mount.host.session(project)
        purge_project(session, project.id, lambda id: artifacts.delete_all(storage, id))

    def project_renamed(
        self, _sender: Flask, *, project: Project, old_path: str, **_more: Any
    ) -> None:
        renaming.rename(self.mount.host, project, old_path)

    def user_removed(self, _sender: Flask, *, actor: Actor, **_more: Any) -> None:
        people.forget(self.mount.host, actor)

    def state_changed(
        self,
        _sender: Flask,
        *,
        source: Source,
        project: Project,
        state: str,
        actor: Actor,
        **_more: Any,
    ) -> None:
        # What is merged or closed keeps the status that it has.
        if state == "opened":
            watching.opened(self.mount.host, project, source.id, actor)

    def branch_moved(
        self, _sender: Flask, *, project: Project, branch: str, old: str, new: str, **_more: Any
    ) -> None:
        watching.branch_moved(self.mount.host, project, branch, old, new)

    def pipeline_finished(
        self, _sender: Flask, *, project: Project, ref: str, sha: str, **_more: Any
    ) -> None:
        watching.pipeline_finished(self.mount.host, project, ref, sha)


@dataclass(frozen=True)
class _Candidates:
    """What the plugin does when it announces something itself."""

    mount: Mount

    def finished(
        self,
        _sender: Flask,
        *,
        project: Project,
        iid: int,
        actor: Actor | None,
        session: Session,
        is_stamped: bool = True,
        **_more: Any,
    ) -> None:
        if not is_stamped:
            return  # no gate counts it
        # Merge requests into its branch follow when its pipeline ends.
        in_ci = actor is not None and actor.job is not None
        watching.candidate_changed(self.mount.host, session, project, iid, in_ci=in_ci)

    def moved(
        self, _sender: Flask, *, project: Project, iid: int, session: Session, **_more: Any
    ) -> None:
        watching.candidate_changed(self.mount.host, session, project, iid, as_baseline=True)


def context_of(
    app: Flask, mount: Mount, project: Project, actor: Actor | None, *, external: bool = False
) -> Context:
    """For whom and where a text of `project` is read, in the application at work.

    `external`: it is read elsewhere, such as in mail to other people.
    """
    root = _url_root(app, external=external)
    return Context(actor, project, mount.host, mount.settings, root, app.url_map.converters)


def _url_root(app: Flask, *, external: bool) -> str:
    """Where the forge is; empty in a worker process of a forge without `SERVER_NAME`."""
    name = app.config["SERVER_NAME"]
    if not has_request_context():
        root = app.config["APPLICATION_ROOT"].rstrip("/")
        return f"{app.config['PREFERRED_URL_SCHEME']}://{name}{root}/" if name else ""
    if external and name:
        # The address of the request is what its client says, and this is for other people.
        return f"{request.scheme}://{name}{request.script_root}/"
    return request.url_root


def _application() -> Flask | None:
    """The application itself: the proxy would be a different sender."""
    return current_app._get_current_object() if current_app else None  # type: ignore[attr-defined]
