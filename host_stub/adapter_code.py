"""The adapter's part about code: jobs of the CI, commits, merge requests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, cast

import gitlab_mlops
from gitlab_mlops import Actor, Project
from host_stub import chrome, issuables, merge_requests, pipelines, repositories, statuses
from host_stub.database import id_of
from host_stub.merge_requests import MergeRequest
from host_stub.permissions import Right, standing
from host_stub.repositories.folders import reading

MAX_COMMITS = 1000
MAX_FILE = 64 * 1024
"""Bytes of a file that the plugin reads."""


class CI:
    """Pipelines and jobs."""

    def job(self, project: Project, job_id: str) -> gitlab_mlops.Job | None:
        """The job of this project with this id."""
        number = id_of(job_id)
        return None if number is None else pipelines.find_job(project.id, number)


class Repository:
    """Commits and merge requests, as the repositories below the instance folder have them."""

    def default_branch(self, project: Project) -> str | None:
        """`main`, once there is a commit on it."""
        name = repositories.DEFAULT_BRANCH
        return None if repositories.branch_head(project, name) is None else name

    def merge_request(
        self, actor: Actor | None, project: Project, id: str
    ) -> gitlab_mlops.MergeRequest | None:
        """The one whose page the actor may open."""
        number = id_of(id)
        if number is None or not _may_read(actor, project):
            return None
        found = issuables.find(MergeRequest, project.id, number)
        return _value(found) if isinstance(found, MergeRequest) else None

    def merge_requests(self, project: Project, sha: str) -> Sequence[gitlab_mlops.MergeRequest]:
        """The open ones whose head is this commit, by an index."""
        return [_value(found) for found in merge_requests.open_at(project, sha)]

    def merge_requests_into(
        self, project: Project, branch: str
    ) -> Sequence[gitlab_mlops.MergeRequest]:
        """The open ones into this branch."""
        with reading(project):
            return [_value(found) for found in merge_requests.open_into(project, branch)]

    def commit_url(self, project: Project, sha: str) -> str | None:
        """The commit's page, for a full sha that the repository has."""
        if not _has(project, sha):
            return None
        return chrome.project_url(project.path, f"commit/{sha}")

    def read_file(self, project: Project, ref: str, path: str) -> str | None:
        """The text of a file, read without a work tree."""
        content = repositories.file_at(project, ref, path, max_bytes=MAX_FILE)
        if content is None:
            return None
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise ValueError(f"{path} is not UTF-8.") from None

    def reachable(self, project: Project, shas: Collection[str], ref: str) -> Collection[str]:
        """Found in one walk from the head, which ends at the oldest of them."""
        return repositories.reachable(project, shas, ref)

    def set_commit_status(
        self,
        project: Project,
        sha: str,
        *,
        name: str,
        state: Literal["pending", "success", "failed"],
        description: str,
        url: str,
    ) -> None:
        """Shown among the checks of the commit and of its merge requests."""
        if _has(project, sha):
            statuses.set_status(project, sha, name, state, description=description, target_url=url)


def _may_read(actor: Actor | None, project: Project) -> bool:
    """Whether the pages of the project's code open for the actor."""
    if actor is not None and actor.project_id not in (None, project.id):
        return False
    stand = standing(None if actor is None else int(actor.id), project.id)
    return stand is not None and stand.allows(Right.READ)


def _has(project: Project, sha: str) -> bool:
    """Whether the repository has a commit of this full sha."""
    return bool(repositories.known(project, [sha]))


def _value(found: MergeRequest) -> gitlab_mlops.MergeRequest:
    path = found.project.full_path
    return gitlab_mlops.MergeRequest(
        id=str(found.iid),
        project_id=found.project_id,
        source_project_id=found.source_project_id or found.project_id,
        source_branch=found.source_branch or "",
        target_branch=found.target_branch or "",
        head_sha=merge_requests.head_sha(found) or "",
        target_sha=merge_requests.target_sha(found) or "",
        commits=tuple(merge_requests.shas_of(found, MAX_COMMITS)),
        state=cast(Literal["opened", "merged", "closed"], found.state),
        label=chrome.issuable_label(path, found.kind, found.iid),
        title=found.title,
        url=chrome.issuable_url(path, found.kind, found.iid),
    )
