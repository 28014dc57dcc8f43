"""What the card of a reference shows: enough of a thing to recognise it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.errors import NotFound
from gitlab_mlops.models import Candidate, Experiment, ModelVersion
from gitlab_mlops.services import experiment_records, leaders, overview, records
from gitlab_mlops.services.experiment_records import ExperimentRecord
from gitlab_mlops.services.leaders import Leader
from gitlab_mlops.services.objectives import (
    DIRECTION_TAG,
    NAME_TAG,
    Objective,
    by_interest,
    objective_of,
)
from gitlab_mlops.services.overview import Counts
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.registry import registered_models
from gitlab_mlops.services.registry import versions as registry_versions
from gitlab_mlops.services.registry.records import ModelRecord, VersionRecord

MAX_METRICS = 6
"""Metrics on the card of a candidate."""
MAX_TAG = 250
"""Characters of the tags that name the main metric."""


@dataclass(frozen=True, slots=True)
class CandidateCard:
    """A candidate without its datasets, and the metrics to show of it, the main one first."""

    record: CandidateRecord
    experiment_name: str
    objective: Objective | None
    metrics: list[Point]

    @property
    def is_main_first(self) -> bool:
        """Whether the first of the metrics is the main one of the experiment."""
        return bool(self.objective and self.metrics and self.metrics[0].key == self.objective.key)


@dataclass(frozen=True, slots=True)
class ExperimentCard:
    """An experiment, how many candidates it has, and the best one by its main metric, if known."""

    record: ExperimentRecord
    counts: Counts
    leader: Leader | None


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A registered model, and how many versions of it there are."""

    record: ModelRecord
    versions: int
    is_prompt: bool


@dataclass(frozen=True, slots=True)
class VersionCard:
    """A version, and the card of the candidate that made it; None without one."""

    record: VersionRecord
    candidate: CandidateCard | None


def candidate_card(access: ReadAccess, iid: int) -> CandidateCard:
    """The card of the candidate of this iid, in the trash or not; raise `NotFound`."""
    row = access.session.execute(
        select(*records.RECORD_COLUMNS, Experiment.name)
        .join_from(Candidate, Experiment, Candidate.experiment_id == Experiment.id)
        .where(Candidate.project_id == access.project.id, Candidate.iid == iid)
    ).one_or_none()
    if row is None:
        raise NotFound(f"Candidate {iid} not found in {access.project.path}.")
    *columns, experiment_name = row
    (record,) = records.load(access, [columns], with_datasets=False)
    points = {point.key: point for point in record.metrics}
    objective = objective_of(_main_metric_tags(access, record.experiment_id), points)
    order = by_interest(points, objective)[:MAX_METRICS]
    return CandidateCard(record, experiment_name, objective, [points[key] for key in order])


def experiment_card(access: ReadAccess, iid: int) -> ExperimentCard:
    """The card of the experiment of this iid, in the trash or not; raise `NotFound`."""
    record = overview.get_experiment(access, iid)
    best = leaders.leaders(access, {record.id: dict(record.tags)})
    return ExperimentCard(record, overview.count_candidates(access, record.id), best.get(record.id))


def model_card(access: ReadAccess, name: str) -> ModelCard:
    """The card of the registered model of this name; raise `NotFound`."""
    record = registered_models.get(access, name)
    count = select(func.count()).where(ModelVersion.model_id == record.id)
    versions = access.session.execute(count).scalar_one()
    return ModelCard(record, versions, registered_models.is_prompt(dict(record.tags)))


def version_card(access: ReadAccess, name: str, version: int) -> VersionCard:
    """The card of a version of this number; raise `NotFound`."""
    record = registry_versions.get(access, name, version)
    made_by = record.candidate_iid
    return VersionCard(record, None if made_by is None else candidate_card(access, made_by))


def _main_metric_tags(access: ReadAccess, experiment_id: int) -> dict[str, str]:
    wanted = (NAME_TAG, DIRECTION_TAG)
    found = experiment_records.tags_of(access, [experiment_id], wanted, length=MAX_TAG)
    return found[experiment_id]
