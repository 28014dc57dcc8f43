"""Issues."""

from __future__ import annotations

from host_stub.events import announce_state
from host_stub.issuables import Issuable, add_issuable
from host_stub.projects import Project
from host_stub.users import User


class Issue(Issuable):
    """Something to talk about."""

    __mapper_args__ = {"polymorphic_identity": "issue"}


def create_issue(project: Project, author: User, title: str, description: str = "") -> Issue:
    """Open an issue; flushes. Raises `ValueError` if the title is empty or a text too long."""
    issue = Issue(project=project, author=author, title=title, description=description)
    add_issuable(issue, "last_issue")
    announce_state(issue.source, project.value, "opened", author.value)
    return issue
