"""What a training loop does all day: log metrics, parameters and tags, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import bindparam, case, func, select, tuple_

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.errors import Invalid
from gitlab_mlops.models import MetricKey, MetricPoint, MetricSeries, Param
from gitlab_mlops.services import candidates
from gitlab_mlops.services.logged_models import metrics as model_metrics
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.stamps import note_alteration
from gitlab_mlops.services.statements import dialect, insert_for, upsert


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
    candidate_id, experiment_id, stamped_sha = candidates.active_id(access, eid)
    if stamped_sha is not None and (points or params):
        note_alteration(access, candidate_id, stamped_sha)
    if params:
        _store_params(access, candidate_id, params)
    if points:
        _store_points(access, candidate_id, experiment_id, points)
        if of_models := [point for point in points if point.model_id]:
            model_metrics.store(access, candidate_id, of_models)
    if tags:
        candidates.store_tags(access, candidate_id, tags)


def _store_params(
    access: WriteAccess, candidate_id: int, params: Sequence[tuple[str, str]]
) -> None:
    wanted = dict(params)
    if len(wanted) != len(params):
        twice = sorted({key for key, _ in params if [k for k, _ in params].count(key) > 1})
        raise Invalid(f"Duplicate parameter keys have been submitted: {twice}. Send each key once.")
    # In the order of keys, so that two batches at once wait for each other and never deadlock.
    access.session.execute(
        _insert_params(dialect(access.session)),
        [
            {"candidate_id": candidate_id, "key": key, "value": value}
            for key, value in sorted(wanted.items())
        ],
    )
    named = {"candidate_id": candidate_id, "keys": list(wanted)}
    for key, value in access.session.execute(_PARAMS, named):
        if value != wanted[key]:
            raise Invalid(
                "Changing param values is not allowed. Param with "
                f"key='{key}' was already logged with value='{value}'; attempted new "
                f"value '{wanted[key]}'. Log the new value under another key, or in a new run."
            )


@cache
def _insert_params(dialect: str) -> Any:
    return insert_for(dialect, Param).on_conflict_do_nothing()


_PARAM_TABLE = Param.__table__.c
_PARAMS = select(_PARAM_TABLE.key, _PARAM_TABLE.value).where(
    _PARAM_TABLE.candidate_id == bindparam("candidate_id"),
    _PARAM_TABLE.key.in_(bindparam("keys", expanding=True)),
)


def _store_points(
    access: WriteAccess, candidate_id: int, experiment_id: int, points: Sequence[Point]
) -> None:
    key_ids = _key_ids(access, sorted({point.key for point in points}))
    summaries: dict[int, _Summary] = {}
    for point in points:
        key_id = key_ids[point.key]
        if key_id in summaries:
            summaries[key_id].add(point)
        else:
            summaries[key_id] = _Summary(point)
    series = _store_series(access, candidate_id, experiment_id, summaries)
    access.session.execute(
        _insert_points(dialect(access.session)),
        [
            {
                "series_id": series[key_ids[point.key]],
                "step": point.step,
                "timestamp": point.timestamp,
                "value": point.value,
            }
            for point in points
        ],
    )


class _Summary:
    """The latest of some points of one series, and the extremes of their values but for NaN."""

    __slots__ = ("highest", "latest", "lowest")

    def __init__(self, point: Point) -> None:
        self.latest = point
        self.lowest = self.highest = None if point.value != point.value else point.value

    def add(self, point: Point) -> None:
        """Take one point more into account."""
        if _is_newer(point, self.latest):
            self.latest = point
        value = point.value
        if value != value:
            return
        if self.lowest is None or value < self.lowest:
            self.lowest = value
        if self.highest is None or value > self.highest:
            self.highest = value


@cache
def _insert_points(dialect: str) -> Any:
    return insert_for(dialect, MetricPoint).on_conflict_do_nothing()


def _is_newer(point: Point, other: Point) -> bool:
    """Whether a point is the later one by MLflow's order: step, timestamp, value; NaN is most."""
    return _rank(point) > _rank(other)


def _rank(point: Point) -> tuple[int, int, bool, float]:
    is_nan = point.value != point.value
    return point.step, point.timestamp, is_nan, 0.0 if is_nan else point.value


def _key_ids(access: WriteAccess, keys: Sequence[str]) -> dict[str, int]:
    found = _find_keys(access, keys)
    if unknown := [key for key in keys if key not in found]:
        access.session.execute(
            upsert(access.session, MetricKey).on_conflict_do_nothing(),
            [{"project_id": access.project.id, "key": key} for key in unknown],
        )
        found |= _find_keys(access, unknown)
    return found


def _find_keys(access: WriteAccess, keys: Sequence[str]) -> dict[str, int]:
    named = {"project_id": access.project.id, "keys": keys}
    return dict(access.session.execute(_KEYS, named).all())


_KEY_TABLE = MetricKey.__table__.c
_KEYS = select(_KEY_TABLE.key, _KEY_TABLE.id).where(
    _KEY_TABLE.project_id == bindparam("project_id"),
    _KEY_TABLE.key.in_(bindparam("keys", expanding=True)),
)


def _store_series(
    access: WriteAccess, candidate_id: int, experiment_id: int, summaries: dict[int, _Summary]
) -> dict[int, int]:
    """Move the latest point of each series forward, and widen its extremes; return the series'
    ids by key id.
    """
    rows = [
        {
            "candidate_id": candidate_id,
            "experiment_id": experiment_id,
            "key_id": key_id,
            "step": each.latest.step,
            "timestamp": each.latest.timestamp,
            "value": each.latest.value,
            "lowest": each.lowest,
            "highest": each.highest,
        }
        for key_id, each in sorted(summaries.items())
    ]
    return dict(access.session.execute(_upsert_series(dialect(access.session)), rows).all())


@cache
def _upsert_series(dialect: str) -> Any:
    insert = insert_for(dialect, MetricSeries)
    table, new = MetricSeries.__table__.c, insert.excluded
    columns = ("step", "timestamp", "value")
    is_newer = tuple_(*(new[name] for name in columns)) > tuple_(*(table[name] for name in columns))
    moved = {name: case((is_newer, new[name]), else_=table[name]) for name in columns}
    for name, beyond in (
        ("lowest", new.lowest < table.lowest),
        ("highest", new.highest > table.highest),
    ):
        # Compared with NULL, nothing is beyond; then whichever is there stays.
        moved[name] = case((beyond, new[name]), else_=func.coalesce(table[name], new[name]))
    return insert.on_conflict_do_update(
        index_elements=["candidate_id", "key_id"], set_=moved
    ).returning(table.key_id, table.id)
