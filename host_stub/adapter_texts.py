"""The adapter's part about texts: issues and merge requests that mention candidates, and mail."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select, tuple_

from gitlab_mlops import Actor, Source, SourceLink
from host_stub import chrome, issuables, mails
from host_stub.database import db, id_of
from host_stub.issuables import Issuable
from host_stub.issues import Issue
from host_stub.merge_requests import MergeRequest
from host_stub.permissions import Right, visible
from host_stub.projects import Project
from host_stub.users import User


class References:
    """Issues and merge requests as places that mention candidates."""

    def links(
        self, actor: Actor | None, sources: Collection[Source]
    ) -> Mapping[Source, SourceLink]:
        """One query, whatever the number of sources."""
        wanted = [(s.project_id, s.kind, number) for s in sources if (number := id_of(s.id))]
        if not wanted:
            return {}
        key = tuple_(Issuable.project_id, Issuable.kind, Issuable.iid)
        return {
            Source(row.project_id, row.kind, str(row.iid)): _link(row)
            for row in _visible_issuables(actor, key.in_(wanted))
        }

    def post_system_note(self, actor: Actor, source: Source, text: str) -> None:
        """Add a note below the issue or merge request; nothing if it is gone."""
        kind = Issue if source.kind == "issue" else MergeRequest
        number = id_of(source.id)
        issuable = number and issuables.find(kind, source.project_id, number)
        user = db.session.get(User, int(actor.id))
        if issuable and user:
            issuables.add_system_note(issuable, user, text)


class Notifications:
    """Mail, which this forge keeps in a table."""

    def notify(self, actor_ids: Collection[str], subject: str, text: str, url: str) -> None:
        """The rows are there once the transaction is committed, or never."""
        known = [number for number in map(id_of, actor_ids) if number is not None]
        mails.send(known, subject, text, url)


def _visible_issuables(actor: Actor | None, which: ColumnElement[bool]) -> Iterable[Any]:
    """Issues of projects the actor sees, merge requests of those whose code the actor reads."""
    user_id = None if actor is None else int(actor.id)
    columns = select(
        Issuable.project_id, Issuable.kind, Issuable.iid, Issuable.title, Issuable.state,
        Project.full_path,
    ).join(Project, Project.id == Issuable.project_id)  # fmt: skip
    if actor is not None and actor.project_id is not None:
        columns = columns.where(Project.id == actor.project_id)
    issues = and_(Issuable.kind == "issue", visible(user_id, Right.SEE))
    return db.session.execute(columns.where(which, or_(issues, visible(user_id, Right.READ))))


def _link(row: Any) -> SourceLink:
    place = (row.full_path, row.kind, row.iid)
    return SourceLink(
        label=chrome.issuable_label(*place),
        title=row.title,
        url=chrome.issuable_url(*place),
        state=row.state,
    )
