"""Rows to test with, stored without the services that usually make them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, event, insert, select
from sqlalchemy.orm import Session

from gitlab_mlops.host import Project
from gitlab_mlops.models import (
    Candidate,
    Experiment,
    LoggedModel,
    LoggedModelMetric,
    LoggedModelParam,
    LoggedModelStatus,
    LoggedModelTag,
    Status,
)


def add_experiment(session: Session, project: Project, iid: int = 0) -> int:
    """The id of an experiment, made if it is missing."""
    where = (Experiment.project_id == project.id, Experiment.iid == iid)
    found = session.scalar(select(Experiment.id).where(*where))
    if found is not None:
        return found
    experiment = Experiment(
        project_id=project.id, iid=iid, name=f"Experiment {iid}", created_at=0, updated_at=0
    )
    session.add(experiment)
    session.flush()
    return experiment.id


def add_candidate(
    session: Session, project: Project, iid: int, name: str = "a name", **more: Any
) -> Candidate:
    """A candidate of the project."""
    candidate = Candidate(
        project_id=project.id,
        experiment_id=add_experiment(session, project),
        iid=iid,
        eid=uuid4().hex,
        name=name,
        status=Status.RUNNING,
        created_at=0,
        **more,
    )
    session.add(candidate)
    session.flush()
    return candidate


def add_logged_model(session: Session, candidate: Candidate) -> LoggedModel:
    """A logged model in a candidate's experiment, with a row in every table of them."""
    model = LoggedModel(
        project_id=candidate.project_id,
        experiment_id=candidate.experiment_id,
        model_id=f"m-{uuid4().hex}",
        name="a model",
        status=LoggedModelStatus.READY,
        source_eid=candidate.eid,
        created_at=0,
        updated_at=0,
    )
    session.add(model)
    session.flush()
    point = {"timestamp": 0, "step": 0, "value": 1.0, "dataset_name": "", "dataset_digest": ""}
    session.add_all(
        [
            LoggedModelParam(logged_model_id=model.id, key="k", value="v"),
            LoggedModelTag(logged_model_id=model.id, key="k", value="v"),
            LoggedModelMetric(
                logged_model_id=model.id, candidate_id=candidate.id, key_id=1, **point
            ),
        ]
    )
    session.flush()
    return model


def add_candidates(session: Session, project: Project, iids: Iterable[int]) -> None:
    """Many candidates at once."""
    row = {
        "project_id": project.id,
        "experiment_id": add_experiment(session, project),
        "status": Status.RUNNING,
        "user_id": "",
        "created_at": 0,
    }
    rows = [{**row, "iid": iid, "eid": uuid4().hex, "name": f"try {iid}"} for iid in iids]
    session.execute(insert(Candidate), rows)


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that are sent to the database meanwhile."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)
