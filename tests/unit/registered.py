"""Rows of the model registry to test with, stored without the services that usually make them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from gitlab_mlops.host import Project
from gitlab_mlops.models import (
    AliasMove,
    Candidate,
    ModelAlias,
    ModelVersion,
    ModelVersionTag,
    ProtectedAlias,
    RegisteredModel,
    RegisteredModelTag,
)


def add_registered_model(
    session: Session, project: Project, candidate: Candidate | None, logged_model_id: int = 0
) -> ModelVersion:
    """A model `churn` with a version of the candidate, and a row in every table of the registry."""
    model = RegisteredModel(
        project_id=project.id, name="churn", last_version=1, created_at=0, updated_at=0
    )
    session.add(model)
    session.flush()
    version = ModelVersion(
        project_id=project.id,
        model_id=model.id,
        version=1,
        stage="None",
        status="READY",
        source="x",
        candidate_id=candidate.id if candidate else None,
        logged_model_id=logged_model_id or None,
        created_at=0,
        updated_at=0,
    )
    session.add(version)
    session.flush()
    session.add_all(
        [
            RegisteredModelTag(model_id=model.id, key="k", value="v"),
            ModelVersionTag(version_id=version.id, key="k", value="v"),
            ModelAlias(model_id=model.id, alias="champion", version_id=version.id),
            ProtectedAlias(model_id=model.id, alias="champion", created_at=0),
            AliasMove(model_id=model.id, alias="champion", version_after=1, moved_at=0),
        ]
    )
    session.flush()
    return version
