"""Candidates and experiments get the numbers 1, 2, 3 with the statement that stores them."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, create_engine, select
from sqlalchemy.orm import Session

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.host import Project
from gitlab_mlops.models import Candidate, CandidateTag, ProjectCounters
from gitlab_mlops.services import candidates, experiments
from tests.fakes import actor
from tests.unit.rows import counted

PROJECT = Project(1, "group/project")
TAGS = [("mlflow.user", 'ada "\\ \u00e9'), ("empty", ""), ("é", "\U0001f600")]


@pytest.fixture
def access(session: Session) -> WriteAccess:
    access = WriteAccess(actor("ada"), PROJECT, session)
    experiments.ensure_default(access)
    return access


def numbers(access: WriteAccess) -> tuple[int, int]:
    """The last numbers of candidates and of experiments."""
    row = access.session.execute(
        select(ProjectCounters.candidates, ProjectCounters.experiments).where(
            ProjectCounters.project_id == access.project.id
        )
    ).one_or_none()
    return (row[0], row[1]) if row else (0, 0)


def test_a_candidate_is_as_it_was_given(access: WriteAccess) -> None:
    made = candidates.create(
        access, 0, name="calm-otter", user_id="ada", start_time=2**40, tags=TAGS
    )
    found = candidates.get(access, made.eid)
    assert found == made
    assert dict(found.tags) == {**dict(TAGS), "mlflow.runName": "calm-otter"}
    assert (found.iid, found.start_time, found.actor_id) == (1, 2**40, access.actor.id)


def test_both_kinds_are_numbered_from_one_in_each_project(access: WriteAccess) -> None:
    other = WriteAccess(access.actor, Project(2, "group/other"), access.session)
    assert [experiments.create(access, name) for name in "ab"] == [1, 2]
    assert [candidates.create(access, iid).iid for iid in (0, 2, 1)] == [1, 2, 3]
    assert experiments.create(other, "a") == 1
    assert candidates.create(other, 0).iid == 1
    assert numbers(access) == (3, 2)
    assert numbers(other) == (1, 1)


def test_no_number_is_spent_where_there_is_no_place(access: WriteAccess) -> None:
    trashed = experiments.create(access, "trashed")
    experiments.delete(access, trashed)
    with pytest.raises(NotFound):
        candidates.create(access, 7)
    with pytest.raises(Invalid, match="deleted"):
        candidates.create(access, trashed)
    assert numbers(access) == (0, 1)
    assert access.session.scalars(select(Candidate.id)).all() == []
    assert access.session.scalars(select(CandidateTag.key)).all() == []


def test_the_first_candidate_makes_the_default_experiment(session: Session) -> None:
    access = WriteAccess(actor("ada"), Project(3, "group/new"), session)
    assert candidates.create(access, 0).iid == 1
    assert experiments.get(access, 0).name == "Default"


def test_statements_are_few(access: WriteAccess, engine: Engine) -> None:
    is_postgresql = engine.dialect.name == "postgresql"
    eid = candidates.create(access, 0).eid
    for statements, act in (
        (1 if is_postgresql else 3, lambda: candidates.create(access, 0, tags=TAGS)),
        (1 if is_postgresql else 3, lambda: experiments.create(access, "tagged", TAGS)),
        (1 if is_postgresql else 2, lambda: experiments.create(access, "plain")),
        (1, lambda: experiments.get(access, 1)),
        (1, lambda: experiments.get_by_name(access, "tagged")),
        (1, lambda: experiments.get_by_name(access, "Default")),
        (1, lambda: candidates.change(access, eid, status=candidates.Status.FINISHED, end_time=5)),
        (2, lambda: candidates.change(access, eid, name="renamed")),
        (1, lambda: candidates.set_tags(access, eid, TAGS)),
        (1, lambda: candidates.delete_tag(access, eid, "empty")),
    ):
        with counted(engine) as found:
            act()
        assert len(found) == statements, found


def test_drivers_with_placeholders_of_their_own_run_the_same_statements(engine: Engine) -> None:
    other = create_engine(engine.url, paramstyle="named" if engine.name == "sqlite" else "format")
    with other.connect() as connection, Session(connection) as session:
        access = WriteAccess(actor("ada"), Project(4, "group/project"), session)
        made = candidates.create(access, 0, tags=TAGS)
        candidates.change(access, made.eid, status=candidates.Status.FINISHED, end_time=5)
        candidates.set_tags(access, made.eid, [("more", "%(key)s :key %")])
        found = candidates.get(access, made.eid)
    other.dispose()
    assert dict(found.tags) == {**dict(made.tags), "more": "%(key)s :key %"}
    assert found.end_time == 5
