"""Candidates: create, find, change, tag, move to the trash and back."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, select, update
from sqlalchemy import delete as sql_delete

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.hooks import signals
from gitlab_mlops.models import Candidate, CandidateTag, Status
from gitlab_mlops.services import experiments, records
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.names import candidate_name
from gitlab_mlops.services.numbering import next_iid
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.stamps import note_alteration, stamp
from gitlab_mlops.services.statements import dialect, insert_for

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
    experiment_id = experiments.active_id(access, experiment_iid)
    tag_values = _unique_tags(tags)
    tag_values[NAME_TAG] = _name(name, tag_values.get(NAME_TAG, ""))
    values = {
        "experiment_id": experiment_id,
        # The counter's row stays locked until commit, so everything slow comes before.
        "iid": next_iid(access, "candidates"),
        "eid": uuid4().hex,
        "name": tag_values[NAME_TAG],
        "status": Status.RUNNING.value,
        "user_id": user_id,
        "actor_id": access.actor.id,
        "start_time": start_time,
        "end_time": None,
        "created_at": now(),
        "deleted_at": None,
    }
    job = access.actor.job
    insert = _insert(dialect(access.session))
    row = {**values, "project_id": access.project.id, "stamped_sha": job.sha if job else None}
    candidate_id: int = access.session.execute(insert, [row]).scalar_one()
    _store_tags(access, candidate_id, tag_values)
    stamp(access, candidate_id)
    record = CandidateRecord(
        id=candidate_id,
        experiment_iid=experiment_iid,
        **values,  # type: ignore[arg-type]
        tags=sorted(tag_values.items()),
    )
    signals.announce(signals.candidate_created, access, record.iid)
    return record


@cache
def _insert(dialect: str) -> Any:
    return insert_for(dialect, Candidate).returning(_TABLE.id)


def get(access: ReadAccess, eid: str) -> CandidateRecord:
    """The whole candidate of this `eid`, in the trash or not; raise `NotFound`."""
    record = records.find(access, eid=eid)
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

    Whoever says, instead of CI, that a candidate of CI ended well alters what counts as a fact.
    """
    candidate_id, _, stamped_sha = active_id(access, eid)
    values: dict[str, Any] = {}
    if status is not None:
        values["status"] = status
    if end_time is not None:
        values["end_time"] = end_time
    if name:
        values["name"] = name
    # The candidate before its tags, here as everywhere: two orders would deadlock.
    if values:
        _update(access, candidate_id, **values)
    if status is Status.FINISHED and stamped_sha is not None:
        note_alteration(access, candidate_id, stamped_sha)
    if name:
        _store_tags(access, candidate_id, {NAME_TAG: name})
    record = get(access, eid)
    if status in FINAL:
        signals.announce(signals.candidate_finished, access, record.iid)
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


def set_tag(access: WriteAccess, eid: str, key: str, value: str) -> None:
    """Set a tag; `mlflow.runName` renames the candidate, as in MLflow."""
    candidate_id, *_ = active_id(access, eid)
    store_tags(access, candidate_id, [(key, value)])


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
    if remove:
        access.session.execute(
            sql_delete(CandidateTag).where(
                CandidateTag.candidate_id == candidate_id, CandidateTag.key.in_(remove)
            )
        )


def store_tags(access: WriteAccess, candidate_id: int, tags: Sequence[tuple[str, str]]) -> None:
    """Set tags of a candidate that may change; the last value of a key wins."""
    values = dict(tags)
    if name := values.get(NAME_TAG):
        _update(access, candidate_id, name=name)
    else:
        # MLflow ignores an empty name; a candidate without one would be a link without text.
        values.pop(NAME_TAG, None)
    _store_tags(access, candidate_id, values)


def lock(access: WriteAccess, candidate_id: int) -> None:
    """Make others who change this candidate wait until commit; on SQLite, all who write."""
    _update(access, candidate_id, name=_TABLE.name)


def delete_tag(access: WriteAccess, eid: str, key: str) -> None:
    """Remove a tag; raise `NotFound` if the candidate has none of this key."""
    candidate_id, *_ = active_id(access, eid)
    gone = access.session.execute(
        sql_delete(CandidateTag).where(
            CandidateTag.candidate_id == candidate_id, CandidateTag.key == key
        )
    )
    if not gone.rowcount:  # type: ignore[attr-defined]
        raise NotFound(f"No tag with name: {key} in run with id {eid}.")


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


def _store_tags(access: WriteAccess, candidate_id: int, values: dict[str, str]) -> None:
    if not values:
        return
    access.session.execute(
        _upsert_tags(dialect(access.session)),
        [
            {"candidate_id": candidate_id, "key": key, "value": value}
            for key, value in sorted(values.items())
        ],
    )


@cache
def _upsert_tags(dialect: str) -> Any:
    insert = insert_for(dialect, CandidateTag)
    return insert.on_conflict_do_update(
        index_elements=["candidate_id", "key"], set_={"value": insert.excluded.value}
    )
