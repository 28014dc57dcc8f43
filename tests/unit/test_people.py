"""Who is removed is forgotten, in every database, and what they made stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from gitlab_mlops.host import Project
from gitlab_mlops.models import Base, Candidate, Experiment, Mention, ProjectCounters
from gitlab_mlops.services import people
from tests.fakes import FakeForge, actor
from tests.unit.rows import add_candidate

ANN, BOB = actor("ann"), actor("bob")


def furnish(session: Session, project: Project) -> None:
    """A candidate, an experiment and a mention of each of two people."""
    for iid, person in enumerate((ANN, BOB), 1):
        candidate = add_candidate(session, project, iid, actor_id=person.id, user_id="ann")
        made = {"project_id": project.id, "name": f"e{iid}", "created_at": 0, "updated_at": 0}
        session.add(Experiment(**made, iid=iid, actor_id=person.id))
        source = {"source_project_id": project.id, "source_kind": "issue", "source_id": "1"}
        session.add(Mention(**source, candidate_id=candidate.id, actor_id=person.id, created_at=0))
    session.add(ProjectCounters(project_id=project.id, candidates=2, experiments=2))
    session.flush()


def known(session: Session) -> list[set[str | None]]:
    return [
        set(session.scalars(select(model.actor_id))) for model in (Candidate, Experiment, Mention)
    ]


def test_one_database(session: Session) -> None:
    forge = FakeForge(lambda project: session)
    project = forge.add_project("group/project")
    furnish(session, project)
    people.forget(forge.host(engines=lambda: [session.get_bind().engine]), ANN)
    assert known(session) == [{None, BOB.id}] * 3
    assert set(session.scalars(select(Candidate.user_id))) == {"ann"}


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[list[Session]]:
    """Two databases."""
    engines = [create_engine(f"sqlite:///{tmp_path / name}.sqlite3") for name in "ab"]
    for engine in engines:
        Base.metadata.create_all(engine)
    made = [Session(engine) for engine in engines]
    yield made
    for session, engine in zip(made, engines, strict=True):
        session.close()
        engine.dispose()


def test_several_databases(sessions: list[Session]) -> None:
    forge = FakeForge(lambda project: sessions[project.id % 2])
    gone = Project(7, "group/gone")
    for project in (forge.add_project("group/one"), forge.add_project("group/two")):
        furnish(forge.session(project), project)
    sessions[1].add(ProjectCounters(project_id=gone.id))
    for session in sessions:
        session.commit()
    engines = [session.get_bind().engine for session in sessions]
    people.forget(forge.host(engines=lambda: engines), ANN)
    assert [known(session) for session in sessions] == [[{None, BOB.id}] * 3] * 2
    for session in sessions:
        session.rollback()
        assert all(ANN.id in each for each in known(session))


def test_a_database_without_a_known_project_has_nothing_to_forget(sessions: list[Session]) -> None:
    forge = FakeForge(lambda project: sessions[0])
    engines = [session.get_bind().engine for session in sessions]
    people.forget(forge.host(engines=lambda: engines), ANN)
