"""A forge to try out: a few people, two projects, something to talk about."""

from __future__ import annotations

import secrets

from host_stub.database import DAY, now
from host_stub.issuables import add_comment
from host_stub.issues import create_issue
from host_stub.merge_requests import create_merge_request
from host_stub.namespaces import create_group
from host_stub.projects import Role, Visibility, add_member, create_project
from host_stub.repositories import commit
from host_stub.tokens import create_token
from host_stub.users import create_user

PEOPLE = {"alice": "Alice Archer", "bob": "Bob Brandt", "carol": "Carol Chen"}

README = "# Churn prediction\n\nWhich customers leave next quarter.\n"


def seed() -> dict[str, str]:
    """Make it all; gives each username's random password, and a token of bob's. Flushes.

    Raises `ValueError` if there is somebody of these names.
    """
    passwords = {username: secrets.token_urlsafe(12) for username in PEOPLE}
    alice, bob, carol = (
        create_user(username, passwords[username], name=name) for username, name in PEOPLE.items()
    )
    churn = create_project(
        create_group("research", alice, name="Research"),
        "churn",
        name="Churn prediction",
        description="Which customers leave next quarter.",
    )
    create_project(alice, "notebooks", visibility=Visibility.PUBLIC, description="Scratch space.")
    add_member(churn, bob, Role.DEVELOPER)
    commit(churn, "main", {"README.md": README, "train.py": "C = 1.0\n"}, "Begin", alice)
    commit(churn, "calibrate", {"train.py": "C = 0.5\n"}, "Calibrate the scores", bob)
    add_member(churn, carol, Role.GUEST)
    issue = create_issue(churn, carol, "Scores are too high since May", "Does nobody see that?")
    add_comment(issue, bob, "I train on the last four weeks only now, see [candidate:1].")
    create_merge_request(
        churn, bob, "Calibrate the scores", "Better, see [candidate:1].", source_branch="calibrate"
    )
    token = create_token(bob, "seed", ["api"], expires_at=now() + 30 * DAY)[1]
    return {**passwords, "MLFLOW_TRACKING_TOKEN": token}
