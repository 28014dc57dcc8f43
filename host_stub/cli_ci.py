"""`flask --app host_stub ...`: committing files, starting and running pipelines and jobs."""

from __future__ import annotations

from pathlib import Path

import click
from flask import Flask, current_app
from flask.cli import AppGroup

from host_stub import repositories
from host_stub.cli import saying, the_project, the_user
from host_stub.database import db
from host_stub.issuables import find
from host_stub.merge_requests import MergeRequest
from host_stub.pipelines import (
    ENDED,
    Job,
    Pipeline,
    create_merge_request_pipeline,
    create_pipeline,
    finish_job,
    start_job,
)
from host_stub.runner import TIMEOUT, run_pipeline

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
commands = AppGroup()


def init_app(app: Flask) -> None:
    """Add the commands to `flask`."""
    for command in commands.commands.values():
        app.cli.add_command(command)


@commands.command("commit-files")
@click.argument("project")
@click.argument("folder", type=FOLDER)
@click.option("--user", required=True, help="The author.")
@click.option("--branch", default=repositories.DEFAULT_BRANCH)
@click.option("--from", "parent", help="Where a new branch begins, if not at the default branch.")
@click.option("--message", default="Add files")
def commit_files(
    project: str, folder: Path, user: str, branch: str, parent: str | None, message: str
) -> None:
    """Commit the files of a folder, and print the commit's sha. Other files stay as they are."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }
    with saying():
        sha = repositories.commit(
            the_project(project), branch, files, message, the_user(user), parent
        )
    click.echo(sha)


@commands.command("create-pipeline")
@click.argument("project")
@click.option("--user", required=True)
@click.option("--ref", default=repositories.DEFAULT_BRANCH, help="The branch.")
@click.option("--merge-request", type=int, help="Its number; then its source branch is taken.")
def create_pipeline_command(project: str, user: str, ref: str, merge_request: int | None) -> None:
    """Make a pipeline for the newest commit of a branch, and print its id for `run-pipeline`."""
    with saying():
        place, starter = the_project(project), the_user(user)
        if merge_request is None:
            made = create_pipeline(place, starter, ref=ref)
        else:
            found = find(MergeRequest, place.id, merge_request)
            if not isinstance(found, MergeRequest):
                raise ValueError(f"There is no merge request {merge_request}.")
            made = create_merge_request_pipeline(found, starter)
    click.echo(made.id)


@commands.command("run-pipeline")
@click.argument("pipeline_id", type=int)
@click.option("--base-url", default="http://127.0.0.1:5000", help="Where the forge is served.")
@click.option("--timeout", default=TIMEOUT, help="Seconds that a job may take.")
def run_pipeline_command(pipeline_id: int, base_url: str, timeout: float) -> None:
    """Run the jobs of a pipeline on this machine, WITHOUT ANY SANDBOX, and print how it ended."""
    if db.session.get(Pipeline, pipeline_id) is None:
        raise click.ClickException(f"There is no pipeline {pipeline_id}.")
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    click.echo(run_pipeline(app, pipeline_id, base_url, timeout=timeout))


@commands.command("start-job")
@click.argument("project")
@click.option("--user", required=True)
@click.option("--name", default="train")
@click.option("--ref", default="main")
@click.option("--sha", help="The commit; some commit if it is left out.")
@click.option("--merge-request", type=int, help="The number of the merge request it is for.")
def start_job_command(
    project: str, user: str, name: str, ref: str, sha: str | None, merge_request: int | None
) -> None:
    """Start a pipeline of one job; print the job's id and the secret of its token."""
    with saying():
        pipeline = create_pipeline(
            the_project(project), the_user(user), ref=ref, sha=sha, merge_request_iid=merge_request
        )
        job, secret = start_job(pipeline, name)
    click.echo(f"{job.id} {secret}")


@commands.command("finish-job")
@click.argument("job_id", type=int)
@click.argument("status", type=click.Choice(ENDED), default="success")
def finish_job_command(job_id: int, status: str) -> None:
    """End a job, and with it its token."""
    with saying():
        job = db.session.get(Job, job_id)
        if job is None:
            raise ValueError(f"There is no job {job_id}.")
        finish_job(job, status)
