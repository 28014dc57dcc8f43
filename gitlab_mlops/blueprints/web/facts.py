"""A candidate sorted for reading: what the person logged, and what MLflow's client added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitlab_mlops.blueprints.web import formats, provenance
from gitlab_mlops.blueprints.web.datasets import DatasetView, views_of
from gitlab_mlops.blueprints.web.provenance import Origin
from gitlab_mlops.models import PARENT_TAG, Status
from gitlab_mlops.services.inputs import MODELS_TAG
from gitlab_mlops.services.objectives import Objective, greater_is_better
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.summaries import Summary
from gitlab_mlops.wire.model_history import LoggedModel, models_of

NOTE_TAG = "mlflow.note.content"
OF_MLFLOW = "mlflow."
OF_THE_MACHINE = "system/"
MAX_ROWS = 1000
"""Rows of one table of a page; the API gives all of them."""
MAX_VALUE = 2000
"""Characters of one value; the API gives all of them."""
FINDABLE = 15
"""With more metrics and parameters than these, people look for one by its name."""
UNKNOWN_STATUS = "unknown"
_NO_HISTORY = Summary(None, None, 0, False)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric: its latest point, what its history comes to, and which way is better, if known."""

    key: str
    value: float
    step: int
    history: Summary
    greater_is_better: bool | None
    is_main: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What a candidate's page shows; lists are cut to `MAX_ROWS`, with `hidden` rows in all.

    `metrics` and `params` are those that were looked for; `logged` is how many there are at all.
    """

    note: str
    params: list[tuple[str, str]]
    metrics: list[Metric]
    machine_metrics: list[Metric]
    tags: list[tuple[str, str]]
    client_tags: list[tuple[str, str]]
    datasets: list[DatasetView]
    models: list[LoggedModel]
    code: list[Origin]
    environment: list[Origin]
    logged: int
    hidden: int

    @property
    def has_much_to_find(self) -> bool:
        """Whether a box to look for names is worth its room."""
        return self.logged > FINDABLE


def facts_of(
    record: CandidateRecord,
    summaries: Mapping[str, Summary],
    objective: Objective | None,
    experiment_tags: Mapping[str, str],
    wanted: str = "",
    stamped: Sequence[Origin] = (),
) -> Facts:
    """Sort what was logged; metrics and parameters only if their name contains `wanted`.

    `stamped` is what CI says of where the candidate comes from.
    """
    tags = dict(record.tags)
    found = [each for each in record.metrics if _contains(each.key, wanted)]
    own, machine = _split(found, OF_THE_MACHINE)
    params = [(key, value) for key, value in record.params if _contains(key, wanted)]
    own_tags = [(key, value) for key, value in record.tags if not key.startswith(OF_MLFLOW)]
    client_tags = [
        (key, value) for key, value in record.tags if key.startswith(OF_MLFLOW) and key != NOTE_TAG
    ]
    lists = (params, own, machine, own_tags, client_tags, record.datasets)
    models = models_of(tags.get(MODELS_TAG, ""))

    def metrics(points: Iterable[Point]) -> list[Metric]:
        return [_metric(each, summaries, objective, experiment_tags) for each in points]

    return Facts(
        note=tags.get(NOTE_TAG, ""),
        params=_cut(params),
        metrics=metrics(_main_first(own, objective)[:MAX_ROWS]),
        machine_metrics=metrics(machine[:MAX_ROWS]),
        tags=_cut(own_tags),
        client_tags=_cut(client_tags),
        datasets=views_of(record.datasets[:MAX_ROWS]),
        models=models,
        code=provenance.code_of(tags, stamped),
        environment=provenance.environment_of(tags, models),
        logged=len(record.metrics) + len(record.params),
        hidden=sum(max(0, len(each) - MAX_ROWS) for each in lists),
    )


def parent_of(record: CandidateRecord) -> str:
    """The eid that a candidate names as its parent; empty if it names none."""
    return dict(record.tags).get(PARENT_TAG, "")


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


def _contains(key: str, wanted: str) -> bool:
    return wanted.casefold() in key.casefold()


def _split(points: Iterable[Point], prefix: str) -> tuple[list[Point], list[Point]]:
    """The points of other metrics, and those of the metrics with this prefix."""
    others: list[Point] = []
    ours: list[Point] = []
    for each in points:
        (ours if each.key.startswith(prefix) else others).append(each)
    return others, ours


def _main_first(points: list[Point], objective: Objective | None) -> list[Point]:
    key = objective.key if objective else None
    return sorted(points, key=lambda each: each.key != key)


def _metric(
    point: Point,
    summaries: Mapping[str, Summary],
    objective: Objective | None,
    experiment_tags: Mapping[str, str],
) -> Metric:
    return Metric(
        point.key,
        point.value,
        point.step,
        summaries.get(point.key, _NO_HISTORY),
        greater_is_better(point.key, experiment_tags),
        objective is not None and objective.key == point.key,
    )


def _cut(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(key, _shortened(value)) for key, value in pairs[:MAX_ROWS]]


def _shortened(value: str) -> str:
    if len(value) <= MAX_VALUE:
        return value
    return f"{value[:MAX_VALUE]}… ({len(value):,} characters in all)"
