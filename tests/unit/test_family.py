"""The children of a candidate, the best first."""

from __future__ import annotations

import math

import pytest
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.host import Actor, Project
from gitlab_mlops.models import PARENT_TAG
from gitlab_mlops.services import candidates, logging
from gitlab_mlops.services.family import list_children
from gitlab_mlops.services.objectives import Objective
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.records import CandidateRecord

PROJECT = Project(1, "group/one")
Names = list[tuple[str, float | None]]


@pytest.fixture
def access(session: Session) -> WriteAccess:
    return WriteAccess(Actor("1", "ann"), PROJECT, session)


@pytest.fixture
def parent(access: WriteAccess) -> CandidateRecord:
    """A candidate with three children; one of them has no metric."""
    parent = candidates.create(access, 0, name="parent")
    for start, (name, value) in enumerate([("a", 2.0), ("b", None), ("c", 1.0), ("d", math.nan)]):
        eid = add(access, parent, name, start)
        if value is not None:
            logging.log(access, eid, points=[Point("m", value, 0, 0)])
    return candidates.get(access, parent.eid)


def add(access: WriteAccess, parent: CandidateRecord, name: str, start: int) -> str:
    tags = [(PARENT_TAG, parent.eid)]
    return candidates.create(access, 0, name=name, start_time=start, tags=tags).eid


def children(
    access: ReadAccess, parent: CandidateRecord, greater_is_better: bool | None, key: str = "m"
) -> list[str]:
    main = Objective(key, greater_is_better, is_stated=True)
    return [each.record.name for each in list_children(access, parent, main, limit=9)[0]]


def test_the_best_comes_first_and_what_has_no_value_last(
    access: WriteAccess, parent: CandidateRecord
) -> None:
    assert children(access, parent, True) == ["a", "c", "d", "b"]
    assert children(access, parent, False) == ["c", "a", "d", "b"]
    assert children(access, parent, None) == ["a", "b", "c", "d"]
    assert children(access, parent, True, "unknown") == ["a", "b", "c", "d"]


def test_children_come_with_their_values(access: WriteAccess, parent: CandidateRecord) -> None:
    main = Objective("m", True, is_stated=True)
    found, has_more = list_children(access, parent, main, limit=2)
    assert [(each.record.name, each.value) for each in found] == [("a", 2.0), ("c", 1.0)]
    assert has_more
    assert [each.value for each in list_children(access, parent, None, limit=4)[0]] == [None] * 4


def test_a_child_in_the_trash_is_none(access: WriteAccess, parent: CandidateRecord) -> None:
    candidates.delete(access, add(access, parent, "gone", 9))
    assert "gone" not in children(access, parent, True)
