"""Merge requests. The stub has no repositories, so they are a text about two branches."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from host_stub.issuables import Issuable, add_issuable
from host_stub.projects import Project
from host_stub.users import User


class MergeRequest(Issuable):
    """A proposal to merge one branch into another."""

    __mapper_args__ = {"polymorphic_identity": "merge_request"}

    source_branch: Mapped[str | None] = mapped_column(String(255))
    target_branch: Mapped[str | None] = mapped_column(String(255))


def create_merge_request(
    project: Project,
    author: User,
    title: str,
    description: str = "",
    *,
    source_branch: str = "feature",
    target_branch: str = "main",
) -> MergeRequest:
    """Open a merge request; flushes. Raises `ValueError` for an empty title or too long a text."""
    merge_request = MergeRequest(
        project=project,
        author=author,
        title=title,
        description=description,
        source_branch=source_branch,
        target_branch=target_branch,
    )
    add_issuable(merge_request, "last_merge_request")
    return merge_request
