"""What candidates measured of logged models: points that name a model, besides the metric's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.models import LoggedModel, LoggedModelMetric, MetricKey
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.statements import upsert


def store(access: WriteAccess, candidate_id: int, points: Sequence[Point]) -> None:
    """Note points with their logged models; the same point again changes nothing.

    The names of the metrics are known already. Raises `NotFound` for a model that the project
    does not have, and `Invalid` for one that is deleted.
    """
    models = _active_ids(access, {point.model_id for point in points})
    keys = _key_ids(access, {point.key for point in points})
    rows = [
        {
            "logged_model_id": models[point.model_id],
            "key_id": keys[point.key],
            "timestamp": point.timestamp,
            "step": point.step,
            "candidate_id": candidate_id,
            "dataset_name": point.dataset_name,
            "dataset_digest": point.dataset_digest,
            "value": point.value,
        }
        for point in points
    ]
    access.session.execute(upsert(access.session, LoggedModelMetric).on_conflict_do_nothing(), rows)


def _active_ids(access: WriteAccess, model_ids: set[str]) -> dict[str, int]:
    statement = select(LoggedModel.model_id, LoggedModel.id, LoggedModel.deleted_at).where(
        LoggedModel.project_id == access.project.id, LoggedModel.model_id.in_(model_ids)
    )
    found = access.session.execute(statement).all()
    if missing := sorted(model_ids - {row.model_id for row in found}):
        raise NotFound(f"Logged model with ID '{missing[0]}' not found.")
    if deleted := sorted(row.model_id for row in found if row.deleted_at is not None):
        raise Invalid(f"The logged model {deleted[0]} is deleted; nothing can be logged to it.")
    return {row.model_id: row.id for row in found}


def _key_ids(access: WriteAccess, keys: Iterable[str]) -> dict[str, int]:
    statement = select(MetricKey.key, MetricKey.id).where(
        MetricKey.project_id == access.project.id, MetricKey.key.in_(keys)
    )
    return dict(access.session.execute(statement).all())
