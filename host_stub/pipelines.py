"""CI: pipelines, their jobs, and job tokens, which live as long as the job runs."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import ForeignKey, Integer, String, Text, and_, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

import gitlab_mlops
from gitlab_mlops import Actor
from host_stub import chrome, repositories
from host_stub.database import Base, db, now
from host_stub.events import announce_pipeline_finished
from host_stub.merge_requests import MergeRequest, source_project
from host_stub.projects import Project
from host_stub.tokens import digest_of
from host_stub.users import User

PREFIX = "glcbt-"
ENDED = ("success", "failed", "canceled")
# How a pipeline is called if a job of it is in this state, the worst first.
WORST = ("failed", "canceled", "success", "skipped")


class Pipeline(Base):
    """A run of a project's CI on a commit; `merge_request_iid` says for which merge request."""

    __tablename__ = "pipelines"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    ref: Mapped[str] = mapped_column(String(255))
    sha: Mapped[str] = mapped_column(String(64))
    merge_request_iid: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[int] = mapped_column(default=now)
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)
    jobs: Mapped[list[Job]] = relationship(
        back_populates="pipeline", order_by="Job.id", lazy="selectin", passive_deletes=True
    )

    @property
    def status(self) -> str:
        """What its jobs make of it: the worst of theirs, or that it has not ended."""
        states = {job.status for job in self.jobs}
        if "running" in states or {"created"} < states:
            return "running"
        return next((state for state in WORST if state in states), "created")


class Job(Base):
    """One job of a pipeline; it has a token, kept as SHA-256, only while it runs.

    It is `created`, then `running`, and one of `ENDED` at last; or `skipped`, because one before
    it has failed.
    """

    __tablename__ = "jobs"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    pipeline_id: Mapped[int] = mapped_column(
        ForeignKey("pipelines.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str] = mapped_column(String(255))
    stage: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(8), default="running")
    token_digest: Mapped[str | None] = mapped_column(String(64), unique=True)
    started_at: Mapped[int] = mapped_column(default=now)
    finished_at: Mapped[int | None] = mapped_column()
    # What its script printed. Lists of jobs do without.
    log: Mapped[str | None] = mapped_column(Text, deferred=True)
    pipeline: Mapped[Pipeline] = relationship(back_populates="jobs", lazy="joined")


def create_pipeline(
    project: Project,
    user: User,
    *,
    ref: str = "main",
    sha: str | None = None,
    merge_request_iid: int | None = None,
) -> Pipeline:
    """Start a pipeline for a commit, without `sha` the newest of the branch `ref`; flushes.

    If there is no such branch, it is for some commit that nobody knows.
    """
    pipeline = Pipeline(
        project_id=project.id,
        user=user,
        ref=ref,
        sha=sha or repositories.branch_head(project, ref) or secrets.token_hex(20),
        merge_request_iid=merge_request_iid,
    )
    db.session.add(pipeline)
    db.session.flush()
    return pipeline


def create_merge_request_pipeline(merge_request: MergeRequest, user: User) -> Pipeline:
    """Start a pipeline for the newest commit of a merge request; flushes.

    It runs where the source branch is. From a fork, it is a pipeline of the fork: what strangers
    wrote gets no token for this project, and the numbers of merge requests there are others.
    """
    project = source_project(merge_request)
    if project is None:
        raise ValueError("The fork that this came from is deleted.")
    return create_pipeline(
        project,
        user,
        ref=merge_request.source_branch or "",
        merge_request_iid=None if merge_request.is_from_fork else merge_request.iid,
    )


def pipelines_of(project: Project, sha: str, limit: int = 20) -> list[Pipeline]:
    """The pipelines of a commit, the newest first; at most `limit`."""
    its = select(Pipeline).where(Pipeline.project_id == project.id, Pipeline.sha == sha)
    return list(db.session.scalars(its.order_by(Pipeline.id.desc()).limit(limit)))


def add_job(pipeline: Pipeline, name: str, stage: str = "test") -> Job:
    """Add a job that is to run later; flushes."""
    job = Job(pipeline=pipeline, name=name, stage=stage, status="created")
    db.session.add(job)
    db.session.flush()
    return job


def start_job(pipeline: Pipeline, name: str, stage: str = "test") -> tuple[Job, str]:
    """Add a job and start it; gives the row and the secret of its token. Flushes."""
    job = add_job(pipeline, name, stage)
    return job, run_job(job)


def run_job(job: Job) -> str:
    """Start a job that was added; gives the secret of its token. Flushes."""
    secret = PREFIX + secrets.token_urlsafe(24)
    job.status, job.started_at, job.token_digest = "running", now(), digest_of(secret)
    db.session.flush()
    return secret


def skip_job(job: Job) -> None:
    """Give up a job that was not started; flushes."""
    _end(job, "skipped")


def finish_job(job: Job, status: str = "success") -> None:
    """End the job (`success`, `failed` or `canceled`), and its token with it; flushes.

    If it was the last one of its pipeline, that is announced.
    """
    if status not in ENDED:
        raise ValueError(f"A job ends as one of {', '.join(ENDED)}, not as {status}.")
    _end(job, status)


def _end(job: Job, status: str) -> None:
    pipeline = job.pipeline
    its = select(Pipeline.id).where(Pipeline.id == pipeline.id)
    # Of two jobs that end at once, one waits, and then sees that it is the last.
    db.session.execute(its.with_for_update(key_share=True))
    job.status, job.finished_at, job.token_digest = status, now(), None
    db.session.flush()
    jobs = select(Job).where(Job.pipeline_id == pipeline.id)
    db.session.scalars(jobs, execution_options={"populate_existing": True}).all()
    if pipeline.status not in ("created", "running"):
        project = db.session.get_one(Project, pipeline.project_id)
        announce_pipeline_finished(
            project.value, pipeline.id, pipeline.ref, pipeline.sha, pipeline.status,
            _merge_request(pipeline.merge_request_iid),
        )  # fmt: skip


_JOBS = (
    select(
        Job.id,
        Job.status,
        Pipeline.id.label("pipeline_id"),
        Pipeline.project_id,
        Pipeline.ref,
        Pipeline.sha,
        Pipeline.merge_request_iid,
        Project.full_path,
    )
    .join(Pipeline, Pipeline.id == Job.pipeline_id)
    .join(Project, Project.id == Pipeline.project_id)
)
_BY_DIGEST = (
    _JOBS.add_columns(
        User.id.label("user_id"), User.username, User.name.label("user_name"), User.is_blocked
    )
    .join(User, User.id == Pipeline.user_id)
    .where(and_(Job.token_digest == bindparam("digest"), Job.status == "running"))
)


def actor_of(secret: str) -> Actor | None:
    """Whoever started the pipeline, as the running job with this token; None if there is none."""
    row = db.session.execute(_BY_DIGEST, {"digest": digest_of(secret)}).one_or_none()
    if row is None or row.is_blocked:
        return None
    return Actor(
        id=str(row.user_id),
        username=row.username,
        name=row.user_name,
        url=chrome.root(row.username),
        project_id=row.project_id,
        job=_job_value(row),
    )


def find_job(project_id: int, job_id: int) -> gitlab_mlops.Job | None:
    """The job of this project with this id as the plugin knows jobs, or None."""
    mine = _JOBS.where(Pipeline.project_id == project_id, Job.id == job_id)
    row = db.session.execute(mine).one_or_none()
    return None if row is None else _job_value(row)


def _job_value(row: Any) -> gitlab_mlops.Job:
    return gitlab_mlops.Job(
        id=str(row.id),
        project_id=row.project_id,
        pipeline_id=str(row.pipeline_id),
        sha=row.sha,
        ref=row.ref,
        merge_request=_merge_request(row.merge_request_iid),
        url=chrome.project_url(row.full_path, f"jobs/{row.id}"),
    )


def _merge_request(iid: int | None) -> str:
    return "" if iid is None else str(iid)
