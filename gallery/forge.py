"""The gallery's forge: its people and their project, and what they say about the candidates."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import select

from demo.instance import Keys
from gallery import texts
from gitlab_mlops import migrations
from gitlab_mlops.models import Candidate
from host_stub import issuables, pipelines, projects, repositories, tokens
from host_stub.database import DAY, db, now
from host_stub.issues import Issue, create_issue
from host_stub.merge_requests import MergeRequest, create_merge_request
from host_stub.namespaces import create_group
from host_stub.users import User, create_user, find_user

GROUP = "research"
PROJECT = f"{GROUP}/clinic"
BRANCH = "alice/neural-network"


@dataclass(frozen=True)
class Job:
    """A job of the project's CI that trains, with the token it logs with."""

    id: int
    token: str
    environment: dict[str, str]
    """What CI tells a job about itself, by GitLab's names."""


def make(app: Flask, origin: str) -> tuple[Keys, str]:
    """Make the tables, the people and the project; how to get in, and Bob's token."""
    passwords = [secrets.token_urlsafe(12) for _ in range(3)]
    with app.app_context():
        db.create_all()
        migrations.upgrade(db.engine)
        alice = create_user("alice", passwords[0], name="Alice Archer")
        bob = create_user("bob", passwords[1], name="Bob Brandt")
        create_user("carol", passwords[2], name="Carol Chen")
        project = _make_project(alice, bob)
        _commit(project, alice, bob)
        create_issue(project, bob, texts.ISSUE_TITLE, texts.ISSUE)
        create_merge_request(
            project, alice, texts.MERGE_REQUEST_TITLE, texts.MERGE_REQUEST, source_branch=BRANCH
        )
        token, token_of_bob = (
            tokens.create_token(user, "gallery", ["api"], expires_at=now() + 30 * DAY)[1]
            for user in (alice, bob)
        )
        db.session.commit()
        keys = Keys(
            tracking_uri=f"{origin}/api/v4/projects/{project.id}/ml/mlflow",
            token=token,
            web_url=f"{origin}/{PROJECT}",
            user="alice",
            password=passwords[0],
            reader="carol",
            reader_password=passwords[2],
        )
        return keys, token_of_bob


def _make_project(owner: User, colleague: User) -> projects.Project:
    name, description = texts.PROJECT
    group = create_group(GROUP, owner, name="Research")
    project = projects.create_project(
        group, PROJECT.rpartition("/")[2], visibility="public", name=name, description=description
    )
    projects.add_member(project, colleague, projects.Role.DEVELOPER)
    return project


def _commit(project: projects.Project, owner: User, colleague: User) -> None:
    """Commit what the jobs train, and what the default branch demands of a network."""
    code = {path.name: path.read_text() for path in Path(__file__).parent.glob("*.py")}
    main = repositories.DEFAULT_BRANCH
    repositories.commit(project, main, code, "Try many models on the data of the clinic", owner)
    policy = {".mlops.yml": texts.POLICY}
    repositories.commit(project, main, policy, "Say how good a network must be", colleague)
    chosen = {"chosen.txt": "adam\n"}
    repositories.commit(project, BRANCH, chosen, "Train the networks with Adam", owner)


def start_job(app: Flask, name: str, *, ref: str = "main") -> Job:
    """Start a CI job on the newest commit of a branch."""
    with app.app_context():
        project = _project()
        pipeline = pipelines.create_pipeline(
            project, _user("alice"), ref=ref, merge_request_iid=1 if ref == BRANCH else None
        )
        job, token = pipelines.start_job(pipeline, name)
        db.session.commit()
        environment = {
            "CI_JOB_ID": str(job.id),
            "CI_JOB_NAME": name,
            "CI_PIPELINE_ID": str(pipeline.id),
            "CI_COMMIT_SHA": pipeline.sha,
            "CI_COMMIT_REF_NAME": ref,
        }
        return Job(job.id, token, environment)


def finish_job(app: Flask, job: Job) -> None:
    """End a job, and its token with it."""
    with app.app_context():
        row = db.session.get(pipelines.Job, job.id)
        if row is not None:
            pipelines.finish_job(row, "success")
            db.session.commit()


def numbers(app: Flask) -> dict[str, int]:
    """The number by which the project counts each candidate, by what MLflow calls its run."""
    with app.app_context():
        rows = db.session.execute(select(Candidate.eid, Candidate.iid))
        return {row.eid: row.iid for row in rows}


def tell(app: Flask, words: dict[str, Any]) -> None:
    """Say in the merge request and the issue which candidates are the best."""
    with app.app_context():
        alice, bob, project = _user("alice"), _user("bob"), _project()
        merge_request = issuables.find(MergeRequest, project.id, 1)
        issue = issuables.find(Issue, project.id, 1)
        assert merge_request is not None
        assert issue is not None
        description = texts.MERGE_REQUEST_DONE.format(**words)
        issuables.edit(merge_request, alice, title=merge_request.title, description=description)
        issuables.add_comment(merge_request, bob, texts.REVIEW.format(**words))
        issuables.add_comment(issue, alice, texts.ISSUE_ANSWER.format(**words))
        db.session.commit()


def _project() -> projects.Project:
    project = projects.find_project(PROJECT)
    assert project is not None
    return project


def _user(username: str) -> User:
    user = find_user(username)
    assert user is not None, username
    return user
