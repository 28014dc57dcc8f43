"""Files that somebody else than CI puts to what CI stamped leave a trace on the stamp."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.host import Actor, Job, Project
from gitlab_mlops.services import artifacts, candidates, experiments
from gitlab_mlops.services.logged_models import life
from gitlab_mlops.services.stamps import stamps_of
from tests.unit.rows import counted

PROJECT = Project(1, "group/one")
JOB = Job("7", 1, pipeline_id="3", sha="a" * 40, ref="main", merge_request="5", url="/jobs/7")
CI, PERSON = Actor("1", "ann", job=JOB), Actor("2", "bob")
RETRY, LATER = (Actor("3", "cat", job=replace(JOB, **each)) for each in ({"id": "8"}, {"sha": "b"}))


def start(session: Session, actor: Actor) -> tuple[int, str, str]:
    """A candidate with a model: its internal id, and the paths of a file of each."""
    access = WriteAccess(actor, PROJECT, session)
    experiments.ensure_default(access)
    found = candidates.create(access, 0)
    model = life.create(access, 0, source_eid=found.eid)
    own = f"0/{found.eid}/artifacts/f"
    return found.id, own, f"models/{model.model_id}/artifacts/f"


def is_altered(session: Session, candidate_id: int) -> bool:
    return stamps_of(ReadAccess(None, PROJECT, session), [candidate_id])[candidate_id].is_altered


@pytest.mark.parametrize(
    ("actor", "expected"), [(CI, False), (RETRY, False), (LATER, True), (PERSON, True)]
)
@pytest.mark.parametrize("owner", ["candidate", "model"])
def test_a_file_of_anybody_but_ci_of_the_commit_is_noted(
    session: Session, actor: Actor, expected: bool, owner: str
) -> None:
    candidate_id, *files = start(session, CI)
    access = WriteAccess(actor, PROJECT, session)
    artifacts.locate_to_write(access, files[owner == "model"])
    assert is_altered(session, candidate_id) is expected


def test_who_only_reads_files_alters_nothing(session: Session) -> None:
    candidate_id, *files = start(session, CI)
    for file in files:
        artifacts.locate(WriteAccess(PERSON, PROJECT, session), file)
    assert not is_altered(session, candidate_id)


def test_files_of_what_nobody_stamped_cost_no_statement_more(
    session: Session, engine: Engine
) -> None:
    def cost(file: str, actor: Actor) -> int:
        with counted(engine) as statements:
            artifacts.locate_to_write(WriteAccess(actor, PROJECT, session), file)
        return len(statements)

    _, *plain = start(session, PERSON)
    _, *stamped = start(session, CI)
    assert [cost(file, PERSON) for file in plain] == [1, 1]
    assert [cost(file, CI) for file in stamped] == [1, 1]
    assert [cost(file, PERSON) for file in stamped] == [2, 2]
