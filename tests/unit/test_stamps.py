"""What CI stamps on a candidate is the forge's word, and nobody else's."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.host import Actor, Job, Project
from gitlab_mlops.services import candidates, experiments
from gitlab_mlops.services.stamps import Stamp, stamps_of

PROJECT, OTHER = Project(1, "group/one"), Project(2, "group/two")
JOB = Job("7", 1, pipeline_id="3", sha="a" * 40, ref="main", merge_request="5", url="/jobs/7")


def create(session: Session, actor: Actor) -> int:
    access = WriteAccess(actor, PROJECT, session)
    experiments.ensure_default(access)
    tags = [("gitlab.CI_JOB_ID", "666"), ("mlflow.source.git.commit", "b" * 40)]
    return candidates.create(access, 0, tags=tags).id


def test_a_job_stamps_what_it_logs(session: Session) -> None:
    candidate_id = create(session, Actor("1", "ann", job=JOB))
    found = stamps_of(ReadAccess(None, PROJECT, session), [candidate_id])
    expected = Stamp(candidate_id, "7", "3", "a" * 40, "main", "5", "/jobs/7", is_from_fork=False)
    assert found == {candidate_id: expected}
    assert stamps_of(ReadAccess(None, OTHER, session), [candidate_id]) == {}


def test_what_a_person_claims_is_no_stamp(session: Session) -> None:
    candidate_id = create(session, Actor("1", "ann"))
    assert stamps_of(ReadAccess(None, PROJECT, session), [candidate_id]) == {}


@pytest.mark.parametrize(("source", "expected"), [(None, False), (1, False), (9, True)])
def test_a_stamp_tells_whether_the_code_is_a_forks(
    session: Session, source: int | None, expected: bool
) -> None:
    job = replace(JOB, source_project_id=source)
    candidate_id = create(session, Actor("1", "ann", job=job))
    found = stamps_of(ReadAccess(None, PROJECT, session), [candidate_id])
    assert found[candidate_id].is_from_fork is expected
