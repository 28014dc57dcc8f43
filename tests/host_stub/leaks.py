"""A public project where people talk about a candidate of a private one, and who reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from host_stub.database import db
from host_stub.issuables import Issuable, add_comment, add_system_note
from host_stub.issues import create_issue
from host_stub.merge_requests import create_merge_request
from host_stub.projects import Member, Project
from host_stub.users import User
from tests.factories import Forge


@dataclass(frozen=True)
class Talk:
    """`writer` and `member` may read the private project, `outsider` only the public one."""

    forge: Forge
    open: int
    closed: int
    writer: int
    member: int
    outsider: int

    @property
    def reference(self) -> str:
        """How the open project's texts name the candidate of the closed one."""
        return f"[candidate:{self.forge.path(self.closed)}/1]"

    @property
    def page(self) -> str:
        """Path of the candidate's page."""
        return f"/{self.forge.path(self.closed)}/-/ml/candidates/1"

    @contextmanager
    def rows(self, *user_ids: int) -> Iterator[tuple[Project, list[User]]]:
        """The open project and users as rows, in a context that commits."""
        with self.forge.stored():
            project = db.session.get_one(Project, self.open)
            yield project, [db.session.get_one(User, user_id) for user_id in user_ids]

    def say(self, kind: str = "issue") -> None:
        """Open number 1 of a kind, with the reference in all that can be said there."""
        make = {"issue": create_issue, "merge_request": create_merge_request}[kind]
        with self.rows(self.writer) as (project, (writer,)):
            made: Issuable = make(project, writer, f"See {self.reference}", self.reference)
            add_comment(made, writer, f"and {self.reference}")
            add_system_note(made, writer, f"mentioned {self.reference}")

    def expel(self, user_id: int) -> None:
        """Take a user's role in the private project away."""
        with self.forge.stored():
            db.session.delete(db.session.get_one(Member, (self.closed, user_id)))


def talk(forge: Forge) -> Talk:
    """A candidate in a private project, and nothing said about it yet."""
    open_, closed = forge.project("public"), forge.project("private")
    writer = forge.member(closed, "developer")
    forge.add_member(open_, writer, "developer")
    forge.api(closed, forge.token(writer)).create_run(run_name="secret-name")
    return Talk(forge, open_, closed, writer, forge.member(closed, "reporter"), forge.user())


def plain(html: str) -> str:
    """The words of some HTML."""
    return re.sub(r"<[^>]*>", "", html)
