"""Candidates: create, find, change, tag, move to the trash and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, select, update

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.errors import Invalid, NotFound, Unavailable
from gitlab_mlops.hooks import signals
from gitlab_mlops.models import Candidate, Status
from gitlab_mlops.services import experiments, records, tags, written
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.names import candidate_name
from gitlab_mlops.services.numbering import Numbered, insert_candidate
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.stamps import note_alteration, stamp
from gitlab_mlops.services.statements import Hot
from gitlab_mlops.services.written import WrittenCandidate

NAME_TAG = "mlflow.runName"
_TABLE = Candidate.__table__.c
# Built once, and from the table instead of the class: it runs for everything that is logged.
_ACTIVE = select(_TABLE.id, _TABLE.experiment_id, _TABLE.stamped_sha, _TABLE.deleted_at).where(
    _TABLE.eid == bindparam("eid"), _TABLE.project_id == bindparam("project_id")
)
FINAL = frozenset({Status.FINISHED, Status.FAILED, Status.KILLED})


def create(
    access: WriteAccess,
    experiment_iid: int,
    *,
    name: str = "",
    user_id: str = "",
    start_time: int | None = None,
    tags: Sequence[tuple[str, str]] = (),
) -> CandidateRecord:
    """Start a candidate in an active experiment.

    The name may come as `name` or as the tag `mlflow.runName`; without either it is made up.
    Raises `Invalid` if the two differ, or if a tag is given twice with different values.
    """
    values = _unique_tags(tags)
    values[NAME_TAG] = _name(name, values.get(NAME_TAG, ""))
    row: dict[str, Any] = {
        "eid": uuid4().hex,
        "name": values[NAME_TAG],
        "status": Status.RUNNING.value,
        "user_id": user_id,
        "actor_id": access.actor.id,
        "start_time": start_time,
        "created_at": now(),
    }
    made = _insert(access, experiment_iid, row, values)
    stamp(access, made.id)
    signals.announce(signals.candidate_created, access, made.iid, has_webhooks=made.has_webhooks)
    return CandidateRecord(
        id=made.id,
        experiment_id=made.experiment_id,
        experiment_iid=experiment_iid,
        iid=made.iid,
        end_time=None,
        deleted_at=None,
        tags=sorted(values.items()),
        **row,
    )


def _insert(
    access: WriteAccess, experiment_iid: int, row: Mapping[str, Any], tags: Mapping[str, str]
) -> Numbered:
    job = access.actor.job
    row = {**row, "stamped_sha": job.sha if job is not None else None}
    made = insert_candidate(access, experiment_iid, row, tags)
    if made is None:
        experiments.get_active(access, experiment_iid)  # says why, or makes the default one
        made = insert_candidate(access, experiment_iid, row, tags)
        if made is None:
            raise Unavailable("Somebody else changed the experiment; try again.")
    return made


def get(access: ReadAccess, eid: str) -> CandidateRecord:
    """The whole candidate of this `eid`, in the trash or not; raise `NotFound`."""
    record = records.find(access, eid=eid)
    if record is None:
        raise NotFound(f"Run with id={eid} not found in {access.project.path}.")
    return record


def get_written(access: ReadAccess, eid: str) -> CandidateRecord | WrittenCandidate:
    """As `get`, for an answer in JSON."""
    record = written.find(access, eid)
    if record is None:
        raise NotFound(f"Run with id={eid} not found in {access.project.path}.")
    return record


def get_by_iid(access: ReadAccess, iid: int) -> CandidateRecord:
    """The whole candidate of this `iid`, in the trash or not; raise `NotFound`."""
    record = records.find(access, iid=iid)
    if record is None:
        raise NotFound(f"Candidate {iid} not found in {access.project.path}.")
    return record


def active_id(access: ReadAccess, eid: str) -> tuple[int, int, str | None]:
    """(id, experiment id, commit that CI stamped) of a candidate that may change.

    Raises `NotFound`, or `Invalid` for one in the trash.
    """
    found = access.session.execute(
        _ACTIVE, {"eid": eid, "project_id": access.project.id}
    ).one_or_none()
    if found is None:
        raise NotFound(f"Run with id={eid} not found in {access.project.path}.")
    if found.deleted_at is not None:
        raise Invalid(
            f"The run {eid} must be in the 'active' state. Current state is deleted; restore it "
            "first."
        )
    return found.id, found.experiment_id, found.stamped_sha


def change(
    access: WriteAccess,
    eid: str,
    *,
    status: Status | None = None,
    end_time: int | None = None,
    name: str | None = None,
) -> CandidateRecord:
    """Change what is given of a candidate not in the trash; an empty name changes nothing.

    The record has no metrics, parameters, tags and inputs. Whoever says, instead of CI, that a
    candidate of CI ended well alters what counts as a fact.
    """
    values = {
        "eid": eid,
        "project_id": access.project.id,
        "status": None if status is None else status.value,
        "end_time": end_time,
        "name": name or None,
    }
    # The candidate before its tags, here as everywhere: two orders would deadlock.
    found = _CHANGE.row(access.session, values)
    if found is None:
        active_id(access, eid)  # says why
        raise Unavailable("Somebody else changed the run; try again.")
    *columns, stamped_sha, is_stamped, has_webhooks = found
    record = CandidateRecord(*columns)
    if status is Status.FINISHED and stamped_sha is not None:
        note_alteration(access, record.id, stamped_sha)
    if name:
        tags.store(access, record.id, {NAME_TAG: name})
    if status in FINAL:
        signals.announce(
            signals.candidate_finished,
            access,
            record.iid,
            is_stamped=bool(is_stamped),
            has_webhooks=bool(has_webhooks),
        )
    return record


def delete(access: WriteAccess, eid: str) -> None:
    """Move a candidate to the trash; one that is there stays."""
    record = get(access, eid)
    if record.deleted_at is None:
        _update(access, record.id, deleted_at=now())
        signals.announce(signals.candidate_trashed, access, record.iid)


def restore(access: WriteAccess, eid: str) -> None:
    """Take a candidate out of the trash; one that is not there stays."""
    record = get(access, eid)
    if record.deleted_at is not None:
        _update(access, record.id, deleted_at=None)
        signals.announce(signals.candidate_restored, access, record.iid)


def set_tags(access: WriteAccess, eid: str, given: Sequence[tuple[str, str]]) -> None:
    """Set tags, the last value of a key; `mlflow.runName` renames the candidate, as in MLflow.

    Raises as `active_id`.
    """
    values = dict(given)
    if NAME_TAG in values or not tags.store_if_active(access, eid, values):
        candidate_id, *_ = active_id(access, eid)
        store_tags(access, candidate_id, given)


def edit(
    access: WriteAccess,
    eid: str,
    *,
    name: str | None = None,
    store: Mapping[str, str] | None = None,
    remove: Collection[str] = (),
) -> None:
    """Rename a candidate, set tags and remove tags, whatever of it is given.

    Raises as `active_id`. A tag that is not there is removed without complaint.
    """
    candidate_id, *_ = active_id(access, eid)
    values = dict(store or {}) | ({NAME_TAG: name} if name else {})
    store_tags(access, candidate_id, list(values.items()))
    tags.remove_if_active(access, eid, remove)


def store_tags(access: WriteAccess, candidate_id: int, given: Sequence[tuple[str, str]]) -> None:
    """Set tags of a candidate that may change; the last value of a key wins."""
    values = dict(given)
    if name := values.get(NAME_TAG):
        _update(access, candidate_id, name=name)
    else:
        # MLflow ignores an empty name; a candidate without one would be a link without text.
        values.pop(NAME_TAG, None)
    tags.store(access, candidate_id, values)


def lock(access: WriteAccess, candidate_id: int) -> None:
    """Make others who change this candidate wait until commit; on SQLite, all who write."""
    _update(access, candidate_id, name=_TABLE.name)


def delete_tag(access: WriteAccess, eid: str, key: str) -> None:
    """Remove a tag; raise `NotFound` if the candidate has none of this key."""
    if not tags.remove_if_active(access, eid, [key]):
        active_id(access, eid)
        raise NotFound(f"No tag with name: {key} in run with id {eid}.")


# One text for both databases. SQLite's driver begins a transaction for what begins with the verb.
_CHANGE = Hot("""
UPDATE mlops_candidates SET
    status = coalesce(CAST(%(status)s AS smallint), status),
    end_time = coalesce(CAST(%(end_time)s AS bigint), end_time),
    name = coalesce(CAST(%(name)s AS text), name)
WHERE eid = %(eid)s AND project_id = %(project_id)s AND deleted_at IS NULL
RETURNING
    id, experiment_id,
    (SELECT iid FROM mlops_experiments WHERE mlops_experiments.id = experiment_id),
    iid, eid, name, status, user_id, actor_id, start_time, end_time, created_at, deleted_at,
    stamped_sha,
    EXISTS (SELECT 1 FROM mlops_job_stamps WHERE candidate_id = mlops_candidates.id),
    EXISTS (SELECT 1 FROM mlops_webhooks WHERE project_id = %(project_id)s AND is_active)
""")


def _name(given: str, tagged: str) -> str:
    if given and tagged and given != tagged:
        raise Invalid(
            f"Both 'run_name' argument and '{NAME_TAG}' tag are specified, but with different "
            f"values (run_name='{given}', {NAME_TAG}='{tagged}')."
        )
    return given or tagged or candidate_name()


def _unique_tags(tags: Sequence[tuple[str, str]]) -> dict[str, str]:
    values = dict(tags)
    if len(values) != len(tags):
        raise Invalid("A tag key is given more than once; send each key once.")
    return values


def _update(access: WriteAccess, candidate_id: int, **values: Any) -> None:
    access.session.execute(
        update(Candidate)
        .where(Candidate.id == candidate_id, Candidate.project_id == access.project.id)
        .values(**values)
    )
