"""Tells the forge what the gate says, as a commit status that its merge requests can ask for."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Literal, NamedTuple

from gitlab_mlops.access import grant_self
from gitlab_mlops.host import Host, MergeRequest, Project, Repository
from gitlab_mlops.services.gate.results import Verdict, counts
from gitlab_mlops.services.gate.verdict import Known, evaluate, has_rules, read_policy

NAME = "mlops/gate"
MAX_BRANCH = 100
"""Characters of a branch that are a part of a status's name; of a longer one, there is a digest."""
MAX_EVALUATED = 20
"""Merge requests that are evaluated for one reason, should the forge name more."""

logger = logging.getLogger(__name__)


class Status(NamedTuple):
    """What a commit status says. No values and no names: not all who read it read candidates."""

    state: Literal["pending", "success", "failed"]
    description: str


_BROKEN = Status("failed", "The gate could not be evaluated.")
_GONE = Status("success", "The target branch has no policy any more.")


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why gates are evaluated, in one transaction.

    `in_ci`: CI is not done with the heads, and rules without a candidate wait for it.
    `old_target`: where the target branch was before, which may have had a policy. `known` is for
    `evaluate`.
    """

    in_ci: bool = False
    old_target: str = ""
    known: Known = field(default_factory=dict)


def publish_all(
    host: Host, merge_requests: Iterable[MergeRequest], occasion: Occasion | None = None
) -> None:
    """Publish for each of the merge requests once, and for no more than `MAX_EVALUATED`."""
    occasion = occasion or Occasion()
    found = {(each.project_id, each.id): each for each in merge_requests}
    # Always in the same order, or two transactions would wait for each other's statuses.
    for each in sorted(list(found.values())[:MAX_EVALUATED], key=_status_key):
        publish(host, each, occasion)


def publish(host: Host, merge_request: MergeRequest, occasion: Occasion) -> None:
    """Set the status of an open merge request's head commit, in the project that it is for.

    Without a policy nothing is said, unless there was one before.

    A forge that cannot read a repository or store a status (`OSError`, `ValueError`) does not lose
    the change that it announced: that is logged, and the gate is closed if it can be. All other
    errors are raised.
    """
    if host.repository is None or merge_request.state != "opened" or not merge_request.head_sha:
        return
    project = host.projects.by_id(merge_request.project_id)
    if project is None:
        return
    try:
        status = _status(host, host.repository, project, merge_request, occasion)
    except (OSError, ValueError):
        logger.exception("The gate of %s could not be evaluated.", merge_request.label)
        status = _BROKEN
    if status is not None:
        _set(host.repository, project, merge_request, status)


def name_of(repository: Repository, project: Project, branch: str) -> str:
    """What the status for merge requests into this branch is called.

    Each branch but the default one has a name of its own. A commit has one status of a name, and
    whoever opens a merge request chooses its target: with one name for all, the same commit into a
    branch without demands would overwrite what was said about it for `main`.
    """
    if branch == repository.default_branch(project):
        return NAME
    if len(branch) > MAX_BRANCH:
        branch = sha256(branch.encode()).hexdigest()
    return f"{NAME}/{branch}"


def _status_key(merge_request: MergeRequest) -> tuple[int, str, str]:
    return merge_request.project_id, merge_request.head_sha, merge_request.target_branch


def _set(
    repository: Repository, project: Project, merge_request: MergeRequest, status: Status
) -> None:
    try:
        repository.set_commit_status(
            project,
            merge_request.head_sha,
            name=name_of(repository, project, merge_request.target_branch),
            state=status.state,
            description=status.description,
            url=merge_request.url,
        )
    except (OSError, ValueError):
        logger.exception("The status of %s could not be stored.", merge_request.label)


def _status(
    host: Host,
    repository: Repository,
    project: Project,
    merge_request: MergeRequest,
    occasion: Occasion,
) -> Status | None:
    access = grant_self(host, project)
    judged = _own_twin(repository, project, merge_request)
    verdict = evaluate(access, host, judged, occasion.known)
    if verdict is not None:
        return _status_of(verdict, judged, occasion.in_ci)
    before = replace(judged, target_sha=occasion.old_target)
    had_policy = bool(occasion.old_target) and has_rules(read_policy(access, host, before))
    return _GONE if had_policy else None


def _own_twin(
    repository: Repository, project: Project, merge_request: MergeRequest
) -> MergeRequest:
    """The merge request of the project's own branch with the same commit and target, if any.

    A fork is judged more strictly, and a stranger who copies a branch must not close its gate.
    """
    if not merge_request.is_from_fork:
        return merge_request
    same = repository.merge_requests(project, merge_request.head_sha)
    for each in same:
        is_own = each.project_id == project.id and not each.is_from_fork
        if is_own and each.target_branch == merge_request.target_branch:
            return each
    return merge_request


def _status_of(verdict: Verdict, merge_request: MergeRequest, in_ci: bool) -> Status:
    if not verdict.results:
        return Status("failed", "The policy on the target branch has an error.")
    if verdict.state == "pending" or (in_ci and _is_waiting(verdict, merge_request)):
        passed = sum(each.outcome == "passed" for each in verdict.results)
        said = f"{passed} of {len(verdict.results)} rules passed so far"
        return Status("pending", f"Waiting for candidates; {said}")
    return Status("failed" if verdict.state == "failed" else "success", counts(verdict.results))


def _is_waiting(verdict: Verdict, merge_request: MergeRequest) -> bool:
    """Whether it failed for nothing but that CI has not logged candidates yet."""
    failed = [each for each in verdict.results if each.outcome == "failed"]
    return (
        bool(failed)
        and all(each.candidate is None for each in failed)
        and not merge_request.is_from_fork
    )
