"""What the forge announces to the plugin, always inside the transaction that makes the change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blinker import Signal
from flask import current_app

from gitlab_mlops import Actor, Events, Project, Source

if TYPE_CHECKING:
    from host_stub.issuables import Comment
    from host_stub.projects import Project as ProjectRow
    from host_stub.users import User

branch_moved = Signal("host_stub: branch moved")
"""A branch has a new commit, was made or deleted. For the forge's own parts, which hear it before
the plugin does: `project` (the row), `branch`, `old` and `new` (shas, or None)."""

comment_added = Signal("host_stub: comment added")
"""Somebody said something about an issue or merge request: `comment` (the row)."""


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


def announce_comment(comment: Comment) -> None:
    """There is a new comment."""
    comment_added.send(_sender(), comment=comment)


def announce_project_deleted(project: Project) -> None:
    """A project is going, with all its issues and merge requests."""
    host_events().project_deleted.send(_sender(), project=project)


def announce_project_renamed(project: Project, old_path: str) -> None:
    """A project has another path now, in the same namespace or in another one."""
    host_events().project_renamed.send(_sender(), project=project, old_path=old_path)


def announce_state(source: Source, project: Project, state: str, actor: Actor) -> None:
    """An issue or merge request is `opened` (it is new, or is so again), `closed` or `merged`."""
    host_events().state_changed.send(
        _sender(), source=source, project=project, state=state, actor=actor
    )


def announce_branch_moved(
    project: ProjectRow, branch: str, old: str | None, new: str | None, user: User
) -> None:
    """A branch leads to another commit; it was made if `old` is None, deleted if `new` is."""
    branch_moved.send(_sender(), project=project, branch=branch, old=old, new=new)
    host_events().branch_moved.send(
        _sender(),
        project=project.value, branch=branch, old=old or "", new=new or "", actor=user.value,
    )  # fmt: skip


def announce_pipeline_finished(
    project: Project, pipeline_id: int, ref: str, sha: str, status: str, merge_request: str
) -> None:
    """The last job of a pipeline has ended; `merge_request` is a number, or empty."""
    host_events().pipeline_finished.send(
        _sender(),
        project=project, pipeline_id=str(pipeline_id), ref=ref, sha=sha, status=status,
        merge_request=merge_request,
    )  # fmt: skip


def announce_user_removed(actor: Actor) -> None:
    """An account is gone for ever; what it wrote stays."""
    host_events().user_removed.send(_sender(), actor=actor)


def _sender() -> Any:
    return current_app._get_current_object()  # type: ignore[attr-defined]
