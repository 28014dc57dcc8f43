"""What CI stamps on candidates, and reads of it: job, pipeline, commit, branch, merge request."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import bindparam, or_, select, update

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.host import Job
from gitlab_mlops.models import JobStamp
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.statements import dialect, insert_for

MAX_REF = 255
"""Characters of a branch that a stamp keeps; names of branches are compared as far as these."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """The CI job that logged a candidate; `url` is its page, as the forge gave it.

    `is_from_fork`: the code was not the project's own. `is_altered`: somebody else logged metrics
    or parameters too, so the values are not what CI measured.
    """

    candidate_id: int
    job_id: str
    pipeline_id: str
    sha: str
    ref: str
    merge_request: str
    url: str
    is_from_fork: bool
    is_altered: bool = False


def stamp(access: WriteAccess, candidate_id: int) -> None:
    """Note which job started a candidate; nothing if the actor is no job."""
    job = access.actor.job
    if job is None:
        return
    row = {
        "candidate_id": candidate_id,
        "project_id": access.project.id,
        "source_project_id": _source_of(job),
        "job_id": job.id,
        "pipeline_id": job.pipeline_id,
        "sha": job.sha,
        "ref": job.ref[:MAX_REF],
        "merge_request": job.merge_request,
        "url": job.url,
    }
    access.session.execute(_insert(dialect(access.session)), [row])


@cache
def _insert(dialect: str) -> Any:
    return insert_for(dialect, JobStamp)


def _source_of(job: Job) -> int:
    """The project whose code the job runs."""
    return job.project_id if job.source_project_id is None else job.source_project_id


_ALTER = (
    update(JobStamp)
    .where(JobStamp.candidate_id == bindparam("id"), JobStamp.altered_at.is_(None))
    .values(altered_at=bindparam("at"))
    .execution_options(synchronize_session=False)
)
_ALTER_UNLESS_OF = _ALTER.where(
    or_(JobStamp.sha != bindparam("by_sha"), JobStamp.source_project_id != bindparam("by_source"))
)


def note_alteration(access: WriteAccess, candidate_id: int, stamped_sha: str) -> None:
    """Before values are logged to a stamped candidate: note on its stamp who else than CI does it.

    Jobs of the same commit may log: the one that started it, a retry, a later stage. Everybody
    else who may write may log too, but then the values are not what CI measured of the commit.
    """
    if stamped_sha == commit_of_ci(access):
        return
    job = access.actor.job
    if job is None:
        access.session.execute(_ALTER, {"id": candidate_id, "at": now()})
        return
    by = {"by_sha": job.sha, "by_source": _source_of(job)}
    access.session.execute(_ALTER_UNLESS_OF, {"id": candidate_id, "at": now(), **by})


def commit_of_ci(access: WriteAccess) -> str | None:
    """The commit of the project's own code that the actor runs in CI; None for everybody else."""
    job = access.actor.job
    if job is None or _source_of(job) != access.project.id:
        return None
    return job.sha


def stamps_of(access: ReadAccess, candidate_ids: Collection[int]) -> dict[int, Stamp]:
    """The stamps of candidates (internal ids) of the project, by candidate; most have none."""
    if not candidate_ids:
        return {}
    statement = select(
        JobStamp.candidate_id,
        JobStamp.job_id,
        JobStamp.pipeline_id,
        JobStamp.sha,
        JobStamp.ref,
        JobStamp.merge_request,
        JobStamp.url,
        JobStamp.source_project_id != JobStamp.project_id,
        JobStamp.altered_at.is_not(None),
    ).where(JobStamp.project_id == access.project.id, JobStamp.candidate_id.in_(candidate_ids))
    return {row[0]: Stamp(*row) for row in access.session.execute(statement)}
