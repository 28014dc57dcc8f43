"""What CI stamps on candidates, and reads of it: job, pipeline, commit, branch, merge request."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import select

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.models import JobStamp
from gitlab_mlops.services.statements import dialect, insert_for


@dataclass(frozen=True, slots=True)
class Stamp:
    """The CI job that logged a candidate; `url` is its page, as the forge gave it.

    `is_from_fork`: the code was not the project's own.
    """

    candidate_id: int
    job_id: str
    pipeline_id: str
    sha: str
    ref: str
    merge_request: str
    url: str
    is_from_fork: bool


def stamp(access: WriteAccess, candidate_id: int) -> None:
    """Note which job started a candidate; nothing if the actor is no job."""
    job = access.actor.job
    if job is None:
        return
    source = job.project_id if job.source_project_id is None else job.source_project_id
    row = {
        "candidate_id": candidate_id,
        "project_id": access.project.id,
        "source_project_id": source,
        "job_id": job.id,
        "pipeline_id": job.pipeline_id,
        "sha": job.sha,
        "ref": job.ref,
        "merge_request": job.merge_request,
        "url": job.url,
    }
    access.session.execute(_insert(dialect(access.session)), [row])


@cache
def _insert(dialect: str) -> Any:
    return insert_for(dialect, JobStamp)


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
    ).where(JobStamp.project_id == access.project.id, JobStamp.candidate_id.in_(candidate_ids))
    return {row[0]: Stamp(*row) for row in access.session.execute(statement)}
