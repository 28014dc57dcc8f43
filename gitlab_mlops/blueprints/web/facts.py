"""A candidate sorted for reading: what the person logged, and what MLflow's client added."""

from __future__ import annotations

from dataclasses import dataclass

from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.models import Status
from gitlab_mlops.services.inputs import CONTEXT_TAG
from gitlab_mlops.services.overview import PARENT_TAG
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.records import CandidateRecord, DatasetInput

NOTE_TAG = "mlflow.note.content"
OF_MLFLOW = "mlflow."
OF_THE_MACHINE = "system/"
MAX_ROWS = 1000
"""Rows of one table of a page; the API gives all of them."""
MAX_VALUE = 2000
"""Characters of one value; the API gives all of them."""
UNKNOWN_STATUS = "unknown"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a candidate's page shows; lists are cut to `MAX_ROWS`, with `hidden` rows in all."""

    parent_eid: str
    note: str
    params: list[tuple[str, str]]
    metrics: list[Point]
    machine_metrics: list[Point]
    tags: list[tuple[str, str]]
    client_tags: list[tuple[str, str]]
    datasets: list[tuple[DatasetInput, str]]
    """Datasets with their context, such as `training`."""
    hidden: int


def facts_of(record: CandidateRecord) -> Facts:
    """Sort what was logged."""
    tags = dict(record.tags)
    metrics = [each for each in record.metrics if not each.key.startswith(OF_THE_MACHINE)]
    machine = [each for each in record.metrics if each.key.startswith(OF_THE_MACHINE)]
    own = [(key, value) for key, value in record.tags if not key.startswith(OF_MLFLOW)]
    client = [(key, value) for key, value in record.tags if key.startswith(OF_MLFLOW)]
    lists = (record.params, metrics, machine, own, client, record.datasets)
    return Facts(
        parent_eid=tags.get(PARENT_TAG, ""),
        note=tags.get(NOTE_TAG, ""),
        params=_cut(record.params),
        metrics=metrics[:MAX_ROWS],
        machine_metrics=machine[:MAX_ROWS],
        tags=_cut(own),
        client_tags=_cut(client),
        datasets=[
            (used, dict(used.tags).get(CONTEXT_TAG, "")) for used in record.datasets[:MAX_ROWS]
        ],
        hidden=sum(max(0, len(each) - MAX_ROWS) for each in lists),
    )


def status_name(number: int) -> str:
    """A status in small letters, as the style sheet and the icons know it."""
    try:
        return Status(number).name.lower()
    except ValueError:
        return UNKNOWN_STATUS


def started_at(record: CandidateRecord) -> int:
    """When a candidate started, in milliseconds; clients that do not say send 0."""
    return record.start_time or record.created_at


def duration(record: CandidateRecord, now: int) -> str:
    """How long a candidate took, or has been running for."""
    if record.end_time:
        return formats.duration(record.end_time - started_at(record))
    if record.status == Status.RUNNING:
        return formats.duration(now - started_at(record))
    return ""


def _cut(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(key, _shortened(value)) for key, value in pairs[:MAX_ROWS]]


def _shortened(value: str) -> str:
    if len(value) <= MAX_VALUE:
        return value
    return f"{value[:MAX_VALUE]}… ({len(value):,} characters in all)"
