"""A runner for the demo and for tests: runs the jobs of a pipeline one after the other, here.

There is no sandbox at all. A script is run as the user who runs this, with that user's files and
network: run only pipelines of people who could as well sit at this machine.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from flask import Flask

from host_stub import repositories
from host_stub.ci_file import JobSpec, jobs_of
from host_stub.database import db
from host_stub.pipelines import (
    Job,
    Pipeline,
    add_job,
    finish_job,
    run_job,
    skip_job,
)
from host_stub.projects import Project
from host_stub.shell import run_script

COLOR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
TIMEOUT = 600.0
"""Seconds that a job may take."""


@dataclass(frozen=True, slots=True)
class Work:
    """A job to be run: its id, and the lines of its script."""

    job_id: int
    spec: JobSpec


def run_pipeline(app: Flask, pipeline_id: int, base_url: str, *, timeout: float = TIMEOUT) -> str:
    """Run what the commit's CI file says; returns how the pipeline ended.

    `base_url` is where the forge is served, for the jobs' tracking URI. All jobs of a stage are
    run; after one has failed, those of later stages are skipped. Commits in a context of its own,
    so the pipeline must be committed.
    """
    with app.app_context():
        stages = _prepare(db.session.get_one(Pipeline, pipeline_id))
        db.session.commit()
    failed = False
    for stage in stages:
        for work in stage:
            if failed:
                _skip(app, work.job_id)
            else:
                _run(app, work, base_url.rstrip("/"), timeout)
        failed = failed or not _all_good(app, stage)
    with app.app_context():
        return db.session.get_one(Pipeline, pipeline_id).status


def _prepare(pipeline: Pipeline) -> list[list[Work]]:
    """Add the jobs, by stage; one that has failed already if the file is no good."""
    project = db.session.get_one(Project, pipeline.project_id)
    try:
        specs = jobs_of(project, pipeline.sha)
    except ValueError as error:
        job = add_job(pipeline, "configuration", "prepare")
        job.log = str(error)
        finish_job(job, "failed")
        return []
    works = [Work(add_job(pipeline, spec.name, spec.stage).id, spec) for spec in specs]
    return [list(stage) for _, stage in groupby(works, key=lambda work: work.spec.stage)]


def _skip(app: Flask, job_id: int) -> None:
    with app.app_context():
        skip_job(db.session.get_one(Job, job_id))
        db.session.commit()


def _all_good(app: Flask, stage: list[Work]) -> bool:
    with app.app_context():
        return all(db.session.get_one(Job, work.job_id).status == "success" for work in stage)


def _run(app: Flask, work: Work, base_url: str, timeout: float) -> None:
    status, log = "failed", b"The runner was interrupted.\n"
    with tempfile.TemporaryDirectory(prefix="host-stub-job-") as name, app.app_context():
        job = db.session.get_one(Job, work.job_id)
        token = run_job(job)
        environment = _environment(job, token, base_url, Path(name))
        db.session.commit()
        try:
            status, log = _execute(work.job_id, work.spec, environment, Path(name), timeout)
        finally:
            db.session.rollback()  # look again: somebody may have canceled it
            job.log = _shown(log, token)
            if job.status == "running":
                finish_job(job, status)
            db.session.commit()


def _execute(
    job_id: int, spec: JobSpec, environment: Mapping[str, str], place: Path, timeout: float
) -> tuple[str, bytes]:
    """Check the commit out and run the script; how it ended, and what it printed."""
    job = db.session.get_one(Job, job_id)
    project = db.session.get_one(Project, job.pipeline.project_id)
    build = Path(environment["CI_PROJECT_DIR"])
    url = f"{environment['CI_SERVER_URL']}/{project.full_path}.git"
    repositories.check_out(project, job.pipeline.sha, job.pipeline.ref, build, url=url)
    db.session.rollback()  # no transaction stays open while the script runs
    return run_script(spec.script, build, environment, place, timeout, lambda: _is_canceled(job_id))


def _is_canceled(job_id: int) -> bool:
    try:
        return db.session.get_one(Job, job_id, populate_existing=True).status != "running"
    finally:
        db.session.rollback()


def _environment(job: Job, token: str, base_url: str, place: Path) -> dict[str, str]:
    """All that a script sees: nothing of the environment of the forge itself but the PATH."""
    pipeline = job.pipeline
    project = db.session.get_one(Project, pipeline.project_id)
    home = place / "home"
    home.mkdir()
    given = {
        "CI": "true",
        "CI_JOB_ID": str(job.id),
        "CI_JOB_NAME": job.name,
        "CI_JOB_TOKEN": token,
        "CI_PIPELINE_ID": str(pipeline.id),
        "CI_COMMIT_SHA": pipeline.sha,
        "CI_COMMIT_REF_NAME": pipeline.ref,
        "CI_PROJECT_ID": str(project.id),
        "CI_PROJECT_PATH": project.full_path,
        "CI_PROJECT_DIR": str(place / "build"),
        "CI_SERVER_URL": base_url,
        "MLFLOW_TRACKING_URI": f"{base_url}/api/v4/projects/{project.id}/ml/mlflow",
        "MLFLOW_TRACKING_TOKEN": token,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
    }
    if pipeline.merge_request_iid is not None:
        given["CI_MERGE_REQUEST_IID"] = str(pipeline.merge_request_iid)
    return given


def _shown(log: bytes, token: str) -> str:
    plain = COLOR.sub("", log.decode(errors="replace").replace("\0", ""))
    return plain.replace(token, "[MASKED]")
