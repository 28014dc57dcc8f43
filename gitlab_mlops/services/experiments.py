"""Experiments: create, find, rename, tag, delete and restore."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy import delete as sql_delete

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.errors import AlreadyExists, Invalid, NotFound
from gitlab_mlops.models import Candidate, Experiment, ExperimentTag
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.experiment_records import (
    ExperimentRecord,
    find_by_iid,
    find_by_name,
)
from gitlab_mlops.services.numbering import insert_experiment
from gitlab_mlops.services.statements import Hot, store_tags, upsert

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
    found = find_by_iid(access, iid)
    if found is None and iid == DEFAULT_IID:
        ensure_default(access)
        found = find_by_iid(access, iid)
    if found is None:
        raise NotFound(f"No experiment with ID {iid} exists in {access.project.path}.")
    return found


def get_by_name(access: ReadAccess, name: str) -> ExperimentRecord:
    """The experiment of this name, in the trash or not; raise `NotFound`."""
    found = find_by_name(access, name)
    if found is None and name == DEFAULT_NAME:
        ensure_default(access)
        found = find_by_name(access, name)
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
    taken = find_by_name(access, name)
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
    _store_tags(access, experiment.id, {key: value})


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
        _store_tags(access, experiment.id, store)
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


def _store_tags(access: WriteAccess, experiment_id: int, tags: Mapping[str, str]) -> None:
    store_tags(access.session, ExperimentTag, "experiment_id", experiment_id, tags)
