"""The values of many candidates, column by column: for exports and for the wide table.

`records.load` makes whole candidates, a page of them. Here a hundred thousand values are wanted at
once, so they go from the rows of the database straight into lists.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal

from sqlalchemy import Select, bindparam, exists, func, literal, select, type_coerce, union_all
from sqlalchemy.types import NullType

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Candidate, CandidateTag, MetricKey, MetricSeries, Param

Entity = Literal["metric", "param", "tag"]
Key = tuple[Entity, str]
Value = float | str | None
"""A metric, the text of a parameter or tag, or None if a candidate lacks it."""

_OF_MLFLOW = "mlflow."
_FEW = 10
"""Keys that are looked up one by one; for more, all of a candidate's are read."""
_ROWS = 500
"""Rows fetched at once. One by one takes twice as long, and so do all in one list."""

_ENTITIES: tuple[Entity, ...] = ("metric", "param", "tag")
_candidate, _metric, _series = (
    Candidate.__table__.c,
    MetricKey.__table__.c,
    MetricSeries.__table__.c,
)


def list_keys(
    access: ReadAccess, experiment_id: int, candidate_ids: Sequence[int] | None = None
) -> list[Key]:
    """What candidates logged: metrics, then parameters, then tags, by name.

    Of these candidates, or else of all in the experiment (internal ids); the metrics are always
    those of the experiment, because to ask candidates for theirs takes as long as to read them.
    Tags of MLflow's client are left out.
    """
    found = access.session.execute(
        union_all(
            _metric_keys(access, experiment_id),
            _text_keys(access, "param", Param, experiment_id, candidate_ids),
            _text_keys(access, "tag", CandidateTag, experiment_id, candidate_ids),
        )
    )
    keys: list[Key] = [(entity, key) for entity, key in found]
    shown = [key for key in keys if not (key[0] == "tag" and key[1].startswith(_OF_MLFLOW))]
    return sorted(shown, key=lambda each: (_ENTITIES.index(each[0]), each[1]))


def read_columns(
    access: ReadAccess,
    candidate_ids: Sequence[int],
    keys: Sequence[tuple[str, str]],
    *,
    max_text: int | None = None,
) -> list[list[Value]]:
    """The values of these (entity, key), a list for each, in the order of the candidates' ids.

    The ids are internal ones of candidates that a search found, at most a few thousand. Texts end
    after `max_text` characters. The number of statements depends on neither.
    """
    columns: dict[tuple[str, str], list[Value]] = {key: [None] * len(candidate_ids) for key in keys}
    rows = {candidate_id: row for row, candidate_id in enumerate(candidate_ids)}
    if rows:
        _read_metrics(access, rows, _of("metric", columns))
        _read_texts(access, rows, _of("param", columns), Param, max_text)
        _read_texts(access, rows, _of("tag", columns), CandidateTag, max_text)
    return [columns[key] for key in keys]


def _of(entity: Entity, columns: Mapping[tuple[str, str], list[Value]]) -> dict[str, list[Value]]:
    return {key: values for (each, key), values in columns.items() if each == entity}


def _metric_keys(access: ReadAccess, experiment_id: int) -> Select[Any]:
    # Looked up name by name, because an experiment may have millions of series of a few names.
    return select(literal("metric"), _metric.key).where(
        _metric.project_id == access.project.id,
        exists().where(_series.experiment_id == experiment_id, _series.key_id == _metric.id),
    )


def _text_keys(
    access: ReadAccess,
    entity: Entity,
    model: type[Param] | type[CandidateTag],
    experiment_id: int,
    candidate_ids: Sequence[int] | None,
) -> Select[Any]:
    table = model.__table__.c
    statement = select(literal(entity), table.key).distinct()
    if candidate_ids is not None:
        return statement.where(table.candidate_id.in_(candidate_ids))
    return statement.where(
        table.candidate_id == _candidate.id,
        _candidate.experiment_id == experiment_id,
        _candidate.project_id == access.project.id,
    )


def _read_metrics(
    access: ReadAccess, rows: Mapping[int, int], columns: Mapping[str, list[Value]]
) -> None:
    if not columns:
        return
    named = select(_metric.id, _metric.key).where(
        _metric.project_id == access.project.id, _metric.key.in_(columns)
    )
    by_id = {key_id: columns[key] for key_id, key in access.session.execute(named)}
    # The value as the driver has it, because a function of ours per value would take longer than
    # all the rest; float() reads SQLite's NaN too.
    raw = type_coerce(_series.value, NullType())
    statement = select(_series.candidate_id, _series.key_id, raw).where(
        _series.candidate_id.in_(bindparam("ids", expanding=True))
    )
    if len(by_id) <= _FEW:
        statement = statement.where(_series.key_id.in_(by_id))
    for candidate_id, key_id, value in _fetch(access, statement, rows):
        if (column := by_id.get(key_id)) is not None:
            column[rows[candidate_id]] = float(value)


def _read_texts(
    access: ReadAccess,
    rows: Mapping[int, int],
    columns: Mapping[str, list[Value]],
    model: type[Param] | type[CandidateTag],
    max_text: int | None,
) -> None:
    if not columns:
        return
    table = model.__table__.c
    value = table.value if max_text is None else func.substr(table.value, 1, max_text)
    statement = select(table.candidate_id, table.key, value).where(
        table.candidate_id.in_(bindparam("ids", expanding=True))
    )
    # MLflow's own tags may have thousands of characters.
    if len(columns) <= _FEW or model is CandidateTag:
        statement = statement.where(table.key.in_(columns))
    for candidate_id, key, text in _fetch(access, statement, rows):
        if (column := columns.get(key)) is not None:
            column[rows[candidate_id]] = text


def _fetch(access: ReadAccess, statement: Select[Any], ids: Mapping[int, int]) -> Iterator[Any]:
    found = access.session.execute(statement, {"ids": [*ids]})
    return chain.from_iterable(found.partitions(_ROWS))
