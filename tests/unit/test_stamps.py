"""What CI stamps on a candidate is the forge's word, and nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.host import Actor, Job, Project
from gitlab_mlops.models import Candidate, JobStamp, Status
from gitlab_mlops.services import candidates, experiments, inputs, logging
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.stamps import Stamp, stamps_of
from tests.unit.rows import counted

PROJECT, OTHER = Project(1, "group/one"), Project(2, "group/two")
JOB = Job("7", 1, pipeline_id="3", sha="a" * 40, ref="main", merge_request="5", url="/jobs/7")


CI, PERSON = Actor("1", "ann", job=JOB), Actor("2", "bob")


def start(session: Session, actor: Actor) -> CandidateRecord:
    access = WriteAccess(actor, PROJECT, session)
    experiments.ensure_default(access)
    tags = [("gitlab.CI_JOB_ID", "666"), ("mlflow.source.git.commit", "b" * 40)]
    return candidates.create(access, 0, tags=tags)


def create(session: Session, actor: Actor) -> int:
    return start(session, actor).id


def stamp_of(session: Session, candidate_id: int) -> Stamp:
    return stamps_of(ReadAccess(None, PROJECT, session), [candidate_id])[candidate_id]


def run(**changes: Any) -> Actor:
    """Somebody whose job is as that of CI, but for the changes."""
    return Actor("3", "cat", job=replace(JOB, **changes))


def test_a_job_stamps_what_it_logs(session: Session) -> None:
    candidate_id = create(session, Actor("1", "ann", job=JOB))
    found = stamps_of(ReadAccess(None, PROJECT, session), [candidate_id])
    expected = Stamp(candidate_id, "7", "3", "a" * 40, "main", "5", "/jobs/7", is_from_fork=False)
    assert found == {candidate_id: expected}
    assert stamps_of(ReadAccess(None, OTHER, session), [candidate_id]) == {}


def test_a_branch_with_a_long_name_can_log(session: Session) -> None:
    candidate_id = create(session, run(ref=f"release/{'x' * 300}"))
    assert stamp_of(session, candidate_id).ref == f"release/{'x' * 247}"


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


def test_the_commit_is_kept_where_who_logs_reads_it(session: Session) -> None:
    ids = [create(session, each) for each in (CI, PERSON)]
    query = select(Candidate.stamped_sha).where(Candidate.id.in_(ids)).order_by(Candidate.id)
    assert session.scalars(query).all() == [JOB.sha, None]


@pytest.mark.parametrize(
    ("actor", "expected"),
    [
        (CI, False),
        (run(id="8", pipeline_id="4", ref="other"), False),
        (run(source_project_id=PROJECT.id), False),
        (run(sha="c" * 40), True),
        (run(sha=""), True),
        (run(source_project_id=9), True),
        (run(project_id=9), True),
        (PERSON, True),
    ],
)
@pytest.mark.parametrize("what", ["points", "params"])
def test_values_of_anybody_but_ci_of_the_commit_are_noted(
    session: Session, actor: Actor, expected: bool, what: str
) -> None:
    logged: dict[str, Any] = {"points": [Point("m", 1.0, 0, 0)], "params": [("p", "1")]}
    before, found = start(session, PERSON), start(session, CI)
    # So that the project knows the metric: a new one is logged in another way.
    logging.log(WriteAccess(PERSON, PROJECT, session), before.eid, points=logged["points"])
    logging.log(WriteAccess(actor, PROJECT, session), found.eid, **{what: logged[what]})
    assert stamp_of(session, found.id).is_altered is expected


@pytest.mark.parametrize(("source", "expected"), [(9, False), (8, True), (1, False)])
def test_a_fork_may_log_to_its_own(session: Session, source: int, expected: bool) -> None:
    """And so may the project itself, where it runs the same commit: it is trusted more."""
    found = start(session, run(source_project_id=9))
    access = WriteAccess(run(source_project_id=source), PROJECT, session)
    logging.log(access, found.eid, points=[Point("m", 1.0, 0, 0)])
    assert stamp_of(session, found.id).is_altered is expected


@pytest.mark.parametrize(
    ("actor", "status", "expected"),
    [
        (CI, Status.FINISHED, False),
        (PERSON, Status.FINISHED, True),
        (run(sha="c" * 40), Status.FINISHED, True),
        (PERSON, Status.FAILED, False),
        (PERSON, Status.KILLED, False),
    ],
)
def test_that_a_candidate_ended_well_only_ci_may_say(
    session: Session, actor: Actor, status: Status, expected: bool
) -> None:
    found = start(session, CI)
    candidates.change(WriteAccess(actor, PROJECT, session), found.eid, status=status)
    assert stamp_of(session, found.id).is_altered is expected


def test_words_about_a_candidate_do_not_alter_it(session: Session) -> None:
    found, access = start(session, CI), WriteAccess(PERSON, PROJECT, session)
    logging.log(access, found.eid, tags=[("reviewed", "yes")])
    candidates.change(access, found.eid, name="new name")
    candidates.edit(access, found.eid, store={"mlflow.note.content": "Good."})
    inputs.log_model(access, found.eid, {"artifact_path": "model"})
    candidates.delete(access, found.eid)
    candidates.restore(access, found.eid)
    assert not stamp_of(session, found.id).is_altered


def test_the_first_alteration_is_kept(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    found, access = start(session, CI), WriteAccess(PERSON, PROJECT, session)
    for moment in (1000, 2000):
        monkeypatch.setattr("gitlab_mlops.services.stamps.now", lambda at=moment: at)
        logging.log(access, found.eid, params=[("p", "1")])
    query = select(JobStamp.altered_at).where(JobStamp.candidate_id == found.id)
    assert session.scalar(query) == 1000


def test_only_who_alters_pays_for_it(session: Session, engine: Engine) -> None:
    def cost(found: CandidateRecord, actor: Actor) -> int:
        access = WriteAccess(actor, PROJECT, session)
        with counted(engine) as statements:
            logging.log(access, found.eid, params=[("p", "1")])
        return len(statements)

    stamped, plain = start(session, CI), start(session, PERSON)
    assert cost(stamped, CI) == cost(plain, PERSON) == 1
    assert cost(stamped, PERSON) == 4
