"""What a registered version was made of is not deleted for ever below it."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from gitlab_mlops.access import MaintainAccess
from gitlab_mlops.errors import Invalid
from gitlab_mlops.host import Actor, Project
from gitlab_mlops.models import Candidate, Experiment, LoggedModel, ModelVersion
from gitlab_mlops.services import deletion
from gitlab_mlops.services.registry import versions
from gitlab_mlops.storage import Storage
from tests.unit.registered import add_registered_model
from tests.unit.rows import add_candidate, add_experiment

PROJECT = Project(1, "group/one")


@pytest.fixture
def access(session: Session) -> MaintainAccess:
    return MaintainAccess(Actor("1", "ann"), PROJECT, session)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage("", default_folder=tmp_path / "artifacts")


def trashed(session: Session) -> Candidate:
    """A candidate in the trash, with its experiment."""
    candidate = add_candidate(session, PROJECT, 1, deleted_at=1)
    experiment = session.get(Experiment, candidate.experiment_id)
    assert experiment is not None
    experiment.deleted_at = 1
    session.flush()
    return candidate


def test_a_candidate_stays_as_long_as_its_version(access: MaintainAccess, storage: Storage) -> None:
    add_registered_model(access.session, PROJECT, trashed(access.session))
    for act in (deletion.measure_candidates, deletion.delete_candidates):
        with pytest.raises(Invalid, match="Version 1 of the registered model churn"):
            act(access, storage, [1])
    for act in (deletion.measure_experiment, deletion.delete_experiment):
        with pytest.raises(Invalid, match="delete the version first"):
            act(access, storage, 0)
    versions.delete(access, "churn", 1)
    assert deletion.delete_candidates(access, storage, [1]).candidates == 1
    deletion.delete_experiment(access, storage, 0)
    assert access.session.scalars(select(ModelVersion)).all() == []


def test_an_experiment_stays_as_long_as_a_version_of_its_logged_model(
    access: MaintainAccess, storage: Storage
) -> None:
    trashed(access.session)
    logged = LoggedModel(
        project_id=PROJECT.id,
        experiment_id=add_experiment(access.session, PROJECT),
        model_id=f"m-{uuid4().hex}",
        name="model",
        status=2,
        created_at=0,
        updated_at=0,
    )
    access.session.add(logged)
    access.session.flush()
    add_registered_model(access.session, PROJECT, None, logged.id)
    with pytest.raises(Invalid, match="churn"):
        deletion.delete_experiment(access, storage, 0)
    # The candidate is another matter: it did not make the model.
    assert deletion.delete_candidates(access, storage, [1]).candidates == 1
    versions.delete(access, "churn", 1)
    deletion.delete_experiment(access, storage, 0)
    assert access.session.scalars(select(LoggedModel)).all() == []
