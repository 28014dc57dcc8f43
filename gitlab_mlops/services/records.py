"""Candidates as read: flat records with everything MLflow's answer needs, loaded in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, cast, literal, select, union_all

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


_candidate, _experiment = Candidate.__table__.c, Experiment.__table__.c
# Columns of tables, and statements that are built once: reading candidates is what a tracking
# server does most, and building a statement takes longer than running it.
RECORD_COLUMNS = (
    _candidate.id,
    _candidate.experiment_id,
    _experiment.iid.label("experiment_iid"),
    _candidate.iid,
    _candidate.eid,
    _candidate.name,
    _candidate.status,
    _candidate.user_id,
    _candidate.actor_id,
    _candidate.start_time,
    _candidate.end_time,
    _candidate.created_at,
    _candidate.deleted_at,
)
"""The columns of a `CandidateRecord`, in its order, from candidates joined with experiments."""

_OF_PROJECT = (
    select(*RECORD_COLUMNS)
    .join_from(
        Candidate.__table__, Experiment.__table__, _candidate.experiment_id == _experiment.id
    )
    .where(_candidate.project_id == bindparam("project_id"))
)
_BY_EID = _OF_PROJECT.where(_candidate.eid == bindparam("eid"))
_BY_IID = _OF_PROJECT.where(_candidate.iid == bindparam("iid"))


def find(
    access: ReadAccess, *, eid: str | None = None, iid: int | None = None
) -> CandidateRecord | None:
    """The whole candidate of the project with this `eid`, or else this `iid`; or None."""
    named = {"project_id": access.project.id, "eid": eid, "iid": iid}
    rows = access.session.execute(_BY_IID if eid is None else _BY_EID, named).all()
    return load(access, rows)[0] if rows else None


def load(
    access: ReadAccess, rows: Iterable[Sequence[Any]], *, with_datasets: bool = True
) -> list[CandidateRecord]:
    """Full records from rows of `RECORD_COLUMNS`, in the same order, in a few statements.

    Datasets can have megabytes each; who does not show them leaves them out.
    """
    records = {row[0]: CandidateRecord(*row) for row in rows}
    # A page is one slice; more than that is asked for in slices of bounded size.
    for ids in chunks(list(records), MAX_PARAMETERS // 4):
        _load_metrics(access, records, ids)
        _load_pairs(access, records, ids)
        if with_datasets:
            for candidate_id, datasets in datasets_of(access, ids).items():
                records[candidate_id].datasets.extend(datasets)
    return list(records.values())


def _in(column: Any, name: str = "ids") -> ColumnElement[bool]:
    condition: ColumnElement[bool] = column.in_(bindparam(name, expanding=True))
    return condition


_series, _key = MetricSeries.__table__.c, MetricKey.__table__.c
_METRICS = (
    select(_series.candidate_id, _key.key, _series.value, _series.timestamp, _series.step)
    .join_from(MetricSeries.__table__, MetricKey.__table__, _series.key_id == _key.id)
    .where(_in(_series.candidate_id))
)


def _load_metrics(
    access: ReadAccess, records: dict[int, CandidateRecord], ids: Sequence[int]
) -> None:
    found = access.session.execute(_METRICS, {"ids": ids}).all()
    for candidate_id, *point in sorted(found, key=itemgetter(1)):
        records[candidate_id].metrics.append(Point(*point))


_param, _tag, _link = Param.__table__.c, CandidateTag.__table__.c, ModelLink.__table__.c
_PAIRS = union_all(
    select(literal("param"), _param.candidate_id, _param.key, _param.value).where(
        _in(_param.candidate_id)
    ),
    select(literal("tag"), _tag.candidate_id, _tag.key, _tag.value).where(_in(_tag.candidate_id)),
    select(_link.direction, _link.candidate_id, _link.model_id, cast(_link.step, Text)).where(
        _in(_link.candidate_id)
    ),
)
"""Parameters, tags and links to logged models: all are a key and a text, so one round trip."""


def _load_pairs(
    access: ReadAccess, records: dict[int, CandidateRecord], ids: Sequence[int]
) -> None:
    found = access.session.execute(_PAIRS, {"ids": ids}).all()
    for kind, candidate_id, key, value in sorted(found, key=itemgetter(2)):
        record = records[candidate_id]
        if kind == "param":
            record.params.append((key, value))
        elif kind == "tag":
            record.tags.append((key, value))
        else:
            record.models.append((kind, key, int(value)))


_input, _dataset, _input_tag = Input.__table__.c, Dataset.__table__.c, InputTag.__table__.c
# Apart from the datasets, whose profiles may be megabytes: a join would repeat them per tag.
_INPUTS = (
    select(_input.candidate_id, _input.dataset_id, _input_tag.key, _input_tag.value)
    .join_from(
        Input.__table__,
        InputTag.__table__,
        (_input_tag.candidate_id == _input.candidate_id)
        & (_input_tag.dataset_id == _input.dataset_id),
        isouter=True,
    )
    .where(_in(_input.candidate_id))
    .order_by(_input.dataset_id, _input_tag.key)
)
_DATASETS = select(
    _dataset.id,
    _dataset.name,
    _dataset.digest,
    _dataset.source_type,
    _dataset.source,
    _dataset.schema,
    _dataset.profile,
).where(_in(_dataset.id))


def datasets_of(access: ReadAccess, ids: Sequence[int]) -> dict[int, list[DatasetInput]]:
    """The datasets that these candidates used, by candidate id."""
    inputs = access.session.execute(_INPUTS, {"ids": ids}).all()
    if not inputs:
        return {}
    wanted = {"ids": list({row.dataset_id for row in inputs})}
    datasets = {row[0]: row[1:] for row in access.session.execute(_DATASETS, wanted)}
    found: dict[int, list[DatasetInput]] = {}
    used: dict[tuple[int, int], DatasetInput] = {}
    for candidate_id, dataset_id, key, value in inputs:
        if (candidate_id, dataset_id) not in used:
            used[candidate_id, dataset_id] = DatasetInput(*datasets[dataset_id])
            found.setdefault(candidate_id, []).append(used[candidate_id, dataset_id])
        if key is not None:
            used[candidate_id, dataset_id].tags.append((key, value))
    return found
