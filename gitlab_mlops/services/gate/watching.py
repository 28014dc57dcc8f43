"""When to say again what a gate finds: something changed that a verdict depends on.

For one event at most `MAX_EVALUATED` merge requests are evaluated with a commit as their head,
and as many into a branch. The others keep what was said last until they change themselves; pages
always evaluate anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gitlab_mlops.host import Actor, Host, MergeRequest, Project, Repository
from gitlab_mlops.models import Candidate, JobStamp
from gitlab_mlops.services.gate.publish import Occasion, publish_all
from gitlab_mlops.services.statements import dialect
from gitlab_mlops.services.transactions import before_commit

MAX_CHANGES = 20
"""Commits, and branches, whose candidates may change in one transaction and are looked at."""
_LOCK = 0x6D6C6F7073
"""A number of our own, so that no other advisory lock is met by chance."""


class Change(NamedTuple):
    """A candidate that counts in a project has changed; `ref`: it can be a baseline there.

    `in_ci`: it was CI that changed it, and will change more.
    """

    project: Project
    sha: str = ""
    ref: str = ""
    in_ci: bool = False


def pipeline_finished(host: Host, project: Project, ref: str, sha: str) -> None:
    """CI is done with a commit: for those who propose it, and for those into its branch."""
    if host.repository is not None:
        _take_turn(host, project)
        publish_all(host, _at(host.repository, project, sha))
        publish_all(host, _into(host.repository, project, ref))


def branch_moved(host: Host, project: Project, branch: str, old: str, new: str) -> None:
    """A branch leads elsewhere: its merge requests have a new head, or a new policy and base."""
    if host.repository is not None:
        _take_turn(host, project)
        publish_all(host, _at(host.repository, project, new), Occasion(in_ci=True))
        publish_all(host, _into(host.repository, project, branch), Occasion(old_target=old))


def opened(host: Host, project: Project, id: str, actor: Actor) -> None:
    """A merge request is open, for the first time or again, or has another target."""
    if host.repository is not None:
        found = host.repository.merge_request(actor, project, id)
        if found is not None:
            _take_turn(host, project)
            publish_all(host, [found])


def candidate_changed(
    host: Host,
    session: Session,
    project: Project,
    iid: int,
    *,
    as_baseline: bool = False,
    in_ci: bool = False,
) -> None:
    """A candidate ended, or went to the trash or came back: publish before the commit.

    Whoever moves a thousand candidates to the trash moves those of a few commits. Candidates that
    no gate counts change nothing. `as_baseline`: also for merge requests into its branch. `in_ci`:
    a job did it, so that the pipeline goes on.
    """
    if host.repository is None:
        return  # nobody proposes anything, and every candidate that ends comes by here
    found = session.execute(
        select(JobStamp.sha, JobStamp.ref)
        .join(Candidate, Candidate.id == JobStamp.candidate_id)
        .where(
            Candidate.project_id == project.id,
            Candidate.iid == iid,
            JobStamp.project_id == project.id,
            JobStamp.source_project_id == project.id,
        )
    ).one_or_none()
    if found is None:
        return
    changes = [Change(project, sha=found.sha, in_ci=in_ci)]
    if as_baseline:
        changes.append(Change(project, ref=found.ref))
    before_commit(session, "gates", changes, partial(_publish_changes, host))


def _publish_changes(host: Host, changes: list[Change]) -> None:
    if host.repository is None:
        return
    # A session is one project's, but for forges that change several in one transaction.
    for project in sorted({change.project for change in changes}, key=lambda each: each.id):
        _take_turn(host, project)
    shas = [change for change in changes if change.sha]
    refs = [change for change in changes if change.ref]
    for change in shas[:MAX_CHANGES]:
        occasion = Occasion(in_ci=change.in_ci)
        publish_all(host, _at(host.repository, change.project, change.sha), occasion)
    for change in refs[:MAX_CHANGES]:
        publish_all(host, _into(host.repository, change.project, change.ref))


def _take_turn(host: Host, project: Project) -> None:
    """Until the commit, let nobody else evaluate for what happens in the project.

    Of two candidates that end at once, each transaction would see its own one only, and what the
    slower one says would stay. On SQLite, whoever has written is alone anyway.
    """
    session = host.session(project)
    if dialect(session) == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock((_LOCK + project.id) % 2**63)))


def _at(repository: Repository, project: Project, sha: str) -> Sequence[MergeRequest]:
    return repository.merge_requests(project, sha) if sha else ()


def _into(repository: Repository, project: Project, branch: str) -> Sequence[MergeRequest]:
    return repository.merge_requests_into(project, branch) if branch else ()
