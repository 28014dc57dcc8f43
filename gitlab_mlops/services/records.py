"""Candidates as read: flat records with everything MLflow's answer needs, loaded in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import (
    Candidate,
    CandidateTag,
    Dataset,
    Experiment,
    Input,
    InputTag,
    MetricKey,
    MetricSeries,
    ModelLink,
    Param,
)
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.statements import MAX_PARAMETERS, chunks


@dataclass(frozen=True, slots=True)
class DatasetInput:
    """A dataset that a candidate used, with the tags of this use as (key, value)."""

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None
    profile: str | None
    tags: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """A candidate as read; times in milliseconds since 1970, `metrics` the latest points."""

    id: int
    experiment_id: int
    experiment_iid: int
    iid: int
    eid: str
    name: str
    status: int
    user_id: str
    actor_id: str | None
    start_time: int | None
    end_time: int | None
    created_at: int
    deleted_at: int | None
    metrics: list[Point] = field(default_factory=list)
    params: list[tuple[str, str]] = field(default_factory=list)
    tags: list[tuple[str, str]] = field(default_factory=list)
    datasets: list[DatasetInput] = field(default_factory=list)
    models: list[tuple[str, str, int]] = field(default_factory=list)
    """Logged models as (direction, model id, step); the direction is `input` or `output`."""


RECORD_COLUMNS = (
    Candidate.id,
    Candidate.experiment_id,
    Experiment.iid.label("experiment_iid"),
    Candidate.iid,
    Candidate.eid,
    Candidate.name,
    Candidate.status,
    Candidate.user_id,
    Candidate.actor_id,
    Candidate.start_time,
    Candidate.end_time,
    Candidate.created_at,
    Candidate.deleted_at,
)
"""The columns of a `CandidateRecord`, in its order, from candidates joined with experiments."""


def select_records(access: ReadAccess) -> Select[*tuple[Any, ...]]:
    """SELECT the record columns of the project's candidates; add conditions and order."""
    return (
        select(*RECORD_COLUMNS)
        .join_from(Candidate, Experiment, Candidate.experiment_id == Experiment.id)
        .where(Candidate.project_id == access.project.id)
    )


def load(access: ReadAccess, rows: Iterable[Sequence[Any]]) -> list[CandidateRecord]:
    """Full records from rows of `RECORD_COLUMNS`, in the same order, in a few statements."""
    records = {row[0]: CandidateRecord(*row) for row in rows}
    # The newest thousand is a page; more than that is asked for in slices of bounded size.
    for ids in chunks(list(records), MAX_PARAMETERS):
        _load_metrics(access, records, ids)
        _load_pairs(access, records, ids)
        _load_datasets(access, records, ids)
    return list(records.values())


def _load_metrics(
    access: ReadAccess, records: dict[int, CandidateRecord], ids: Sequence[int]
) -> None:
    statement = (
        select(
            MetricSeries.candidate_id,
            MetricKey.key,
            MetricSeries.value,
            MetricSeries.timestamp,
            MetricSeries.step,
        )
        .join_from(MetricSeries, MetricKey, MetricSeries.key_id == MetricKey.id)
        .where(MetricSeries.candidate_id.in_(ids))
        .order_by(MetricKey.key)
    )
    for row in access.session.execute(statement):
        records[row[0]].metrics.append(Point(*row[1:]))


def _load_pairs(
    access: ReadAccess, records: dict[int, CandidateRecord], ids: Sequence[int]
) -> None:
    for model in (Param, CandidateTag):
        statement = (
            select(model.candidate_id, model.key, model.value)
            .where(model.candidate_id.in_(ids))
            .order_by(model.key)
        )
        for candidate_id, key, value in access.session.execute(statement):
            record = records[candidate_id]
            (record.params if model is Param else record.tags).append((key, value))


def _load_datasets(
    access: ReadAccess, records: dict[int, CandidateRecord], ids: Sequence[int]
) -> None:
    inputs: dict[tuple[int, int], DatasetInput] = {}
    for candidate_id, dataset_id, *dataset in access.session.execute(_select_datasets(ids)):
        inputs[candidate_id, dataset_id] = DatasetInput(*dataset)
        records[candidate_id].datasets.append(inputs[candidate_id, dataset_id])
    if inputs:
        for candidate_id, dataset_id, key, value in _input_tags(access, ids):
            inputs[candidate_id, dataset_id].tags.append((key, value))
    links = select(ModelLink.candidate_id, ModelLink.direction, ModelLink.model_id, ModelLink.step)
    links = links.where(ModelLink.candidate_id.in_(ids)).order_by(ModelLink.model_id)
    for candidate_id, direction, model_id, step in access.session.execute(links):
        records[candidate_id].models.append((direction, model_id, step))


def _select_datasets(ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Input.candidate_id,
            Dataset.id,
            Dataset.name,
            Dataset.digest,
            Dataset.source_type,
            Dataset.source,
            Dataset.schema,
            Dataset.profile,
        )
        .join_from(Input, Dataset, Input.dataset_id == Dataset.id)
        .where(Input.candidate_id.in_(ids))
        .order_by(Dataset.id)
    )


def _input_tags(access: ReadAccess, ids: Sequence[int]) -> Iterator[Any]:
    statement = select(
        InputTag.candidate_id, InputTag.dataset_id, InputTag.key, InputTag.value
    ).where(InputTag.candidate_id.in_(ids))
    yield from access.session.execute(statement.order_by(InputTag.key))
