"""Merge requests: a proposal to merge one branch into another, of the same project or of a fork.

The branches need not exist; then a merge request is a text about two names, and has no commits.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, String, false, func, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from host_stub import repositories
from host_stub.database import db
from host_stub.events import announce_state, branch_moved
from host_stub.issuables import Issuable, add_issuable, set_state
from host_stub.projects import Project
from host_stub.repositories import CommitInfo
from host_stub.repositories.folders import Numbered
from host_stub.repositories.names import SHA
from host_stub.users import User

MAX_OPEN = 20
"""Open merge requests of one commit or branch that are looked at."""


class MergeRequest(Issuable):
    """A proposal to merge one branch into another."""

    __mapper_args__ = {"polymorphic_identity": "merge_request"}

    source_branch: Mapped[str | None] = mapped_column(String(255))
    target_branch: Mapped[str | None] = mapped_column(String(255))
    # None in rows of earlier versions: the project itself. No foreign key, as for `Project`.
    source_project_id: Mapped[int | None] = mapped_column()
    # Where the target was just before this was merged into it.
    target_sha: Mapped[str | None] = mapped_column(String(64))
    # What `head_sha` was when the row changed last, to be found by; the repository knows it.
    known_head: Mapped[str | None] = mapped_column(String(64), index=True)

    @property
    def is_from_fork(self) -> bool:
        """Whether the source branch is one of another project."""
        return self.source_project_id not in (None, self.project_id)


def create_merge_request(
    project: Project,
    author: User,
    title: str,
    description: str = "",
    *,
    source_branch: str = "feature",
    target_branch: str = "main",
    source_project: Project | None = None,
) -> MergeRequest:
    """Open a merge request, from a branch of this project or of a fork; flushes.

    Raises `ValueError` for an empty title or too long a text, for a name that no branch can have,
    and if `source_project` is no fork of the project.
    """
    source = source_project or project
    if source.id != project.id and source.forked_from_id != project.id:
        raise ValueError(f"{source.full_path} is no fork of {project.full_path}.")
    for branch in (source_branch, target_branch):
        repositories.check_branch(branch)
    if (source.id, source_branch) == (project.id, target_branch):
        raise ValueError("Choose two different branches.")
    merge_request = MergeRequest(
        project=project,
        author=author,
        title=title,
        description=description,
        source_branch=source_branch,
        target_branch=target_branch,
        source_project_id=source.id,
    )
    add_issuable(merge_request, "last_merge_request")
    _keep_head(merge_request)
    announce_state(merge_request.source, project.value, "opened", author.value)
    return merge_request


def source_project(merge_request: MergeRequest) -> Project | None:
    """The project of the source branch; None if it was a fork that is deleted."""
    if not merge_request.is_from_fork:
        return merge_request.project
    return db.session.get(Project, merge_request.source_project_id)


def head_sha(merge_request: MergeRequest) -> str | None:
    """The newest commit of the source branch, at the end if it was merged or closed.

    The project's repository has it, also if it is a fork's. None if there never was such a branch.
    """
    return repositories.kept(merge_request.project, _name(merge_request))


def target_sha(merge_request: MergeRequest) -> str | None:
    """The newest commit of the target branch; once merged, what it was just before."""
    if merge_request.target_sha is not None:
        return merge_request.target_sha
    return repositories.branch_head(merge_request.project, merge_request.target_branch or "")


def base_sha(merge_request: MergeRequest) -> str | None:
    """The newest commit that source and target have in common."""
    head, target = head_sha(merge_request), target_sha(merge_request)
    if head is None or target is None:
        return None
    return repositories.merge_base(merge_request.project, head, target)


def commits_of(merge_request: MergeRequest, limit: int = 100) -> list[CommitInfo]:
    """The commits that it brings to the target branch, the newest first."""
    head, target = head_sha(merge_request), target_sha(merge_request)
    if head is None or target is None:
        return []
    return repositories.commits_between(merge_request.project, target, head, limit)


def shas_of(merge_request: MergeRequest, limit: int) -> list[str]:
    """As `commits_of`, the shas only."""
    head, target = head_sha(merge_request), target_sha(merge_request)
    if head is None or target is None:
        return []
    return repositories.shas_between(merge_request.project, target, head, limit)


def open_at(project: Numbered, sha: str, limit: int = MAX_OPEN) -> list[MergeRequest]:
    """The open ones into this project or from it whose head is this commit, in `_open`'s order."""
    if not SHA.fullmatch(sha):
        return []
    here = or_(MergeRequest.project_id == project.id, MergeRequest.source_project_id == project.id)
    found = _open(here, MergeRequest.known_head == sha, limit=limit)
    # The branch may have moved on in a transaction that was rolled back.
    return [each for each in found if head_sha(each) == sha]


def open_into(project: Numbered, branch: str, limit: int = MAX_OPEN) -> list[MergeRequest]:
    """The open ones into this branch of the project, in `_open`'s order."""
    if not repositories.is_branch(branch):
        return []
    into = MergeRequest.project_id == project.id
    return _open(into, MergeRequest.target_branch == branch, limit=limit)


def merge(merge_request: MergeRequest, user: User) -> None:
    """Merge the branches if they exist, and note it; flushes.

    Raises `repositories.Conflict`, a `ValueError`, if both have changed the same files.
    """
    if merge_request.state == "merged":
        return
    head, before = head_sha(merge_request), target_sha(merge_request)
    if head is not None and before is not None:
        merge_request.target_sha = before  # for who hears that the target has moved
        try:
            _merge(merge_request, head, user)
        except ValueError:
            merge_request.target_sha = None
            raise
    set_state(merge_request, user, "merged")


def reopen(merge_request: MergeRequest, user: User) -> None:
    """Open it again, with the commits that the source branch has now; flushes."""
    _keep_head(merge_request)
    set_state(merge_request, user, "opened")


@branch_moved.connect
def follow(_sender: object, *, project: Project, branch: str, **_more: Any) -> None:
    """Take the new commits of a source branch into the merge requests that are open for it."""
    source = MergeRequest.source_project_id
    is_source = (source == project.id) | (
        source.is_(None) & (MergeRequest.project_id == project.id)
    )
    is_open = (MergeRequest.source_branch == branch) & (MergeRequest.state == "opened")
    for merge_request in db.session.scalars(select(MergeRequest).where(is_source, is_open)):
        _keep_head(merge_request)


def _keep_head(merge_request: MergeRequest) -> None:
    source = source_project(merge_request)
    sha = source and repositories.branch_head(source, merge_request.source_branch or "")
    if source and sha:
        repositories.keep(merge_request.project, _name(merge_request), sha, source)
        merge_request.known_head = sha
        db.session.flush()


def _merge(merge_request: MergeRequest, head: str, user: User) -> None:
    target = merge_request.target_branch or ""
    message = (
        f"Merge branch '{merge_request.source_branch}' into '{target}'"
        f"\n\n{merge_request.title}\n\nMerge request !{merge_request.iid}"
    )
    repositories.merge(merge_request.project, head, target, user, message)


def _open(*conditions: ColumnElement[bool], limit: int) -> list[MergeRequest]:
    """Those of projects' own branches first, so that no stranger crowds them out; the newest first.

    Whoever has a fork can open as many as they like.
    """
    wanted = select(MergeRequest).where(MergeRequest.state == "opened", *conditions)
    is_from_fork = func.coalesce(MergeRequest.source_project_id != MergeRequest.project_id, false())
    order = (is_from_fork, MergeRequest.id.desc())
    return list(db.session.scalars(wanted.order_by(*order).limit(limit)))


def _name(merge_request: MergeRequest) -> str:
    return f"merge-requests/{merge_request.iid}/head"
