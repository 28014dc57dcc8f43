"""Changing several candidates at once: all or none, of one experiment, in one order."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.host import Project
from gitlab_mlops.models import Candidate, CandidateTag
from gitlab_mlops.services import selections
from tests.fakes import actor
from tests.unit.rows import add_candidate, add_experiment, counted

PROJECT, OTHER = Project(7, "a/b", "b"), Project(8, "a/c", "c")


@pytest.fixture
def access(session: Session) -> WriteAccess:
    """Somebody who may change five candidates; others have the same numbers elsewhere."""
    for iid in range(1, 6):
        add_candidate(session, PROJECT, iid)
        add_candidate(session, OTHER, iid)
    elsewhere = add_candidate(session, PROJECT, 6)
    elsewhere.experiment_id = add_experiment(session, PROJECT, 1)
    session.flush()
    return WriteAccess(actor("ann"), PROJECT, session)


def in_trash(session: Session) -> list[tuple[int, int]]:
    statement = select(Candidate.project_id, Candidate.iid).where(Candidate.deleted_at.is_not(None))
    return sorted(tuple(row) for row in session.execute(statement))


def test_candidates_go_and_come_back(access: WriteAccess, session: Session) -> None:
    assert selections.trash(access, 0, [4, 2]) == 2
    assert in_trash(session) == [(7, 2), (7, 4)]
    assert selections.trash(access, 0, [2, 3]) == 1
    assert selections.restore(access, 0, [1, 2, 3]) == 2
    assert in_trash(session) == [(7, 4)]


@pytest.mark.parametrize("missing", [6, 7])
def test_one_that_is_missing_keeps_all_from_changing(
    access: WriteAccess, session: Session, missing: int
) -> None:
    for change in (selections.trash, selections.restore):
        with pytest.raises(NotFound, match=f"Candidate {missing} not found in experiment 0"):
            change(access, 0, [1, missing])
    with pytest.raises(NotFound):
        selections.tag(access, 0, [1, missing], "k", "v")
    assert in_trash(session) == []
    assert session.scalars(select(CandidateTag.key)).all() == []


def test_a_tag_is_set_in_all_of_them_again_and_again(access: WriteAccess, session: Session) -> None:
    selections.tag(access, 0, [1, 2], "team", "red")
    assert selections.tag(access, 0, [2, 3], "team", "blue") == 2
    found = session.execute(select(Candidate.iid, CandidateTag.value).join(CandidateTag))
    assert sorted(tuple(row) for row in found) == [(1, "red"), (2, "blue"), (3, "blue")]


def test_nothing_is_tagged_if_one_is_in_the_trash(access: WriteAccess, session: Session) -> None:
    selections.trash(access, 0, [3])
    with pytest.raises(Invalid, match="Candidate 3 is in the trash"):
        selections.tag(access, 0, [1, 3], "k", "v")
    assert session.scalars(select(CandidateTag.key)).all() == []


def test_the_chosen_are_in_the_order_of_their_numbers(access: WriteAccess) -> None:
    assert [each.iid for each in selections.choose(access, 0, [5, 1, 3])] == [1, 3, 5]


def test_statements_do_not_grow_with_what_is_moved(access: WriteAccess, engine: Engine) -> None:
    with counted(engine) as few:
        selections.trash(access, 0, [1])
    with counted(engine) as many:
        selections.trash(access, 0, [1, 2, 3, 4, 5])
    assert len(many) == len(few) == 2
