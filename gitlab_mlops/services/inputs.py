"""What a candidate used and made: datasets, and links to logged models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import Select, select

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.errors import Invalid
from gitlab_mlops.models import (
    Candidate,
    CandidateTag,
    Dataset,
    Experiment,
    Input,
    InputTag,
    ModelLink,
)
from gitlab_mlops.services import candidates
from gitlab_mlops.services.records import DatasetInput
from gitlab_mlops.services.statements import upsert

CONTEXT_TAG = "mlflow.data.context"
MODELS_TAG = "mlflow.log-model.history"
MAX_MODELS = 200_000


def log_inputs(
    access: WriteAccess, eid: str, datasets: Sequence[DatasetInput], model_ids: Sequence[str] = ()
) -> None:
    """Note that a candidate used datasets and logged models; what is noted already stays.

    In an experiment, the same name and digest is the same dataset, and its first description
    stays, as in MLflow.
    """
    candidate_id, experiment_id, _ = candidates.active_id(access, eid)
    first = {(used.name, used.digest): used for used in reversed(datasets)}
    if first:
        ids = _store_datasets(access, experiment_id, list(first.values()))
        _store_inputs(access, candidate_id, {ids[key]: used for key, used in first.items()})
    _store_links(access, candidate_id, "input", [(model_id, 0) for model_id in model_ids])


def log_outputs(access: WriteAccess, eid: str, models: Sequence[tuple[str, int]]) -> None:
    """Note that a candidate made logged models, each as (model id, step)."""
    candidate_id, *_ = candidates.active_id(access, eid)
    _store_links(access, candidate_id, "output", models)


def log_model(access: WriteAccess, eid: str, summary: dict[str, Any]) -> None:
    """Add a model's summary to the candidate's tag, where MLflow 2 looks for its models."""
    candidate_id, *_ = candidates.active_id(access, eid)
    candidates.lock(access, candidate_id)
    stored = access.session.scalar(
        select(CandidateTag.value).where(
            CandidateTag.candidate_id == candidate_id, CandidateTag.key == MODELS_TAG
        )
    )
    value = json.dumps([*_parse_list(stored), summary])
    if len(value) > MAX_MODELS:
        raise Invalid(f"The tag {MODELS_TAG} would have over {MAX_MODELS} characters.")
    candidates.store_tags(access, candidate_id, [(MODELS_TAG, value)])


def _parse_list(stored: str | None) -> list[Any]:
    """The list in the tag; a client may have overwritten it with anything."""
    try:
        found = json.loads(stored or "[]")
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def search_datasets(
    access: ReadAccess, experiment_iids: Sequence[int], limit: int
) -> list[tuple[int, str, str, str | None]]:
    """Distinct (experiment iid, name, digest, context) of what candidates used."""
    statement = (
        select(Experiment.iid, Dataset.name, Dataset.digest, InputTag.value)
        .join_from(Dataset, Experiment, Dataset.experiment_id == Experiment.id)
        .join(Input, Input.dataset_id == Dataset.id)
        .outerjoin(
            InputTag,
            (InputTag.dataset_id == Input.dataset_id)
            & (InputTag.candidate_id == Input.candidate_id)
            & (InputTag.key == CONTEXT_TAG),
        )
        .join(Candidate, Input.candidate_id == Candidate.id)
        .where(
            Experiment.project_id == access.project.id,
            Experiment.iid.in_(experiment_iids),
            Candidate.deleted_at.is_(None),
        )
        .distinct()
        .order_by(Experiment.iid, Dataset.name, Dataset.digest)
        .limit(limit)
    )
    return [(row[0], row[1], row[2], row[3]) for row in access.session.execute(statement)]


def _store_datasets(
    access: WriteAccess, experiment_id: int, datasets: Sequence[DatasetInput]
) -> dict[tuple[str, str], int]:
    """Store the datasets that are new; return the ids of all by (name, digest)."""
    rows = [
        {
            "experiment_id": experiment_id,
            "name": used.name,
            "digest": used.digest,
            "source_type": used.source_type,
            "source": used.source,
            "schema": used.schema,
            "profile": used.profile,
        }
        for used in sorted(datasets, key=lambda used: (used.name, used.digest))
    ]
    access.session.execute(upsert(access.session, Dataset).on_conflict_do_nothing(), rows)
    names = {used.name for used in datasets}
    found = access.session.execute(_select_ids(experiment_id, names))
    return {(name, digest): dataset_id for name, digest, dataset_id in found}


def _select_ids(experiment_id: int, names: set[str]) -> Select[*tuple[Any, ...]]:
    return select(Dataset.name, Dataset.digest, Dataset.id).where(
        Dataset.experiment_id == experiment_id, Dataset.name.in_(names)
    )


def _store_inputs(access: WriteAccess, candidate_id: int, inputs: dict[int, DatasetInput]) -> None:
    known = select(Input.dataset_id).where(
        Input.candidate_id == candidate_id, Input.dataset_id.in_(inputs)
    )
    new = inputs.keys() - set(access.session.scalars(known))
    if not new:
        return
    access.session.execute(
        upsert(access.session, Input).on_conflict_do_nothing(),
        [{"candidate_id": candidate_id, "dataset_id": dataset_id} for dataset_id in sorted(new)],
    )
    tags = [
        {"candidate_id": candidate_id, "dataset_id": dataset_id, "key": key, "value": value}
        for dataset_id in sorted(new)
        for key, value in inputs[dataset_id].tags
    ]
    if tags:
        access.session.execute(upsert(access.session, InputTag).on_conflict_do_nothing(), tags)


def _store_links(
    access: WriteAccess,
    candidate_id: int,
    direction: Literal["input", "output"],
    models: Sequence[tuple[str, int]],
) -> None:
    if not models:
        return
    access.session.execute(
        upsert(access.session, ModelLink).on_conflict_do_nothing(),
        [
            {
                "candidate_id": candidate_id,
                "direction": direction,
                "model_id": model_id,
                "step": step,
            }
            for model_id, step in sorted(models)
        ],
    )
