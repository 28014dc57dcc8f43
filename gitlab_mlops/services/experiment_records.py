"""Experiments as they are read: the rows of one, with its tags, in one statement."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Experiment, ExperimentTag
from gitlab_mlops.services.statements import Hot


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """An experiment as read; times in milliseconds since 1970, tags as (key, value)."""

    id: int
    iid: int
    name: str
    actor_id: str | None
    created_at: int
    updated_at: int
    deleted_at: int | None
    tags: list[tuple[str, str]] = field(default_factory=list)


RECORD_COLUMNS = (
    Experiment.id,
    Experiment.iid,
    Experiment.name,
    Experiment.actor_id,
    Experiment.created_at,
    Experiment.updated_at,
    Experiment.deleted_at,
)


def find_by_iid(access: ReadAccess, iid: int) -> ExperimentRecord | None:
    """The experiment of this iid, in the trash or not."""
    return _find(access, _BY_IID, iid)


def find_by_name(access: ReadAccess, name: str) -> ExperimentRecord | None:
    """The experiment of this name, in the trash or not."""
    return _find(access, _BY_NAME, name)


def load(access: ReadAccess, rows: Iterable[Any]) -> list[ExperimentRecord]:
    """Records with their tags from rows of `RECORD_COLUMNS`, in the same order."""
    records = {row[0]: ExperimentRecord(*row) for row in rows}
    tags = select(ExperimentTag.experiment_id, ExperimentTag.key, ExperimentTag.value).where(
        ExperimentTag.experiment_id.in_(records)
    )
    if records:
        for experiment_id, key, value in access.session.execute(tags.order_by(ExperimentTag.key)):
            records[experiment_id].tags.append((key, value))
    return list(records.values())


def tags_of(
    access: ReadAccess, experiment_ids: Collection[int], keys: Collection[str], *, length: int
) -> dict[int, dict[str, str]]:
    """These tags of experiments of the project (internal ids), cut to so many characters."""
    found: dict[int, dict[str, str]] = {each: {} for each in experiment_ids}
    statement = (
        select(
            ExperimentTag.experiment_id,
            ExperimentTag.key,
            func.substr(ExperimentTag.value, 1, length),
        )
        .join(Experiment, Experiment.id == ExperimentTag.experiment_id)
        .where(
            Experiment.project_id == access.project.id,
            ExperimentTag.experiment_id.in_(experiment_ids),
            ExperimentTag.key.in_(keys),
        )
    )
    for experiment_id, key, value in access.session.execute(statement):
        found[experiment_id][key] = value
    return found


_RECORDS = """
SELECT
    one.id, one.iid, one.name, one.actor_id, one.created_at, one.updated_at, one.deleted_at,
    tag.key, tag.value
FROM mlops_experiments AS one LEFT JOIN mlops_experiment_tags AS tag ON tag.experiment_id = one.id
WHERE one.project_id = %(project_id)s AND one.{column} = %(value)s
ORDER BY tag.key
"""
_BY_IID, _BY_NAME = Hot(_RECORDS.format(column="iid")), Hot(_RECORDS.format(column="name"))


def _find(access: ReadAccess, which: Hot, value: int | str) -> ExperimentRecord | None:
    rows = which.rows(access.session, {"project_id": access.project.id, "value": value})
    if not rows:
        return None
    record = ExperimentRecord(*rows[0][:-2])
    record.tags.extend((key, value) for *_, key, value in rows if key is not None)
    return record
