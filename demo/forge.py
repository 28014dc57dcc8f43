"""The demo's forge: its people and projects, and what they say about the candidates."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Flask
from sqlalchemy import select

from demo import code, texts
from demo.instance import Keys
from gitlab_mlops import migrations
from gitlab_mlops.models import Candidate
from host_stub import issuables, projects, tokens
from host_stub.database import DAY, create_tables, db, now
from host_stub.issues import Issue, create_issue
from host_stub.merge_requests import MergeRequest, create_merge_request
from host_stub.namespaces import create_group
from host_stub.users import User, create_user, find_user

GROUP = "research"
OPEN = f"{GROUP}/handwriting"
CLOSED = f"{GROUP}/tumours"
SHOWN = 3
"""Candidates in the table of the merge request, besides the baseline."""
BASELINE = "tree-grid"
SAMPLES = 450
"""Digits that `train.py` holds out."""
Runs = list[dict[str, Any]]


def make(app: Flask, origin: str, epochs: int) -> Keys:
    """Make the tables, the people and the projects; how to get in, with random passwords.

    `epochs` is how long the CI is to train each network.
    """
    passwords = [secrets.token_urlsafe(12) for _ in range(3)]
    with app.app_context():
        db.create_all()
        migrations.upgrade(db.engine)
        alice = create_user("alice", passwords[0], name="Alice Archer")
        bob = create_user("bob", passwords[1], name="Bob Brandt")
        create_user("carol", passwords[2], name="Carol Chen")
        open_project, _ = _make_projects(alice, bob)
        code.commit_all(open_project, alice, bob, epochs)
        create_issue(open_project, bob, texts.ISSUE_TITLE, texts.ISSUE)
        create_merge_request(
            open_project, alice, texts.MERGE_REQUEST_TITLE, texts.MERGE_REQUEST,
            source_branch=code.BRANCH,
        )  # fmt: skip
        _, token = tokens.create_token(alice, "demo", ["api"], expires_at=now() + 30 * DAY)
        db.session.commit()
        return Keys(
            tracking_uri=tracking_uri(origin, open_project),
            token=token,
            web_url=f"{origin}/{OPEN}",
            user="alice",
            password=passwords[0],
            reader="carol",
            reader_password=passwords[2],
        )


def upgrade(app: Flask) -> None:
    """Bring the tables of an earlier demo to this version."""
    with app.app_context():
        create_tables()
        migrations.upgrade(db.engine)


def tracking_uri(origin: str, project: projects.Project) -> str:
    """Where the project's candidates are logged to."""
    return f"{origin}/api/v4/projects/{project.id}/ml/mlflow"


def closed_uri(app: Flask, origin: str) -> str:
    """The tracking URI of the private project."""
    with app.app_context():
        return tracking_uri(origin, _project(CLOSED))


def number_of(app: Flask, run: dict[str, Any]) -> int:
    """The number by which a project counts the candidate that MLflow calls this run."""
    with app.app_context():
        wanted = select(Candidate.iid).where(Candidate.eid == run["info"]["run_id"])
        return db.session.scalars(wanted).one()


def tell(app: Flask, origin: str, runs: Runs, closed_runs: Runs) -> None:
    """Say in the merge request and in the issues which candidates are the best."""
    best, baseline = runs[0], next(run for run in runs if _name(run) == BASELINE)
    at = {run["info"]["run_id"]: number_of(app, run) for run in [*runs, *closed_runs]}
    words = {
        "best": f"[candidate:{at[best['info']['run_id']]}]",
        "baseline": f"[candidate:{at[baseline['info']['run_id']]}]",
        "closed": f"[candidate:{CLOSED}/{at[closed_runs[0]['info']['run_id']]}]",
        "best_elsewhere": f"[candidate:{OPEN}/{at[best['info']['run_id']]}]",
        "accuracy": _metric(best, "accuracy"),
        "wrong": _wrong(best),
        "baseline_accuracy": _metric(baseline, "accuracy"),
        "baseline_wrong": _wrong(baseline),
        "run_id": best["info"]["run_id"],
        "samples": SAMPLES,
        "rows": "\n".join(_row(run, at) for run in [*runs[:SHOWN], baseline]),
    }
    # As in a request, for mail has to know where the forge is.
    with app.test_request_context(base_url=origin):
        _write(words)
        db.session.commit()


def _write(words: dict[str, Any]) -> None:
    alice, bob = _user("alice"), _user("bob")
    project, closed = _project(OPEN), _project(CLOSED)
    merge_request = issuables.find(MergeRequest, project.id, 1)
    issue = issuables.find(Issue, project.id, 1)
    if merge_request is not None and issue is not None:
        description = texts.MERGE_REQUEST_DONE.format(**words)
        issuables.edit(merge_request, alice, title=merge_request.title, description=description)
        issuables.add_comment(merge_request, bob, texts.REVIEW.format(**words))
        issuables.add_comment(issue, alice, texts.ISSUE_ANSWER.format(**words))
    create_issue(closed, alice, texts.CLOSED_ISSUE_TITLE, texts.CLOSED_ISSUE.format(**words))


def _make_projects(owner: User, colleague: User) -> tuple[projects.Project, projects.Project]:
    group = create_group(GROUP, owner, name="Research")
    made = []
    for path, visibility in ((OPEN, "public"), (CLOSED, "private")):
        name, description = texts.PROJECTS[path.rpartition("/")[2]]
        project = projects.create_project(
            group, path.rpartition("/")[2], visibility=visibility, name=name,
            description=description,
        )  # fmt: skip
        projects.add_member(project, colleague, projects.Role.DEVELOPER)
        made.append(project)
    return made[0], made[1]


def _row(run: dict[str, Any], at: dict[str, int]) -> str:
    params = {item["key"]: item["value"] for item in run["data"]["params"]}
    return texts.ROW.format(
        candidate=f"[candidate:{at[run['info']['run_id']]}]",
        solver=params.get("solver", ""),
        learning_rate=params.get("learning_rate", ""),
        accuracy=_metric(run, "accuracy"),
        loss=_metric(run, "loss"),
    )


def _wrong(run: dict[str, Any]) -> int:
    return round((1 - _metric(run, "accuracy")) * SAMPLES)


def _name(run: dict[str, Any]) -> str:
    name: str = run["info"]["run_name"]
    return name


def _metric(run: dict[str, Any], key: str) -> float:
    return next(float(item["value"]) for item in run["data"]["metrics"] if item["key"] == key)


def _project(path: str) -> projects.Project:
    project = projects.find_project(path)
    assert project is not None, path
    return project


def _user(username: str) -> User:
    user = find_user(username)
    assert user is not None, username
    return user
