"""Lists of experiments count their candidates, and know when the newest was made."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.host import Project
from gitlab_mlops.models import Experiment
from gitlab_mlops.services import overview
from gitlab_mlops.services.overview import Counts
from tests.unit.rows import add_candidate, add_experiment

PROJECT, OTHER = Project(1, "group/ours"), Project(2, "group/theirs")


@pytest.fixture
def access(session: Session) -> ReadAccess:
    """Three experiments: 1 with candidates, of which one is in the trash; 2 empty; 3 trashed."""
    first, _, third = (add_experiment(session, PROJECT, iid) for iid in (1, 2, 3))
    for iid, experiment_id, made, deleted in (
        (1, first, 10, None),
        (2, first, 30, None),
        (3, first, 90, 95),
        (4, third, 50, 60),
        (5, third, 70, None),
    ):
        candidate = add_candidate(session, PROJECT, iid, deleted_at=deleted)
        candidate.experiment_id, candidate.created_at = experiment_id, made
    session.get_one(Experiment, third).deleted_at = 60
    add_candidate(session, OTHER, 1)
    session.flush()
    return ReadAccess(None, PROJECT, session)


def listed(access: ReadAccess, view: overview.View = "active") -> list[tuple[int, int, int]]:
    """(iid, candidates, active_at), by activity."""
    found, _ = overview.list_experiments(access, view=view, limit=10)
    return [(each.iid, each.candidates, each.active_at) for each in found if each.iid]


def test_what_is_in_the_trash_does_not_count_in_an_experiment_that_is_not(
    access: ReadAccess,
) -> None:
    assert listed(access) == [(1, 2, 30), (2, 0, 0)]


def test_in_an_experiment_in_the_trash_all_candidates_count(access: ReadAccess) -> None:
    assert listed(access, "deleted") == [(3, 2, 70)]


def test_candidates_are_counted_apart_by_whether_they_are_in_the_trash(access: ReadAccess) -> None:
    first, *_ = overview.list_experiments(access, sort="candidates", limit=1)[0]
    assert overview.count_candidates(access, first.id) == Counts(2, 1)


def test_candidates_of_another_project_are_not_counted(
    access: ReadAccess, session: Session
) -> None:
    theirs = add_experiment(session, OTHER)
    assert overview.count_candidates(access, theirs) == Counts(0, 0)


def test_a_default_is_listed_once_anything_was_logged_to_it(
    access: ReadAccess, session: Session
) -> None:
    add_experiment(session, PROJECT, 0)
    assert overview.count_experiments(access) == Counts(2, 1)
    add_candidate(session, PROJECT, 6, deleted_at=1)
    assert overview.count_experiments(access) == Counts(3, 1)


@pytest.mark.parametrize("sort", ["activity", "name", "candidates"])
def test_pages_of_one_experiment_each_show_all_of_them(
    access: ReadAccess, sort: overview.Sort
) -> None:
    whole, _ = overview.list_experiments(access, sort=sort, limit=10)
    found, after = overview.list_experiments(access, sort=sort, limit=1)
    while after is not None:
        page, after = overview.list_experiments(access, sort=sort, limit=1, after=after)
        found += page
    assert found == whole
