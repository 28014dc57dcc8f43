"""Logged models as read: flat records with everything MLflow's answer needs, loaded in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Select, func, literal, select, union_all

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import (
    Candidate,
    Experiment,
    LoggedModel,
    LoggedModelMetric,
    LoggedModelParam,
    LoggedModelTag,
    MetricKey,
)
from gitlab_mlops.services.statements import MAX_PARAMETERS, chunks

MAX_POINTS = 50_000
"""Points in one answer: each of its models gets the same share of them, its latest ones."""


class ModelPoint(NamedTuple):
    """A point of a logged model, measured by the candidate `eid`; no dataset is an empty one."""

    key: str
    value: float
    timestamp: int
    step: int
    dataset_name: str
    dataset_digest: str
    eid: str


@dataclass(frozen=True, slots=True)
class LoggedModelRecord:
    """A logged model as read; times in milliseconds since 1970, pairs sorted by their keys."""

    id: int
    experiment_id: int
    experiment_iid: int
    model_id: str
    name: str
    model_type: str
    status: int
    source_eid: str
    actor_id: str | None
    job_id: str | None
    created_at: int
    updated_at: int
    deleted_at: int | None
    params: list[tuple[str, str]] = field(default_factory=list)
    tags: list[tuple[str, str]] = field(default_factory=list)
    metrics: list[ModelPoint] = field(default_factory=list)


RECORD_COLUMNS: tuple[Any, ...] = (
    LoggedModel.id,
    LoggedModel.experiment_id,
    Experiment.iid.label("experiment_iid"),
    LoggedModel.model_id,
    LoggedModel.name,
    LoggedModel.model_type,
    LoggedModel.status,
    LoggedModel.source_eid,
    LoggedModel.actor_id,
    LoggedModel.job_id,
    LoggedModel.created_at,
    LoggedModel.updated_at,
    LoggedModel.deleted_at,
)
"""The columns of a `LoggedModelRecord`, in its order, as `select_records` selects them."""


def select_records(access: ReadAccess) -> Select[Any]:
    """Rows of `RECORD_COLUMNS`, of the project's logged models, deleted ones too."""
    statement: Select[Any] = select(*RECORD_COLUMNS).select_from(LoggedModel)
    return statement.join(Experiment, Experiment.id == LoggedModel.experiment_id).where(
        LoggedModel.project_id == access.project.id
    )


def load(access: ReadAccess, rows: Iterable[Sequence[Any]]) -> list[LoggedModelRecord]:
    """Full records from rows of `RECORD_COLUMNS`, in the same order, in a few statements."""
    records = {row[0]: LoggedModelRecord(*row) for row in rows}
    share = max(1, MAX_POINTS // max(1, len(records)))
    for ids in chunks(list(records), MAX_PARAMETERS // 4):
        _load_pairs(access, records, ids)
        _load_metrics(access, records, ids, share)
    return list(records.values())


def _load_pairs(
    access: ReadAccess, records: dict[int, LoggedModelRecord], ids: Sequence[int]
) -> None:
    pairs = union_all(
        *(
            select(literal(kind), table.logged_model_id, table.key, table.value).where(
                table.logged_model_id.in_(ids)
            )
            for kind, table in (("param", LoggedModelParam), ("tag", LoggedModelTag))
        )
    )
    found: list[tuple[Any, ...]] = sorted(tuple(row) for row in access.session.execute(pairs))
    for kind, model, key, value in found:
        record = records[model]
        (record.params if kind == "param" else record.tags).append((key, value))


def _load_metrics(
    access: ReadAccess, records: dict[int, LoggedModelRecord], ids: Sequence[int], share: int
) -> None:
    table = LoggedModelMetric
    latest = func.row_number().over(
        partition_by=table.logged_model_id, order_by=(table.timestamp.desc(), table.step.desc())
    )
    points = select(table, latest.label("place")).where(table.logged_model_id.in_(ids)).subquery().c
    statement = (
        select(
            points.logged_model_id,
            MetricKey.key,
            points.value,
            points.timestamp,
            points.step,
            points.dataset_name,
            points.dataset_digest,
            Candidate.eid,
        )
        .join(MetricKey, MetricKey.id == points.key_id)
        .join(Candidate, Candidate.id == points.candidate_id)
        .where(points.place <= share)
        .order_by(MetricKey.key, points.timestamp, points.step, Candidate.id)
    )
    for model, *point in access.session.execute(statement):
        records[model].metrics.append(ModelPoint(*point))
