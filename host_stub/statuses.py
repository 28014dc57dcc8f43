"""Commit statuses: what CI and other services found out about a commit."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sqlalchemy import ForeignKey, String, UniqueConstraint, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from host_stub.database import Base, db, now
from host_stub.repositories.folders import Numbered
from host_stub.repositories.names import SHA

# The worst first.
STATES = ("failed", "canceled", "running", "pending", "success")
MAX_NAME = 255
MAX_DESCRIPTION = 1000
MAX_URL = 2000
TARGET = re.compile(r"https?://|/(?![/\\])")
"""How an address begins that a page may link to."""


class CommitStatus(Base):
    """What one service says of a commit; it says one thing at a time."""

    __tablename__ = "commit_statuses"
    __table_args__ = (UniqueConstraint("project_id", "sha", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    sha: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    state: Mapped[str] = mapped_column(String(8))
    description: Mapped[str] = mapped_column(String(MAX_DESCRIPTION))
    target_url: Mapped[str] = mapped_column(String(MAX_URL))
    pipeline_id: Mapped[int | None] = mapped_column()
    created_at: Mapped[int] = mapped_column()
    updated_at: Mapped[int] = mapped_column()


def set_status(
    project: Numbered,
    sha: str,
    name: str,
    state: str,
    *,
    description: str = "",
    target_url: str = "",
    pipeline_id: int | None = None,
) -> CommitStatus:
    """Say of a commit (its full sha) what `name` found, instead of what it said before; flushes.

    `target_url` is a path of this forge or an http(s) address. Raises `ValueError` for a value
    that is not allowed. It does not ask whether the repository has the commit.
    """
    _check(sha, name, state, description, target_url)
    said = {
        "state": state,
        "description": description,
        "target_url": target_url,
        "pipeline_id": pipeline_id,
        "updated_at": now(),
    }
    # Two jobs may say something for the first time at once.
    insert = (postgresql if db.engine.dialect.name == "postgresql" else sqlite).insert
    statement = (
        insert(CommitStatus)
        .values(project_id=project.id, sha=sha, name=name, created_at=now(), **said)
        .on_conflict_do_update(index_elements=["project_id", "sha", "name"], set_=said)
        .returning(CommitStatus)
    )
    stored: CommitStatus = db.session.scalars(
        statement, execution_options={"populate_existing": True}
    ).one()
    return stored


def statuses(project: Numbered, sha: str) -> list[CommitStatus]:
    """What is said of a commit, by name."""
    return statuses_of(project, [sha]).get(sha, [])


def statuses_of(project: Numbered, shas: Iterable[str]) -> dict[str, list[CommitStatus]]:
    """What is said of several commits, in one query."""
    wanted = (CommitStatus.project_id == project.id, CommitStatus.sha.in_(list(shas)))
    found: dict[str, list[CommitStatus]] = {}
    for status in db.session.scalars(select(CommitStatus).where(*wanted).order_by("name")):
        found.setdefault(status.sha, []).append(status)
    return found


def states_of(project: Numbered, shas: Iterable[str]) -> dict[str, str]:
    """The worst that is said of each commit, of which something is said."""
    found = statuses_of(project, shas)
    return {sha: min((s.state for s in said), key=STATES.index) for sha, said in found.items()}


def _check(sha: str, name: str, state: str, description: str, target_url: str) -> None:
    if not SHA.fullmatch(sha):
        raise ValueError("Give the full sha of a commit.")
    if state not in STATES:
        raise ValueError(f"A status is one of {', '.join(sorted(STATES))}, not {state}.")
    texts = {"name": (name, MAX_NAME), "description": (description, MAX_DESCRIPTION)}
    for what, (text, most) in (texts | {"target_url": (target_url, MAX_URL)}).items():
        if len(text) > most or "\0" in text:
            raise ValueError(f"The {what} has at most {most} characters, none of them NUL.")
    if not name.strip():
        raise ValueError("Give the status a name.")
    if target_url and not TARGET.match(target_url):
        raise ValueError("The target_url is a path of this forge, or an http(s) address.")
