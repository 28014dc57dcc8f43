"""The life of a logged model: made, finished, described, deleted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import delete as sql_delete
from sqlalchemy import select, update
from sqlalchemy.orm import DeclarativeBase

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.models import (
    Candidate,
    Experiment,
    LoggedModel,
    LoggedModelParam,
    LoggedModelStatus,
    LoggedModelTag,
)
from gitlab_mlops.services import experiments
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.logged_models.records import LoggedModelRecord, load, select_records
from gitlab_mlops.services.names import candidate_name
from gitlab_mlops.services.statements import store_tags, upsert

_MODEL_ID = re.compile(r"m-[0-9a-f]{32}", re.ASCII)
Pairs = Sequence[tuple[str, str]]


def create(
    access: WriteAccess,
    experiment_iid: int,
    *,
    name: str = "",
    model_type: str = "",
    source_eid: str = "",
    params: Pairs = (),
    tags: Pairs = (),
) -> LoggedModelRecord:
    """Make a logged model in an active experiment; it is pending until its files are there.

    Without a name it gets one. Raises `NotFound` if the project has no candidate `source_eid`,
    and `Invalid` if a parameter or tag is given twice.
    """
    experiment_id = experiments.active_id(access, experiment_iid)
    if source_eid:
        _check_source(access, source_eid)
    job = access.actor.job
    moment = now()
    values = {
        "project_id": access.project.id,
        "experiment_id": experiment_id,
        "model_id": f"m-{uuid4().hex}",
        "name": name or candidate_name(),
        "model_type": model_type,
        "status": LoggedModelStatus.PENDING.value,
        "source_eid": source_eid,
        "actor_id": access.actor.id,
        "job_id": None if job is None else job.id,
        "created_at": moment,
        "updated_at": moment,
    }
    insert = upsert(access.session, LoggedModel).returning(LoggedModel.id)
    model: int = access.session.execute(insert, [values]).scalar_one()
    _insert_pairs(access, LoggedModelParam, model, _unique(params, "parameter"))
    _insert_pairs(access, LoggedModelTag, model, _unique(tags, "tag"))
    return get(access, str(values["model_id"]))


def get(access: ReadAccess, model_id: str, *, deleted: bool = False) -> LoggedModelRecord:
    """The whole logged model; raise `NotFound`, also for a deleted one unless `deleted`."""
    rows: Sequence[Any] = ()
    if _MODEL_ID.fullmatch(model_id):
        statement = select_records(access).where(LoggedModel.model_id == model_id)
        rows = access.session.execute(statement).all()
    if not rows or (rows[0].deleted_at is not None and not deleted):
        raise _not_found(model_id)
    return load(access, rows)[0]


def finalize(access: WriteAccess, model_id: str, status: LoggedModelStatus) -> LoggedModelRecord:
    """Say how the upload of a model's files went."""
    _change(access, active_id(access, model_id), status=status.value, updated_at=now())
    return get(access, model_id)


def delete(access: WriteAccess, model_id: str) -> None:
    """Hide a logged model; one that is deleted already stays so. Its files stay, frozen."""
    model = get(access, model_id, deleted=True)
    if model.deleted_at is None:
        moment = now()
        _change(access, model.id, deleted_at=moment, updated_at=moment)


def log_params(access: WriteAccess, model_id: str, params: Pairs) -> None:
    """Add parameters; the same again changes nothing, and another value is `Invalid`."""
    wanted = _unique(params, "parameter")
    model = active_id(access, model_id)
    _insert_pairs(access, LoggedModelParam, model, wanted)
    table = LoggedModelParam
    stored = select(table.key, table.value).where(
        table.logged_model_id == model, table.key.in_(wanted)
    )
    for key, value in access.session.execute(stored):
        if value != wanted[key]:
            raise Invalid(
                "Changing param values is not allowed. Param with "
                f"key='{key}' was already logged to the model {model_id} with another value."
            )


def set_tags(access: WriteAccess, model_id: str, tags: Pairs) -> None:
    """Set tags; the last value of a key wins."""
    model = active_id(access, model_id)
    store_tags(access.session, LoggedModelTag, "logged_model_id", model, dict(tags))


def delete_tag(access: WriteAccess, model_id: str, key: str) -> None:
    """Remove a tag; raise `NotFound` if the model has none of this key."""
    model = active_id(access, model_id)
    gone = access.session.execute(
        sql_delete(LoggedModelTag).where(
            LoggedModelTag.logged_model_id == model, LoggedModelTag.key == key
        )
    )
    if not gone.rowcount:  # type: ignore[attr-defined]
        raise NotFound(f"No tag with key '{key[:300]}' found for model with ID '{model_id}'.")


def active_id(access: ReadAccess, model_id: str) -> int:
    """The internal id of a model that may change.

    Raises `NotFound`, or `Invalid` if the model is deleted or its experiment is in the trash.
    """
    if not _MODEL_ID.fullmatch(model_id):
        raise _not_found(model_id)
    found = access.session.execute(
        select(LoggedModel.id, LoggedModel.deleted_at, Experiment.deleted_at.label("in_trash"))
        .join(Experiment, Experiment.id == LoggedModel.experiment_id)
        .where(LoggedModel.project_id == access.project.id, LoggedModel.model_id == model_id)
    ).one_or_none()
    if found is None:
        raise _not_found(model_id)
    if found.deleted_at is not None:
        raise Invalid(f"The logged model {model_id} is deleted; it cannot change any more.")
    if found.in_trash is not None:
        raise Invalid(f"The experiment of the logged model {model_id} is in the trash; restore it.")
    return int(found.id)


def _not_found(model_id: str) -> NotFound:
    return NotFound(f"Logged model with ID '{model_id[:100]}' not found.")


def _check_source(access: ReadAccess, eid: str) -> None:
    """A model's source is a link to the candidate, so it has to be there, if only in the trash."""
    found = access.session.scalar(
        select(Candidate.id).where(
            Candidate.eid == eid[:40], Candidate.project_id == access.project.id
        )
    )
    if found is None:
        raise NotFound(f"Run with id={eid[:100]} not found in {access.project.path}.")


def _unique(pairs: Pairs, what: str) -> dict[str, str]:
    values = dict(pairs)
    if len(values) != len(pairs):
        raise Invalid(f"A {what} key is given more than once; send each key once.")
    return values


def _insert_pairs(
    access: WriteAccess, table: type[DeclarativeBase], model: int, values: dict[str, str]
) -> None:
    if values:
        insert = upsert(access.session, table)
        access.session.execute(insert.on_conflict_do_nothing(), _rows(model, values))


def _rows(model: int, values: dict[str, str]) -> list[dict[str, Any]]:
    """In the order of keys, so that two requests at once wait for each other and never deadlock."""
    return [
        {"logged_model_id": model, "key": key, "value": value}
        for key, value in sorted(values.items())
    ]


def _change(access: WriteAccess, model: int, **values: Any) -> None:
    access.session.execute(
        update(LoggedModel)
        .where(LoggedModel.id == model, LoggedModel.project_id == access.project.id)
        .values(**values)
    )
