"""Pipelines and their jobs. None is started here: that is the command line's, see `runner`."""

from __future__ import annotations

from flask import Blueprint, abort
from sqlalchemy import select
from werkzeug.wrappers import Response

from host_stub import chrome, forms, repositories
from host_stub.chrome import in_project, project_url, redirect_to
from host_stub.database import db
from host_stub.permissions import Right
from host_stub.pipelines import Job, Pipeline, finish_job
from host_stub.projects import Project

pipelines = Blueprint("pipelines", __name__, url_prefix=f"{chrome.PREFIX}/-")
PER_PAGE = 20
ID = "<int(max=2147483647):number>"


@pipelines.get("/pipelines")
@in_project(Right.READ)
def index(project: Project) -> str:
    """The newest first."""
    listed = select(Pipeline).where(Pipeline.project_id == project.id).order_by(Pipeline.id.desc())
    found = db.paginate(listed, page=forms.page_number(), per_page=PER_PAGE, error_out=False)
    return chrome.render("pipelines.html", project, "pipelines", found=found)


@pipelines.get(f"/pipelines/{ID}")
@in_project(Right.READ)
def show(project: Project, number: int) -> str:
    """One pipeline with its jobs."""
    pipeline = db.session.get(Pipeline, number)
    if pipeline is None or pipeline.project_id != project.id:
        abort(404)
    commit = repositories.commit_info(project, pipeline.sha)
    return chrome.render("pipeline.html", project, "pipelines", pipeline=pipeline, commit=commit)


@pipelines.get("/jobs")
@in_project(Right.READ)
def jobs(project: Project) -> str:
    """Jobs of all pipelines, the newest first."""
    listed = select(Job).join(Pipeline).where(Pipeline.project_id == project.id)
    found = db.paginate(
        listed.order_by(Job.id.desc()), page=forms.page_number(), per_page=PER_PAGE, error_out=False
    )
    return chrome.render("jobs.html", project, "pipelines", found=found)


@pipelines.get(f"/jobs/{ID}")
@in_project(Right.READ)
def job(project: Project, number: int) -> str:
    """One job."""
    found = _job(project, number)
    commit = repositories.commit_info(project, found.pipeline.sha)
    return chrome.render("job.html", project, "pipelines", job=found, commit=commit)


@pipelines.post(f"/jobs/{ID}/cancel")
@in_project(Right.WRITE)
def cancel(project: Project, number: int) -> Response:
    """End a job, and with it its token."""
    job = _job(project, number)
    if job.status == "running":
        finish_job(job, "canceled")
        db.session.commit()
    return redirect_to(project_url(project.full_path, f"jobs/{number}"))


def _job(project: Project, number: int) -> Job:
    job = db.session.get(Job, number)
    if job is None or job.pipeline.project_id != project.id:
        abort(404)
    return job
