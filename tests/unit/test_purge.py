"""A purged project leaves no row and no file behind, and nothing of any other is touched."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session, scoped_session, sessionmaker

from gitlab_mlops.host import Project
from gitlab_mlops.models import (
    Base,
    CandidateTag,
    Dataset,
    ExperimentTag,
    Input,
    InputTag,
    JobStamp,
    Mention,
    MetricKey,
    MetricPoint,
    MetricSeries,
    ModelLink,
    Param,
    ProjectCounters,
    Webhook,
    WebhookDelivery,
)
from gitlab_mlops.services.purge import purge_project
from tests.unit.registered import add_registered_model
from tests.unit.rows import add_candidate, add_experiment, add_logged_model

GONE, KEPT = Project(1, "group/gone"), Project(2, "group/kept")


def fill(session: Session, project: Project, other: Project) -> None:
    """A row in every table for the project, and a mention from and to the other one."""
    candidate = add_candidate(session, project, 1)
    experiment_id = add_experiment(session, project)
    session.add_all(
        [
            ProjectCounters(project_id=project.id, candidates=1),
            ExperimentTag(experiment_id=experiment_id, key="k", value="v"),
            CandidateTag(candidate_id=candidate.id, key="k", value="v"),
            Param(
                candidate_id=candidate.id,
                experiment_id=candidate.experiment_id,
                key="k",
                value="v",
            ),
            ModelLink(candidate_id=candidate.id, direction="output", model_id="m"),
            JobStamp(
                candidate_id=candidate.id,
                project_id=project.id,
                source_project_id=project.id,
                **dict.fromkeys(
                    ("job_id", "pipeline_id", "sha", "ref", "merge_request", "url"), "x"
                ),
            ),
            key := MetricKey(project_id=project.id, key="k"),
            dataset := Dataset(
                experiment_id=experiment_id,
                name="d",
                digest=uuid4().hex[:8],
                source_type="x",
                source="x",
            ),
            mention(candidate.id, project),
            webhook := Webhook(
                project_id=project.id,
                webhook_id=uuid4().hex,
                is_active=True,
                **dict.fromkeys(("name", "url", "events"), "x"),
                **dict.fromkeys(("created_at", "updated_at"), 0),
            ),
        ]
    )
    session.flush()
    session.add(
        WebhookDelivery(
            webhook_id=webhook.id,
            **dict.fromkeys(("delivery_id", "event", "origin", "body"), "x"),
            created_at=0,
        )
    )
    session.add_all(
        [
            series := MetricSeries(
                candidate_id=candidate.id,
                experiment_id=experiment_id,
                key_id=key.id,
                step=0,
                timestamp=0,
                value=1.0,
            ),
            Input(candidate_id=candidate.id, dataset_id=dataset.id),
        ]
    )
    session.flush()
    add_registered_model(session, project, candidate)
    add_logged_model(session, candidate)
    session.add(InputTag(candidate_id=candidate.id, dataset_id=dataset.id, key="k", value="v"))
    session.add_all(MetricPoint(series_id=series.id, step=i, timestamp=0, value=1) for i in (1, 2))
    session.flush()


def mention(candidate_id: int, project: Project, number: str = "1") -> Mention:
    return Mention(
        candidate_id=candidate_id,
        source_project_id=project.id,
        source_kind="issue",
        source_id=number,
        created_at=0,
    )


def rows(session: Session) -> dict[str, list[Any]]:
    """Everything that is stored, by table."""
    session.expire_all()
    return {
        name: sorted(map(tuple, session.execute(select(table))), key=str)
        for name, table in Base.metadata.tables.items()
    }


def test_nothing_is_left_and_nothing_else_is_gone(session: Session) -> None:
    fill(session, KEPT, GONE)
    kept = rows(session)
    assert all(kept.values()), "a new table must be filled here, and purged"
    fill(session, GONE, KEPT)
    add_candidate(session, GONE, 2)
    assert purge_project(session, GONE.id, lambda project_id: None) == 2
    assert rows(session) == kept


def test_what_the_project_said_of_others_is_forgotten(session: Session) -> None:
    theirs = add_candidate(session, KEPT, 1)
    session.add_all([mention(theirs.id, GONE), mention(theirs.id, KEPT)])
    session.flush()
    purge_project(session, GONE.id, lambda project_id: None)
    assert session.scalars(select(Mention.source_project_id)).all() == [KEPT.id]


def test_a_project_without_experiments_can_be_purged(session: Session) -> None:
    assert purge_project(session, GONE.id, lambda project_id: None) == 0


@pytest.fixture
def own_session() -> Iterator[Session]:
    """A session that really commits, in a database of its own."""
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        fill(session, GONE, KEPT)
        session.commit()
        yield session
    engine.dispose()


def experiments(session: Session) -> int:
    """How many rows are left in one of the tables."""
    return session.scalar(select(func.count()).select_from(ExperimentTag)) or 0


def test_files_are_deleted_once_and_after_the_commit(own_session: Session) -> None:
    deleted: list[int] = []
    purge_project(own_session, GONE.id, deleted.append)
    own_session.flush()
    assert deleted == []
    own_session.commit()
    assert deleted == [GONE.id]
    fill(own_session, KEPT, GONE)
    own_session.commit()
    assert deleted == [GONE.id]


@pytest.mark.parametrize("end", ["rollback", "close"])
def test_files_stay_if_the_transaction_is_not_committed(own_session: Session, end: str) -> None:
    deleted: list[int] = []
    purge_project(own_session, GONE.id, deleted.append)
    getattr(own_session, end)()
    fill(own_session, KEPT, GONE)
    own_session.commit()
    assert deleted == []
    assert experiments(own_session) == 2


def test_a_savepoint_of_the_forge_does_not_count_as_a_commit(own_session: Session) -> None:
    deleted: list[int] = []
    with own_session.begin_nested():
        purge_project(own_session, GONE.id, deleted.append)
    assert deleted == []
    own_session.rollback()
    assert deleted == []


def test_files_stay_if_the_savepoint_of_the_forge_is_rolled_back(own_session: Session) -> None:
    deleted: list[int] = []
    savepoint = own_session.begin_nested()
    purge_project(own_session, GONE.id, deleted.append)
    savepoint.rollback()
    own_session.commit()
    assert deleted == []


def test_a_scoped_session_serves_as_well(own_session: Session) -> None:
    registry = scoped_session(sessionmaker(own_session.get_bind()))
    deleted: list[int] = []
    purge_project(registry, GONE.id, deleted.append)  # type: ignore[arg-type]
    with Session(own_session.get_bind()) as unrelated:
        unrelated.commit()
    assert deleted == []
    registry.commit()
    assert deleted == [GONE.id]
    registry.remove()


def test_a_store_that_fails_is_logged_and_does_not_undo_the_commit(
    own_session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(project_id: int) -> None:
        raise OSError("the store is down")

    with caplog.at_level(logging.ERROR):
        purge_project(own_session, GONE.id, fail)
        own_session.commit()
    assert experiments(own_session) == 0
    assert f"purge-project {GONE.id}" in caplog.text
    assert "the store is down" in caplog.text
