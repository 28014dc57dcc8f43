"""Who may do what in a project: role x visibility -> right, for one project or as SQL for many."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask import has_request_context, request
from sqlalchemy import ColumnElement, and_, bindparam, exists, false, or_, select

from host_stub.database import db
from host_stub.namespaces import Namespace
from host_stub.projects import Member, Project, Role, Visibility


class Right(StrEnum):
    """What somebody may do in a project."""

    SEE = "see the project"
    COMMENT = "open issues and comment"
    READ = "read merge requests, pipelines and experiments"
    WRITE = "write"
    MAINTAIN = "maintain"
    OWN = "own"


TO_SEE = {"issue": Right.SEE, "merge_request": Right.READ}
"""What it takes to see an issue or merge request, by its kind."""
_LEAST_ROLE = {Right.WRITE: Role.DEVELOPER, Right.MAINTAIN: Role.MAINTAINER, Right.OWN: Role.OWNER}


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands to a project: its visibility, and their role there (0: none)."""

    visibility: str
    role: int
    signed_in: bool

    def allows(self, right: Right) -> bool:
        """Whether somebody of this standing has the right."""
        if right in _LEAST_ROLE:
            return self.role >= _LEAST_ROLE[right]
        if right is Right.READ:
            return self._open or self.role >= Role.REPORTER
        seen = self._open or self.role > 0
        return seen and (self.signed_in or right is Right.SEE)

    @property
    def _open(self) -> bool:
        if self.visibility == Visibility.INTERNAL:
            return self.signed_in
        return self.visibility == Visibility.PUBLIC


_STANDING = (
    select(Project.visibility, Namespace.owner_id, Member.role)
    .join(Namespace, Namespace.id == Project.namespace_id)
    .outerjoin(
        Member, and_(Member.project_id == Project.id, Member.user_id == bindparam("user_id"))
    )
    .where(Project.id == bindparam("project_id"))
)


def standing(user_id: int | None, project_id: int) -> Standing | None:
    """How the user (None: nobody signed in) stands to the project; None if there is no project.

    One query, remembered until the request ends: the plugin asks for several abilities in a row.
    """
    known = request.environ.setdefault("host_stub.standings", {}) if has_request_context() else {}
    key = (user_id, project_id)
    if key not in known:
        known[key] = _query(user_id, project_id)
    result: Standing | None = known[key]
    return result


def visible(user_id: int | None, right: Right = Right.SEE) -> ColumnElement[bool]:
    """SQL for `Standing.allows` of SEE or READ, over the rows of `Project`."""
    least = Role.REPORTER if right is Right.READ else Role.GUEST
    if user_id is None:
        return Project.visibility == Visibility.PUBLIC
    return or_(Project.visibility != Visibility.PRIVATE, belongs_to(user_id, least))


def belongs_to(user_id: int | None, least: Role = Role.GUEST) -> ColumnElement[bool]:
    """SQL: the user has at least this role, over the rows of `Project`."""
    if user_id is None:
        return false()
    owned = select(Namespace.id).where(Namespace.owner_id == user_id)
    member = exists().where(
        Member.project_id == Project.id, Member.user_id == user_id, Member.role >= least
    )
    return or_(Project.namespace_id.in_(owned), member)


def _query(user_id: int | None, project_id: int) -> Standing | None:
    values = {"user_id": user_id, "project_id": project_id}
    row = db.session.execute(_STANDING, values).one_or_none()
    if row is None:
        return None
    return standing_of(row, user_id)


def standing_of(row: Any, user_id: int | None) -> Standing:
    """How the user stands to a project of this `visibility` and `owner_id`, with this `role`."""
    owns = user_id is not None and row.owner_id == user_id
    return Standing(row.visibility, Role.OWNER if owns else row.role or 0, user_id is not None)
