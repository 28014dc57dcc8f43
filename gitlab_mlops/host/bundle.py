"""What a forge hands over, and the signals that it sends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from blinker import Signal

from gitlab_mlops.host.parts import (
    CI,
    Admission,
    Chrome,
    Identity,
    Notifications,
    Permissions,
    Projects,
    References,
    Repository,
)
from gitlab_mlops.host.values import Project

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Events:
    """Optional: blinker signals that the forge sends and the plugin listens to.

    Send with the Flask application as the sender, inside the transaction that makes the change,
    from a web or a worker process. Nothing is committed by the receivers. A forge that sends
    none of them works: mentions are not recorded, and the data of deleted projects stays until
    `flask mlops purge-project`.
    """

    text_saved: Signal = field(default_factory=lambda: Signal("mlops host: text saved"))
    """A description or comment was created or edited: `source: Source`, `project: Project`,
    `text: str` (everything the source says now), `actor: Actor` (who wrote it). Instead of
    `text`, `html: str` may be sent, rendered as for `MLOps.link_references`: with Markdown the
    plugin can only guess what is code."""
    text_deleted: Signal = field(default_factory=lambda: Signal("mlops host: text deleted"))
    """A source is gone: `source: Source`, `project: Project`."""
    project_deleted: Signal = field(default_factory=lambda: Signal("mlops host: project deleted"))
    """A project is gone: `project: Project`."""
    project_renamed: Signal = field(default_factory=lambda: Signal("mlops host: project renamed"))
    """A project has another path: `project: Project` (with the new one), `old_path: str`."""
    user_removed: Signal = field(default_factory=lambda: Signal("mlops host: user removed"))
    """An account is gone for ever: `actor: Actor`."""
    state_changed: Signal = field(default_factory=lambda: Signal("mlops host: state changed"))
    """A merge request or issue was opened (the first time, too, or with another target branch),
    merged or closed: `source: Source`, `project: Project`, `state: str` (`opened`, `merged` or
    `closed`), `actor: Actor`."""
    branch_moved: Signal = field(default_factory=lambda: Signal("mlops host: branch moved"))
    """A branch has other commits: `project: Project`, `branch: str`, `old: str` and `new: str`
    (shas; empty if it was made or deleted), `actor: Actor`. Sent when merge requests know it."""
    pipeline_finished: Signal = field(
        default_factory=lambda: Signal("mlops host: pipeline finished")
    )
    """The last job of a pipeline ended: `project: Project` (whose pipeline it is), `ref: str`,
    `sha: str`, `pipeline_id: str`, `status: str`, `merge_request: str` (its id, or empty)."""


@dataclass(frozen=True)
class Host:
    """Everything that a forge hands over to the plugin.

    `session(project)` gives the SQLAlchemy session for the project's data, and `engines()` every
    database that such sessions reach, for the migrations. One database is the usual case.
    """

    identity: Identity
    projects: Projects
    permissions: Permissions
    chrome: Chrome
    session: Callable[[Project], Session]
    engines: Callable[[], Sequence[Engine]]
    references: References | None = None
    events: Events = field(default_factory=Events)
    ci: CI | None = None
    notifications: Notifications | None = None
    repository: Repository | None = None
    admission: Admission | None = None
