"""What the page of a merge request shows of its branches, and from where one can be opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from host_stub import chrome, merge_requests, repositories
from host_stub.database import db
from host_stub.merge_requests import MergeRequest
from host_stub.permissions import Right, belongs_to, visible
from host_stub.pipelines import Pipeline, pipelines_of
from host_stub.projects import Project, Role
from host_stub.repositories import CommitInfo
from host_stub.statuses import CommitStatus, states_of, statuses
from host_stub.users import current_id

MAX_COMMITS = 100
MAX_FORKS = 50


@dataclass(frozen=True, slots=True)
class Proposal:
    """The commits of a merge request, and what is said of them, for whoever reads the page.

    `source` is the fork it came from; None if it came from none, or from one that the reader may
    not see. `has_branches` says whether merging moves the target branch.
    """

    source: Project | None
    head: str | None
    commits: list[CommitInfo]
    has_more: bool
    has_branches: bool
    states: dict[str, str]
    statuses: list[CommitStatus]
    pipelines: list[Pipeline]


def proposal(merge_request: MergeRequest) -> Proposal:
    """What the page shows."""
    project, head = merge_request.project, merge_requests.head_sha(merge_request)
    listed = merge_requests.commits_of(merge_request, MAX_COMMITS + 1)
    return Proposal(
        source=_seen_fork(merge_request),
        head=head,
        commits=listed[:MAX_COMMITS],
        has_more=len(listed) > MAX_COMMITS,
        has_branches=bool(head and merge_requests.target_sha(merge_request)),
        states=states_of(project, [info.sha for info in listed]),
        statuses=statuses(project, head) if head else [],
        pipelines=pipelines_of(project, head, 5) if head else [],
    )


def sources(project: Project) -> list[Project]:
    """The projects from whose branches the reader may open a merge request here.

    This one for those who write to it, and the forks that are theirs.
    """
    user_id = current_id()
    if user_id is None or not chrome.may(Right.READ):
        return []
    own = (Project.forked_from_id == project.id) & belongs_to(user_id, Role.DEVELOPER)
    forks = db.session.scalars(select(Project).where(own).order_by(Project.id).limit(MAX_FORKS))
    return [*([project] if chrome.may(Right.WRITE) else []), *forks]


def chosen(project: Project, source_id: int) -> Project:
    """The source project of a form; the first one if it names none.

    Raises `ValueError` if the reader may not open a merge request from it.
    """
    allowed = sources(project)
    found = [one for one in allowed if one.id == source_id] if source_id else allowed[:1]
    if not found:
        raise ValueError("Choose a project whose branches you may write to.")
    return found[0]


def branches_of(projects: Iterable[Project]) -> list[str]:
    """The names of all their branches."""
    return sorted({name for project in projects for name in repositories.branches(project)})


def _seen_fork(merge_request: MergeRequest) -> Project | None:
    if not merge_request.is_from_fork:
        return None
    is_it = Project.id == merge_request.source_project_id
    return db.session.scalar(select(Project).where(is_it, visible(current_id())))
