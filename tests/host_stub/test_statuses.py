"""Commit statuses: one per name, the last one counts."""

from __future__ import annotations

from typing import Any

import pytest

from host_stub.database import db
from host_stub.projects import create_project, delete_project
from host_stub.statuses import CommitStatus, set_status, states_of, statuses
from tests.host_stub.conftest import Code

SHA, OTHER = "a" * 40, "b" * 40


def test_what_is_said_last_counts(code: Code) -> None:
    first = set_status(code.project, SHA, "gate", "pending", description="waits", pipeline_id=7)
    made = first.created_at
    again = set_status(code.project, SHA, "gate", "failed", description="too low", target_url="/x")
    set_status(code.project, SHA, "build", "success")
    set_status(code.project, OTHER, "gate", "success")
    assert (again.id, again.created_at, again.pipeline_id) == (first.id, made, None)
    found = [(s.name, s.state, s.description) for s in statuses(code.project, SHA)]
    assert found == [("build", "success", ""), ("gate", "failed", "too low")]
    assert states_of(code.project, [SHA, OTHER, "c" * 40]) == {SHA: "failed", OTHER: "success"}


def test_projects_do_not_see_each_others(code: Code) -> None:
    other = create_project(code.user, "other")
    set_status(other, SHA, "gate", "failed")
    assert statuses(code.project, SHA) == []
    set_status(code.project, SHA, "gate", "success")
    assert [s.state for s in statuses(other, SHA)] == ["failed"]


def test_statuses_go_with_their_project(code: Code) -> None:
    project_id = code.project.id
    set_status(code.project, SHA, "gate", "success")
    delete_project(code.project)
    db.session.commit()
    left = db.session.query(CommitStatus).filter_by(project_id=project_id)
    assert left.count() == 0


@pytest.mark.parametrize(
    "values",
    [
        {"sha": "abc"},
        {"sha": "A" * 40},
        {"name": " "},
        {"name": "x" * 256},
        {"name": "a\0b"},
        {"state": "skipped"},
        {"description": "x" * 1001},
        {"target_url": "javascript:alert(1)"},
        {"target_url": "//elsewhere.example"},
        {"target_url": "/\\elsewhere.example"},
        {"target_url": "/" + "x" * 2000},
    ],
)
def test_status_that_cannot_be_is_refused(code: Code, values: dict[str, Any]) -> None:
    good = {"sha": SHA, "name": "gate", "state": "success"}
    with pytest.raises(ValueError, match=r"[a-z]"):
        set_status(code.project, **{**good, **values})
    assert statuses(code.project, SHA) == []
