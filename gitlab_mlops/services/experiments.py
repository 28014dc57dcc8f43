"""Experiments: create, find, rename, tag, delete and restore."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import bindparam, func, select, update
from sqlalchemy import delete as sql_delete

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.errors import AlreadyExists, Invalid, NotFound
from gitlab_mlops.models import Candidate, Experiment, ExperimentTag
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.numbering import insert_experiment
from gitlab_mlops.services.statements import Hot, upsert

DEFAULT_IID = 0
DEFAULT_NAME = "Default"


_TABLE = Experiment.__table__.c
_ACTIVE = select(_TABLE.id).where(
    _TABLE.project_id == bindparam("project_id"),
    _TABLE.iid == bindparam("iid"),
    _TABLE.deleted_at.is_(None),
)


_IDS = Hot(
    """
    SELECT id FROM mlops_experiments
    WHERE project_id = %(project_id)s AND iid = ANY(CAST(%(array)s AS int[]))
    """,
    """
    SELECT id FROM mlops_experiments
    WHERE project_id = %(project_id)s AND iid IN (SELECT value FROM json_each(%(json)s))
    """,
)


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


def create(access: WriteAccess, name: str, tags: Sequence[tuple[str, str]] = ()) -> int:
    """Create an experiment and return its iid; raise `AlreadyExists` if the name is taken."""
    if name == DEFAULT_NAME:
        ensure_default(access)
    if len(dict(tags)) != len(tags):
        raise Invalid("A tag key is given more than once; send each key once.")
    row = {"name": name, "actor_id": access.actor.id, "moment": now()}
    iid = insert_experiment(access, row, dict(tags))
    if iid is None:
        raise AlreadyExists(
            f"Experiment '{name}' already exists in {access.project.path}. If it is in the trash, "
            "restore it, or delete it permanently to use the name again."
        )
    return iid


def ensure_default(access: ReadAccess) -> None:
    """Make the project's experiment 0 real; MLflow's clients expect it without creating it."""
    if not ids(access, [DEFAULT_IID]):
        _insert_default(access)


def ids(access: ReadAccess, iids: Sequence[int]) -> list[int]:
    """The internal ids of those of the iids that the project has, once each."""
    given = ",".join(map(str, sorted(set(iids))))
    named = {"project_id": access.project.id, "array": f"{{{given}}}", "json": f"[{given}]"}
    return [id for (id,) in _IDS.rows(access.session, named)]


def get(access: ReadAccess, iid: int) -> ExperimentRecord:
    """The experiment of this iid, in the trash or not; raise `NotFound`."""
    found = _find(access, _BY_IID, iid)
    if found is None and iid == DEFAULT_IID:
        ensure_default(access)
        found = _find(access, _BY_IID, iid)
    if found is None:
        raise NotFound(f"No experiment with ID {iid} exists in {access.project.path}.")
    return found


def get_by_name(access: ReadAccess, name: str) -> ExperimentRecord:
    """The experiment of this name, in the trash or not; raise `NotFound`."""
    found = _find(access, _BY_NAME, name)
    if found is None and name == DEFAULT_NAME:
        ensure_default(access)
        found = _find(access, _BY_NAME, name)
    if found is None:
        raise NotFound(f"Could not find experiment with name '{name}' in {access.project.path}.")
    return found


def get_active(access: ReadAccess, iid: int) -> ExperimentRecord:
    """The experiment of this iid; raise `NotFound`, or `Invalid` if it is in the trash."""
    experiment = get(access, iid)
    if experiment.deleted_at is not None:
        raise Invalid(
            f"The experiment {iid} must be in the 'active' state. Current state is deleted; "
            "restore it first."
        )
    return experiment


def active_id(access: ReadAccess, iid: int) -> int:
    """As `get_active`, the internal id alone; in one statement when all is well."""
    found = access.session.execute(_ACTIVE, {"iid": iid, "project_id": access.project.id})
    experiment_id: int | None = found.scalar_one_or_none()
    return get_active(access, iid).id if experiment_id is None else experiment_id


def rename(access: WriteAccess, iid: int, name: str) -> None:
    """Give an experiment another name; raise `AlreadyExists` if it is taken."""
    experiment = get_active(access, iid)
    if name == DEFAULT_NAME:
        # Otherwise it could never be made, and who logs without an experiment would find none.
        ensure_default(access)
    taken = _find(access, _BY_NAME, name)
    if taken is not None and taken.id != experiment.id:
        raise AlreadyExists(f"Experiment '{name}' already exists in {access.project.path}.")
    _change(access, experiment.id, name=name)


def delete(access: WriteAccess, iid: int) -> None:
    """Move an experiment and its candidates to the trash; `NotFound` if it is there already."""
    experiment = get(access, iid)
    if experiment.deleted_at is not None:
        raise NotFound(f"No active experiment with ID {iid} exists; it is in the trash.")
    moment = now()
    _change(access, experiment.id, deleted_at=moment)
    _set_candidates_deleted(access, experiment.id, moment)


def restore(access: WriteAccess, iid: int) -> None:
    """Take an experiment and its candidates out of the trash; `NotFound` if it is not there."""
    experiment = get(access, iid)
    if experiment.deleted_at is None:
        raise NotFound(f"No deleted experiment with ID {iid} exists; nothing to restore.")
    _change(access, experiment.id, deleted_at=None)
    _set_candidates_deleted(access, experiment.id, None)


def set_tag(access: WriteAccess, iid: int, key: str, value: str) -> None:
    """Set a tag of an experiment."""
    experiment = get_active(access, iid)
    _store_tags(access, [{"experiment_id": experiment.id, "key": key, "value": value}])


def delete_tag(access: WriteAccess, iid: int, key: str) -> None:
    """Remove a tag of an experiment; raise `NotFound` if it has none of this key."""
    experiment = get_active(access, iid)
    gone = access.session.execute(
        sql_delete(ExperimentTag).where(
            ExperimentTag.experiment_id == experiment.id, ExperimentTag.key == key
        )
    )
    if not gone.rowcount:  # type: ignore[attr-defined]
        raise NotFound(f"No tag with name '{key}' on experiment {iid}.")


def edit(
    access: WriteAccess,
    iid: int,
    *,
    name: str | None = None,
    store: Mapping[str, str] | None = None,
    remove: Iterable[str] = (),
) -> None:
    """Rename an experiment, set tags and remove tags, whatever of it is given.

    Raises as `get_active`, and `AlreadyExists` if the name is taken. A tag that is not there is
    removed without complaint.
    """
    experiment = get_active(access, iid)
    if name is not None:
        rename(access, iid, name)
    if store:
        rows = [{"experiment_id": experiment.id, "key": key, "value": store[key]} for key in store]
        _store_tags(access, rows)
    if keys := list(remove):
        access.session.execute(
            sql_delete(ExperimentTag).where(
                ExperimentTag.experiment_id == experiment.id, ExperimentTag.key.in_(keys)
            )
        )


def lock(access: WriteAccess, experiment_id: int) -> None:
    """Make others who change this experiment wait until commit; on SQLite, all who write."""
    access.session.execute(
        update(Experiment)
        .where(Experiment.id == experiment_id, Experiment.project_id == access.project.id)
        .values(name=Experiment.name)
        .execution_options(synchronize_session=False)
    )


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


def _insert_default(access: ReadAccess) -> None:
    moment = now()
    access.session.execute(
        upsert(access.session, Experiment).on_conflict_do_nothing(),
        [
            {
                "project_id": access.project.id,
                "iid": DEFAULT_IID,
                "name": DEFAULT_NAME,
                "created_at": moment,
                "updated_at": moment,
            }
        ],
    )


def _change(access: WriteAccess, experiment_id: int, **values: Any) -> None:
    access.session.execute(
        update(Experiment)
        .where(Experiment.id == experiment_id, Experiment.project_id == access.project.id)
        .values(updated_at=now(), **values)
    )


def _set_candidates_deleted(access: WriteAccess, experiment_id: int, moment: int | None) -> None:
    access.session.execute(
        update(Candidate)
        .where(Candidate.experiment_id == experiment_id, Candidate.project_id == access.project.id)
        .values(deleted_at=moment)
    )


def _store_tags(access: WriteAccess, rows: list[dict[str, Any]]) -> None:
    statement = upsert(access.session, ExperimentTag)
    access.session.execute(
        statement.on_conflict_do_update(
            index_elements=["experiment_id", "key"], set_={"value": statement.excluded.value}
        ),
        rows,
    )
