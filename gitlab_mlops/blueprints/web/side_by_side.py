"""What there is to compare of candidates, as groups of rows: metrics, parameters, tags and more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.blueprints.web.differences import (
    Differences,
    Direction,
    Group,
    Numbers,
    Row,
    Texts,
)
from gitlab_mlops.blueprints.web.facts import OF_MLFLOW, OF_THE_MACHINE, started_at
from gitlab_mlops.services.candidates import NAME_TAG
from gitlab_mlops.services.comparison import Digests, Extremes
from gitlab_mlops.services.plots import times_of
from gitlab_mlops.services.records import CandidateRecord

Records = Sequence[CandidateRecord]
Write = Callable[[int], str]


def groups_of(
    differences: Differences,
    compared: Records,
    *,
    direction: Direction,
    extremes: Extremes | None,
    digests: Digests,
    write_time: Write,
) -> list[Group]:
    """All groups that have anything; `extremes`, if given, are rows of metrics, too."""
    tags = [{k: v for k, v in each.tags if k != NAME_TAG} for each in compared]
    metrics = _metrics(compared, extremes)
    machine = [each for each in metrics if each.label.startswith(OF_THE_MACHINE)]
    metrics = [each for each in metrics if not each.label.startswith(OF_THE_MACHINE)]
    params = [dict(each.params) for each in compared]
    own, client = _by_origin(tags)
    groups = [
        Group("attribute", _attributes(differences, compared, write_time), 0, 0),
        differences.of_numbers("metric", metrics, direction),
        differences.of_texts("parameter", _texts(params)),
        differences.of_texts("dataset", _datasets(compared, digests)),
        differences.of_texts("tag", own),
        differences.of_texts("client tag", client),
        differences.of_numbers("system metric", machine, direction),
    ]
    return [each for each in groups if each.rows or each.equal]


def _attributes(differences: Differences, compared: Records, write_time: Write) -> list[Row]:
    started = [write_time(started_at(each)) for each in compared]
    times = [times_of(each.created_at, each.start_time, each.end_time) for each in compared]
    took = Numbers("Duration", "", [each["duration"] for each in times])
    return [
        differences.text_row(Texts("Started", "", started), is_marked=False),
        differences.number_row(took, write=lambda value: formats.duration(int(value))),
    ]


def _metrics(compared: Records, extremes: Extremes | None) -> list[Numbers]:
    latest = [{point.key: point.value for point in each.metrics} for each in compared]
    lines = []
    for key in _keys(latest):
        lines.append(Numbers(key, "", [values.get(key) for values in latest]))
        if extremes is not None:
            found = [extremes.get((each.id, key), (None, None)) for each in compared]
            # Of a metric that was logged once there is nothing more to tell.
            if any(lowest != highest for lowest, highest in found):
                lines.append(Numbers(key, "lowest", [lowest for lowest, _ in found]))
                lines.append(Numbers(key, "highest", [highest for _, highest in found]))
    return lines


def _texts(values: Sequence[Mapping[str, str]]) -> list[Texts]:
    return [Texts(key, "", [each.get(key) for each in values]) for key in _keys(values)]


def _by_origin(tags: Sequence[Mapping[str, str]]) -> tuple[list[Texts], list[Texts]]:
    """What people tagged, and what MLflow's client did."""
    lines = _texts(tags)
    client = [each for each in lines if each.label.startswith(OF_MLFLOW)]
    return [each for each in lines if not each.label.startswith(OF_MLFLOW)], client


def _datasets(compared: Records, digests: Digests) -> list[Texts]:
    used = [digests[each.id] for each in compared]
    names = sorted({name for each in used for name in each})
    return [Texts(*name, [each.get(name) for each in used]) for name in names]


def _keys(values: Iterable[Mapping[str, object]]) -> list[str]:
    return sorted({key for each in values for key in each})
