"""CI: pipelines, their jobs, and job tokens, which live as long as the job runs."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import ForeignKey, Integer, String, and_, bindparam, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

import gitlab_mlops
from gitlab_mlops import Actor
from host_stub.database import Base, db, now
from host_stub.projects import Project
from host_stub.tokens import digest_of
from host_stub.users import User

PREFIX = "glcbt-"
ENDED = ("success", "failed", "canceled")


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
        """What its jobs make of it: the worst of theirs, or that some still run."""
        states = {job.status for job in self.jobs}
        worst = ("running", "failed", "canceled", "success")
        return next((state for state in worst if state in states), "created")


class Job(Base):
    """One job of a pipeline; it has a token, kept as SHA-256, only while it runs."""

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
    pipeline: Mapped[Pipeline] = relationship(back_populates="jobs", lazy="joined")


def create_pipeline(
    project: Project,
    user: User,
    *,
    ref: str = "main",
    sha: str | None = None,
    merge_request_iid: int | None = None,
) -> Pipeline:
    """Start a pipeline for a commit (without `sha`: some commit); flushes."""
    pipeline = Pipeline(
        project_id=project.id,
        user=user,
        ref=ref,
        sha=sha or secrets.token_hex(20),
        merge_request_iid=merge_request_iid,
    )
    db.session.add(pipeline)
    db.session.flush()
    return pipeline


def start_job(pipeline: Pipeline, name: str, stage: str = "test") -> tuple[Job, str]:
    """Start a job; gives the row and the secret of its token. Flushes."""
    secret = PREFIX + secrets.token_urlsafe(24)
    job = Job(pipeline=pipeline, name=name, stage=stage, token_digest=digest_of(secret))
    db.session.add(job)
    db.session.flush()
    return job, secret


def finish_job(job: Job, status: str = "success") -> None:
    """End the job (`success`, `failed` or `canceled`), and its token with it; flushes."""
    if status not in ENDED:
        raise ValueError(f"A job ends as one of {', '.join(ENDED)}, not as {status}.")
    job.status, job.finished_at, job.token_digest = status, now(), None
    db.session.flush()


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
        url=f"/{row.username}",
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
        merge_request="" if row.merge_request_iid is None else str(row.merge_request_iid),
        url=f"/{row.full_path}/-/jobs/{row.id}",
    )
