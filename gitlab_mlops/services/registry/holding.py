"""Whether files are those of a registered version, and so may not be deleted for ever."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.errors import Invalid
from gitlab_mlops.models import Candidate, LoggedModel, ModelVersion, RegisteredModel


def require_unregistered(access: ReadAccess, which: ColumnElement[bool]) -> None:
    """Raise `Invalid` if there are versions of candidates or logged models that `which` finds."""
    found = access.session.execute(
        select(RegisteredModel.name, ModelVersion.version)
        .select_from(ModelVersion)
        .join(RegisteredModel, RegisteredModel.id == ModelVersion.model_id)
        .outerjoin(Candidate, Candidate.id == ModelVersion.candidate_id)
        .outerjoin(LoggedModel, LoggedModel.id == ModelVersion.logged_model_id)
        .where(ModelVersion.project_id == access.project.id, which)
        .order_by(ModelVersion.id)
        .limit(1)
    ).one_or_none()
    if found is not None:
        raise Invalid(
            f"Version {found.version} of the registered model {found.name} was made by this; "
            "delete the version first."
        )
