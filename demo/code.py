"""The demo's code: commits, a policy for its quality, and pipelines that train what they say."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from demo import texts
from demo.errors import DemoError
from host_stub import pipelines, repositories
from host_stub.database import db
from host_stub.issuables import find
from host_stub.merge_requests import MergeRequest
from host_stub.projects import Project, find_project
from host_stub.runner import run_pipeline
from host_stub.users import User, find_user

SCRIPT = Path(__file__).with_name("train.py")
BRANCH = "alice/neural-network"


def commit_all(project: Project, alice: User, bob: User, epochs: int) -> None:
    """Commit the tree that is in use to the default branch, and a network to a branch."""
    main = repositories.DEFAULT_BRANCH
    begin = {"README.md": texts.README, "train.py": SCRIPT.read_text()}
    repositories.commit(project, main, begin, "Train a decision tree", alice)
    ci = {".stub-ci.yml": texts.CI_FILE.format(models="trees", epochs=epochs)}
    repositories.commit(project, main, ci, "Train in CI", alice)
    policy = {".mlops.yml": texts.POLICY}
    repositories.commit(project, main, policy, "Say how good a model must be", bob)
    readme = {"README.md": f"{texts.README}{texts.README_NETWORK}"}
    repositories.commit(project, BRANCH, readme, "Say what the networks are for", alice)
    ci = {".stub-ci.yml": texts.CI_FILE.format(models="networks", epochs=epochs)}
    repositories.commit(project, BRANCH, ci, "Train small neural networks", alice)


def run_pipelines(app: Flask, path: str, username: str, origin: str) -> None:
    """Run CI on the default branch and then for merge request 1; tell how their jobs ended."""
    for iid in (None, 1):
        with app.app_context():
            project, user = find_project(path), find_user(username)
            assert project is not None
            assert user is not None
            pipeline = _start(project, user, iid)
            number, ref = pipeline.id, pipeline.ref
            db.session.commit()
        print(f"Pipeline {number} on {ref}", flush=True)
        status = run_pipeline(app, number, origin)
        _tell(app, number, status)


def _start(project: Project, user: User, merge_request: int | None) -> pipelines.Pipeline:
    if merge_request is None:
        return pipelines.create_pipeline(project, user)
    found = find(MergeRequest, project.id, merge_request)
    assert isinstance(found, MergeRequest)
    return pipelines.create_merge_request_pipeline(found, user)


def _tell(app: Flask, pipeline_id: int, status: str) -> None:
    """Print what its jobs said about models; raise `DemoError` if it has failed."""
    with app.app_context():
        jobs = db.session.get_one(pipelines.Pipeline, pipeline_id).jobs
        log = "\n".join(job.log or "" for job in jobs)
    if status != "success":
        tail = "\n".join(log.splitlines()[-20:])
        raise DemoError(f"Pipeline {pipeline_id} has {status}:\n{tail}")
    print("\n".join(line for line in log.splitlines() if line.startswith("  ")), flush=True)
