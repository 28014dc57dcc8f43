"""The candidates that a text mentions: those that its reader may see, and no trace of others."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.host import Actor, Host, Project, Source
from gitlab_mlops.models import Base, ExperimentTag, Mention
from gitlab_mlops.services.objectives import NAME_TAG
from gitlab_mlops.services.proposals import mentioned as module
from gitlab_mlops.services.proposals.mentioned import Mentions, mentioned_by
from tests.fakes import FakeForge, actor
from tests.unit.rows import add_candidate, add_experiment, counted

ANN, BEN = actor("ann"), actor("ben")


@pytest.fixture
def forge(session: Session) -> FakeForge:
    """A forge with one database."""
    return FakeForge(lambda project: session)


@pytest.fixture
def project(forge: FakeForge) -> Project:
    """A project that Ann and Ben read."""
    return forge.add_project("group/one", ANN, BEN)


def mention(session: Session, source: Source, project: Project, iid: int, **more: int) -> None:
    candidate = add_candidate(session, project, iid, f"try {iid}", **more)
    session.add(
        Mention(
            candidate_id=candidate.id,
            source_project_id=source.project_id,
            source_kind=source.kind,
            source_id=source.id,
            created_at=0,
        )
    )
    session.flush()


def seen(
    forge: FakeForge,
    source: Source,
    reader: Actor | None,
    *,
    host: Host | None = None,
    limit: int = 50,
) -> Mentions:
    def readable(project: Project) -> ReadAccess | None:
        allowed = forge.reads(reader, project.id)
        return ReadAccess(reader, project, forge.session(project)) if allowed else None

    where = forge.projects[source.project_id]
    return mentioned_by(source, where, host or forge.host(), readable, limit=limit)


def shown(found: Mentions) -> list[tuple[str, int]]:
    return [(each.access.project.path, each.record.iid) for each in found.shown]


def test_newest_mention_comes_first_and_trash_stays(
    forge: FakeForge, session: Session, project: Project
) -> None:
    source, other = forge.add_source(project), forge.add_source(project)
    for iid, deleted_at in ((3, None), (1, 5), (2, None)):
        mention(session, source, project, iid, deleted_at=deleted_at)  # type: ignore[arg-type]
    mention(session, other, project, 4)
    assert shown(seen(forge, source, ANN)) == [("group/one", iid) for iid in (2, 1, 3)]


def test_other_projects_are_seen_by_their_members_only(
    forge: FakeForge, session: Session, project: Project
) -> None:
    hidden = forge.add_project("group/hidden", ANN)
    source = forge.add_source(project)
    mention(session, source, project, 1)
    mention(session, source, hidden, 1)
    assert shown(seen(forge, source, ANN)) == [("group/hidden", 1), ("group/one", 1)]
    found = seen(forge, source, BEN)
    assert (shown(found), found.total) == ([("group/one", 1)], 1)
    assert seen(forge, source, None) == Mentions([], 0)


def test_project_that_is_gone_shows_to_nobody(
    forge: FakeForge, session: Session, project: Project
) -> None:
    source = forge.add_source(project)
    mention(session, source, Project(999, "group/gone"), 1)
    assert seen(forge, source, ANN) == Mentions([], 0)


def test_name_and_main_metric_of_the_experiment_are_told(
    forge: FakeForge, session: Session, project: Project
) -> None:
    source = forge.add_source(project)
    experiment_id = add_experiment(session, project)
    session.add(ExperimentTag(experiment_id=experiment_id, key=NAME_TAG, value="zeal"))
    mention(session, source, project, 1)
    (listed,) = seen(forge, source, ANN).shown
    assert listed.experiment_name == "Experiment 0"
    assert listed.objective is not None
    assert listed.objective.key == "zeal"


def test_more_than_the_limit_are_counted(
    forge: FakeForge, session: Session, project: Project
) -> None:
    source = forge.add_source(project)
    for iid in (1, 2, 3):
        mention(session, source, project, iid)
    found = seen(forge, source, ANN, limit=2)
    assert (shown(found), found.total) == ([("group/one", 3), ("group/one", 2)], 3)


def test_so_many_projects_are_asked_for(
    forge: FakeForge, session: Session, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_PROJECTS", 2)
    source = forge.add_source(project)
    for number in range(4):
        mention(session, source, forge.add_project(f"group/{number}", ANN), 1)
    forge.calls.clear()
    assert shown(seen(forge, source, ANN)) == [("group/3", 1), ("group/2", 1)]
    assert forge.calls["by_id"] == 2


def test_statements_do_not_depend_on_the_number_of_candidates_or_projects(
    forge: FakeForge, session: Session, project: Project, engine: Engine
) -> None:
    source, counts = forge.add_source(project), []
    for more in (1, 10):
        for number in range(more):
            other = forge.add_project(f"more {more}/{number}", ANN)
            mention(session, source, project, 100 * more + number)
            mention(session, source, other, 1)
        with counted(engine) as statements:
            assert seen(forge, source, ANN).shown
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 6


def test_candidates_in_another_database_are_found(
    forge: FakeForge, session: Session, project: Project, engine: Engine, tmp_path: Path
) -> None:
    far = create_engine(f"sqlite:///{tmp_path / 'far.sqlite3'}")
    Base.metadata.create_all(far)
    with Session(far) as far_session:
        elsewhere = forge.add_project("far/away", ANN)
        forge.session = lambda each: far_session if each == elsewhere else session
        source = forge.add_source(project)
        mention(session, source, project, 1)
        mention(far_session, source, elsewhere, 7)
        far_session.commit()
        host = forge.host(engines=lambda: [engine, far])
        found = seen(forge, source, ANN, host=host)
        assert shown(found) == [("group/one", 1), ("far/away", 7)]
        assert shown(seen(forge, source, BEN, host=host)) == [("group/one", 1)]
    far.dispose()
