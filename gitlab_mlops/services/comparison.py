"""Candidates to be compared: whole records of a few of them, and what belongs to their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import and_, bindparam, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.errors import NotFound
from gitlab_mlops.models import (
    Candidate,
    Dataset,
    Experiment,
    Input,
    InputTag,
    MetricKey,
    MetricSeries,
)
from gitlab_mlops.services import experiment_records, objectives, records
from gitlab_mlops.services.experiment_records import ExperimentRecord
from gitlab_mlops.services.inputs import CONTEXT_TAG
from gitlab_mlops.services.records import CandidateRecord

Extremes = Mapping[tuple[int, str], tuple[float | None, float | None]]
"""(lowest, highest) by candidate (internal id) and metric; None: every value is NaN."""
Digests = Mapping[int, Mapping[tuple[str, str], str]]
"""Digests of datasets by candidate (internal id), and by (name, context)."""


def find(access: ReadAccess, iids: Sequence[int]) -> list[CandidateRecord]:
    """The candidates of these iids, in this order, in the trash or not, without datasets.

    Raises `NotFound` that names those that the project does not have.
    """
    rows = access.session.execute(
        select(*records.RECORD_COLUMNS)
        .join_from(Candidate, Experiment, Candidate.experiment_id == Experiment.id)
        .where(Candidate.project_id == access.project.id, Candidate.iid.in_(iids))
    ).all()
    by_iid = {row.iid: row for row in rows}
    if missing := [str(iid) for iid in iids if iid not in by_iid]:
        raise NotFound(_not_found(missing, access.project.path))
    return records.load(access, [by_iid[iid] for iid in iids], with_datasets=False)


def _not_found(missing: list[str], path: str) -> str:
    if len(missing) == 1:
        return f"Candidate {missing[0]} not found in {path}."
    return f"Candidates {', '.join(missing[:-1])} and {missing[-1]} not found in {path}."


def experiments_of(
    access: ReadAccess, compared: Iterable[CandidateRecord]
) -> dict[int, ExperimentRecord]:
    """The experiments of candidates, with their tags, by internal id."""
    ids = {each.experiment_id for each in compared}
    rows = access.session.execute(
        select(*experiment_records.RECORD_COLUMNS).where(
            Experiment.project_id == access.project.id, Experiment.id.in_(ids)
        )
    ).all()
    return {each.id: each for each in experiment_records.load(access, rows)}


def direction(key: str, found: Iterable[ExperimentRecord]) -> bool | None:
    """Whether more of a metric is better in all these experiments; None: unknown or mixed."""
    known = {objectives.greater_is_better(key, dict(each.tags)) for each in found}
    return known.pop() if len(known) == 1 else None


def extremes_of(access: ReadAccess, compared: Sequence[CandidateRecord]) -> Extremes:
    """The extremes of the histories of all metrics of candidates."""
    series = MetricSeries.__table__.c
    statement = (
        select(series.candidate_id, MetricKey.key, series.lowest, series.highest)
        .join_from(MetricSeries, MetricKey, MetricSeries.key_id == MetricKey.id)
        .where(series.candidate_id.in_(bindparam("ids", expanding=True)))
        .where(MetricKey.project_id == access.project.id)
    )
    found = access.session.execute(statement, {"ids": [each.id for each in compared]})
    return {(row[0], row[1]): (row[2], row[3]) for row in found}


def digests_of(access: ReadAccess, compared: Sequence[CandidateRecord]) -> Digests:
    """Which datasets candidates used, without their profiles, which may be megabytes."""
    is_context = and_(
        InputTag.candidate_id == Input.candidate_id,
        InputTag.dataset_id == Input.dataset_id,
        InputTag.key == CONTEXT_TAG,
    )
    statement = (
        select(Input.candidate_id, Dataset.name, InputTag.value, Dataset.digest)
        .join_from(Input, Dataset, Input.dataset_id == Dataset.id)
        .outerjoin(InputTag, is_context)
        .where(Input.candidate_id.in_([each.id for each in compared]))
        .order_by(Dataset.id)
    )
    found: dict[int, dict[tuple[str, str], str]] = {each.id: {} for each in compared}
    for candidate_id, name, context, digest in access.session.execute(statement):
        used = found[candidate_id]
        same = (name, context or "")
        # The same name twice: a candidate may have used two versions of a dataset.
        used[same] = f"{used[same]}, {digest}" if same in used else digest
    return found
