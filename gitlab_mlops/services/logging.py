"""What a training loop does all day: log metrics, parameters and tags, whole or not at all.

Each is stored by a statement that finds the candidate itself (`series`, `params`). Only if that
stores less than everything is it asked why.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.errors import Invalid, Unavailable
from gitlab_mlops.models import MetricKey
from gitlab_mlops.services import candidates, series
from gitlab_mlops.services import params as parameters
from gitlab_mlops.services.logged_models import metrics as model_metrics
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.stamps import commit_of_ci, note_alteration
from gitlab_mlops.services.statements import upsert


def log(
    access: WriteAccess,
    eid: str,
    *,
    points: Sequence[Point] = (),
    params: Sequence[tuple[str, str]] = (),
    tags: Sequence[tuple[str, str]] = (),
) -> None:
    """Store a batch for a candidate that is not in the trash.

    The same batch again changes nothing. Raises `Invalid` if a parameter has another value
    already, or is given twice; then nothing of the batch is stored, unlike in MLflow. Values that
    come from elsewhere than the CI of a stamped candidate are noted on its stamp; tags are not.
    Points that name a logged model are noted with it too: raises as `model_metrics.store`.
    """
    if params:
        _store_params(access, eid, params)
    if points:
        _store_points(access, eid, points)
        if of_models := [point for point in points if point.model_id]:
            model_metrics.store(access, candidates.active_id(access, eid)[0], of_models)
    if tags or not (points or params):
        candidates.set_tags(access, eid, tags)


def _store_params(access: WriteAccess, eid: str, params: Sequence[tuple[str, str]]) -> None:
    wanted = dict(params)
    if len(wanted) != len(params):
        _refuse_twice(access, eid, params)
    if parameters.store(access, eid, commit_of_ci(access), wanted):
        return
    candidate_id, sha = _open(access, eid)
    if not parameters.store(access, eid, sha, wanted):
        parameters.refuse(access, candidate_id, wanted)


def _refuse_twice(access: WriteAccess, eid: str, params: Sequence[tuple[str, str]]) -> None:
    candidates.active_id(access, eid)
    keys = [key for key, _ in params]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    raise Invalid(f"Duplicate parameter keys have been submitted: {twice}. Send each key once.")


def _store_points(access: WriteAccess, eid: str, points: Sequence[Point]) -> None:
    if series.store(access, eid, commit_of_ci(access), points):
        return
    _, sha = _open(access, eid)
    _name_metrics(access, sorted({point.key for point in points}))
    if not series.store(access, eid, sha, points):
        raise Unavailable("Somebody else changed the same run; try again.")


def _open(access: WriteAccess, eid: str) -> tuple[int, str | None]:
    """Note who logs values to a candidate of CI; (id, commit that CI stamped). Raises as
    `candidates.active_id`.
    """
    candidate_id, _, sha = candidates.active_id(access, eid)
    if sha is not None:
        note_alteration(access, candidate_id, sha)
    return candidate_id, sha


def _name_metrics(access: WriteAccess, keys: Sequence[str]) -> None:
    """Make the names of metrics known to the project; those that are stay as they are."""
    named = {"project_id": access.project.id, "keys": keys}
    known = set(access.session.scalars(_KNOWN, named))
    if unknown := [key for key in keys if key not in known]:
        access.session.execute(
            upsert(access.session, MetricKey).on_conflict_do_nothing(),
            [{"project_id": access.project.id, "key": key} for key in unknown],
        )


_KEYS = MetricKey.__table__.c
_KNOWN = select(_KEYS.key).where(
    _KEYS.project_id == bindparam("project_id"),
    _KEYS.key.in_(bindparam("keys", expanding=True)),
)
