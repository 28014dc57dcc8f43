"""Candidates as lists on the forge's pages show them, also of several projects at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Candidate, Experiment, ExperimentTag
from gitlab_mlops.services import records
from gitlab_mlops.services.objectives import DIRECTION_TAG, NAME_TAG, Objective, objective_of
from gitlab_mlops.services.records import CandidateRecord

MAX_TAG = 250
"""Characters of the tags that name the main metric."""

Key = tuple[int, int]
"""A project, and the internal id of a candidate of it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A candidate, the access that read it, and what its experiment is about."""

    access: ReadAccess
    record: CandidateRecord
    experiment_name: str
    objective: Objective | None


def load(accesses: Mapping[int, ReadAccess], wanted: Sequence[Key]) -> list[Listed]:
    """These candidates, in this order, in the trash or not, without datasets.

    `accesses` has one for each project. Projects that share a session are read together, in a few
    statements. A candidate that is not there is left out.
    """
    by_session: dict[int, list[Key]] = {}
    for key in wanted:
        by_session.setdefault(id(accesses[key[0]].session), []).append(key)
    found = {key: each for keys in by_session.values() for key, each in _load(accesses, keys)}
    return [found[key] for key in wanted if key in found]


def _load(
    accesses: Mapping[int, ReadAccess], wanted: Sequence[Key]
) -> Iterable[tuple[Key, Listed]]:
    allowed = {project_id for project_id, _ in wanted}
    access = accesses[wanted[0][0]]
    rows = access.session.execute(
        select(Candidate.project_id, Experiment.name, *records.RECORD_COLUMNS)
        .join_from(Candidate, Experiment, Candidate.experiment_id == Experiment.id)
        .where(
            Candidate.project_id.in_(allowed),
            Candidate.id.in_([candidate_id for _, candidate_id in wanted]),
        )
    ).all()
    tags = _tags(access, {row.experiment_id for row in rows})
    loaded = records.load(access, [row[2:] for row in rows], with_datasets=False)
    for (project_id, name, *_), record in zip(rows, loaded, strict=True):
        keys = [point.key for point in record.metrics]
        objective = objective_of(tags.get(record.experiment_id, {}), keys)
        yield (project_id, record.id), Listed(accesses[project_id], record, name, objective)


def _tags(access: ReadAccess, experiment_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """What experiments, which their candidates led to, say about their main metric."""
    statement = select(ExperimentTag.experiment_id, ExperimentTag.key, ExperimentTag.value).where(
        ExperimentTag.experiment_id.in_(experiment_ids),
        ExperimentTag.key.in_((NAME_TAG, DIRECTION_TAG)),
    )
    found: dict[int, dict[str, str]] = {}
    row: Any
    for row in access.session.execute(statement):
        found.setdefault(row[0], {})[row[1]] = row[2][:MAX_TAG]
    return found
