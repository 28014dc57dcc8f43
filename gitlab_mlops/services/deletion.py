"""Deleting for ever what is in the trash: rows now, files when the transaction is committed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from sqlalchemy import ColumnElement, exists, or_, select, update

from gitlab_mlops.access import MaintainAccess, ReadAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.hooks import signals
from gitlab_mlops.models import Candidate, Dataset, Experiment, Input, LoggedModel
from gitlab_mlops.services.purge import (
    candidate_parts,
    delete_parts,
    experiment_parts,
    when_committed,
)
from gitlab_mlops.services.registry.holding import require_unregistered
from gitlab_mlops.storage import Storage

logger = logging.getLogger(__name__)

MAX_FILES = 100_000
"""Files that are counted; more than these are deleted too, but nobody waits for their sizes."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What deleting would free. `is_whole`: all files are counted, not only the first ones."""

    candidates: int
    files: int
    bytes: int
    is_whole: bool = True


def measure_candidates(access: ReadAccess, storage: Storage, iids: Sequence[int]) -> Usage:
    """What candidates in the trash take; `NotFound`, or `Invalid` if one is not in the trash."""
    return _measure(storage, _folders(access, _in_trash(access, iids)))


def delete_candidates(access: MaintainAccess, storage: Storage, iids: Sequence[int]) -> Usage:
    """Delete candidates in the trash, all or none; says what that frees.

    Raises as `measure_candidates`. Each is announced as `candidate_deleted` before it is gone.
    """
    found = _in_trash(access, iids)
    folders = _folders(access, found)
    usage = _measure(storage, folders)
    ids = [each.id for each in found]
    _lock(access, Candidate.id.in_(ids), len(ids))
    _announce(access, [each.iid for each in found])
    delete_parts(access.session, candidate_parts(Candidate.id.in_(ids)))
    _forget_unused_datasets(access, {each.experiment_id for each in found})
    _delete_later(access, storage, folders)
    return usage


def measure_experiment(access: ReadAccess, storage: Storage, iid: int) -> Usage:
    """What an experiment in the trash takes; `NotFound`, or `Invalid` if it is not there."""
    experiment_id = _experiment_in_trash(access, iid)
    folders = _folders_of_experiment(access, experiment_id, iid)
    return _measure(storage, folders, len(_iids(access, experiment_id)))


def delete_experiment(access: MaintainAccess, storage: Storage, iid: int) -> Usage:
    """Delete an experiment in the trash with its candidates and logged models; what that frees.

    Its name is free again. Raises as `measure_experiment`.
    """
    experiment_id = _experiment_in_trash(access, iid, lock=True)
    iids = _iids(access, experiment_id)
    folders = _folders_of_experiment(access, experiment_id, iid)
    usage = _measure(storage, folders, len(iids))
    _announce(access, iids)
    delete_parts(access.session, candidate_parts(Candidate.experiment_id == experiment_id))
    delete_parts(access.session, experiment_parts(Experiment.id == experiment_id))
    _delete_later(access, storage, folders)
    return usage


class Found(NamedTuple):
    """A candidate to delete."""

    id: int
    iid: int
    eid: str
    experiment_id: int
    experiment_iid: int
    deleted_at: int | None


def _in_trash(access: ReadAccess, iids: Sequence[int]) -> list[Found]:
    wanted = set(iids)
    rows = access.session.execute(
        select(
            Candidate.id,
            Candidate.iid,
            Candidate.eid,
            Candidate.experiment_id,
            Experiment.iid,
            Candidate.deleted_at,
        )
        .join(Experiment, Experiment.id == Candidate.experiment_id)
        .where(Candidate.project_id == access.project.id, Candidate.iid.in_(wanted))
        .order_by(Candidate.iid)
    )
    found = [Found(*row) for row in rows]
    if missing := sorted(wanted - {each.iid for each in found}):
        raise NotFound(f"Candidate {missing[0]} not found in {access.project.path}.")
    if active := [each.iid for each in found if each.deleted_at is None]:
        raise Invalid(f"Candidate {active[0]} is not in the trash; move it there first.")
    require_unregistered(access, Candidate.id.in_([each.id for each in found]))
    return found


def _folders(access: ReadAccess, found: Iterable[Found]) -> list[str]:
    """The keys below which candidates have their files, as in `artifacts.locate`."""
    return [f"{access.project.id}/{each.experiment_iid}/{each.eid}" for each in found]


def _folders_of_experiment(access: ReadAccess, experiment_id: int, iid: int) -> list[str]:
    """As `_folders`, of all that belongs to an experiment; its logged models have their own."""
    models = select(LoggedModel.model_id).where(LoggedModel.experiment_id == experiment_id)
    project = access.project.id
    return [
        f"{project}/{iid}",
        *(f"{project}/models/{model_id}" for model_id in access.session.scalars(models)),
    ]


def _measure(storage: Storage, folders: Sequence[str], candidates: int | None = None) -> Usage:
    every = (entry for folder in folders for entry in storage.walk(folder))
    sizes = [entry.size for entry in islice(every, MAX_FILES + 1)]
    counted = sizes[:MAX_FILES]
    return Usage(
        len(folders) if candidates is None else candidates,
        len(counted),
        sum(counted),
        len(sizes) <= MAX_FILES,
    )


def _experiment_in_trash(access: ReadAccess, iid: int, *, lock: bool = False) -> int:
    """The internal id; with `lock`, who restores it waits, and then finds nothing."""
    statement = select(Experiment.id, Experiment.deleted_at).where(
        Experiment.project_id == access.project.id, Experiment.iid == iid
    )
    found = access.session.execute(statement.with_for_update() if lock else statement).one_or_none()
    if found is None:
        raise NotFound(f"Experiment {iid} not found in {access.project.path}.")
    if found.deleted_at is None:
        raise Invalid(f"Experiment {iid} is not in the trash; move it there first.")
    ours = Candidate.experiment_id == found.id, LoggedModel.experiment_id == found.id
    require_unregistered(access, or_(*ours))
    return int(found.id)


def _iids(access: ReadAccess, experiment_id: int) -> list[int]:
    which = (Candidate.project_id == access.project.id, Candidate.experiment_id == experiment_id)
    return list(access.session.scalars(select(Candidate.iid).where(*which)))


def _lock(access: MaintainAccess, which: ColumnElement[bool], count: int) -> None:
    """Make who restores one of them wait; raise `Invalid` if somebody was faster."""
    locked = access.session.execute(
        update(Candidate)
        .where(which, Candidate.deleted_at.is_not(None))
        .values(deleted_at=Candidate.deleted_at)
        .execution_options(synchronize_session=False)
    )
    if locked.rowcount != count:  # type: ignore[attr-defined]
        raise Invalid("One of them was restored just now; look again.")


def _announce(access: MaintainAccess, iids: Iterable[int]) -> None:
    for iid in iids:
        signals.announce(signals.candidate_deleted, access, iid)


def _forget_unused_datasets(access: MaintainAccess, experiment_ids: set[int]) -> None:
    unused = ~exists().where(Input.dataset_id == Dataset.id)
    delete_parts(access.session, [(Dataset, Dataset.experiment_id.in_(experiment_ids) & unused)])


def _delete_later(access: MaintainAccess, storage: Storage, folders: Sequence[str]) -> None:
    when_committed(access.session, lambda: _delete_files(storage, folders))


def _delete_files(storage: Storage, folders: Sequence[str]) -> None:
    for folder in folders:
        try:
            storage.delete_below(folder)
        except Exception:
            logger.exception(
                "The files below %s of the artifact store could not be deleted, and nobody will "
                "ask for them again; delete them by hand.",
                folder,
            )
