"""Versions of registered models: make, find, describe, tag, move to a stage, delete."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import insert, select, update

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.errors import Invalid
from gitlab_mlops.hooks import signals
from gitlab_mlops.models import (
    LoggedModel,
    LoggedModelTag,
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
)
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.purge import delete_parts, version_parts
from gitlab_mlops.services.registry import aliases, history, registered_models, sources, stages
from gitlab_mlops.services.registry.records import (
    VersionRecord,
    latest_versions,
    select_versions,
)
from gitlab_mlops.services.registry.sources import Origin, Placeholder, Source, VersionName
from gitlab_mlops.services.statements import store_tags
from gitlab_mlops.services.webhooks import registry as webhooks

READY = "READY"
VERSIONS_TAG = "mlflow.modelVersions"
"""The tag of a logged model in which MLflow lists the versions that it became, as JSON."""
MAX_VERSIONS_TAG = 100_000


def create(
    access: WriteAccess,
    name: str,
    source: Source,
    *,
    run_id: str = "",
    model_id: str = "",
    tags: Mapping[str, str] | None = None,
    description: str = "",
    run_link: str = "",
) -> VersionRecord:
    """Make the next version of a model; raises as `sources.resolve`, `NotFound` for no model.

    A prompt, told by its tag, has a placeholder for its source, and nothing else has.
    """
    tags = tags or {}
    if registered_models.is_prompt(tags) != isinstance(source, Placeholder):
        raise sources.wrong_source(
            source.text,
            "Prompts have MLflow's placeholder for their source, and models have an address: "
            "runs:/..., models:/... or mlflow-artifacts:/... of this project.",
        )
    origin = sources.resolve(access, source, run_id, model_id)
    values = {"description": description, "run_link": run_link}
    version_id, version = _insert(access, name, origin, values)
    store_tags(access.session, ModelVersionTag, "version_id", version_id, tags)
    made = get(access, name, version)
    if origin.logged_model_id is not None:
        _tell_logged_model(access, origin.logged_model_id, made)
    signals.announce_model(signals.model_version_created, access, name, version=version)
    return made


def _insert(
    access: WriteAccess, name: str, origin: Origin, values: dict[str, str]
) -> tuple[int, int]:
    moment = now()
    number = RegisteredModel.last_version + 1
    # Its row stays locked until commit, so that no two versions get one number.
    model_id = registered_models.change(access, name, last_version=number, updated_at=moment)
    last = select(RegisteredModel.last_version).where(RegisteredModel.id == model_id)
    version_id, version = access.session.execute(
        insert(ModelVersion)
        .values(
            project_id=access.project.id,
            model_id=model_id,
            version=last.scalar_subquery(),
            stage=stages.NONE,
            status=READY,
            status_message="",
            source=origin.source,
            place=origin.place,
            candidate_id=origin.candidate_id,
            logged_model_id=origin.logged_model_id,
            actor_id=access.actor.id,
            job_id=access.actor.job.id if access.actor.job else None,
            created_at=moment,
            updated_at=moment,
            **values,
        )
        .returning(ModelVersion.id, ModelVersion.version)
    ).one()
    return version_id, version


def _tell_logged_model(access: WriteAccess, logged_model_id: int, made: VersionRecord) -> None:
    """Add the version to the logged model's tag, as MLflow's server does."""
    # Whoever makes another version of it waits, so that none is lost; on SQLite, all wait anyway.
    access.session.execute(
        select(LoggedModel.id).where(LoggedModel.id == logged_model_id).with_for_update()
    )
    tag = (LoggedModelTag.logged_model_id == logged_model_id, LoggedModelTag.key == VERSIONS_TAG)
    stored = access.session.scalar(select(LoggedModelTag.value).where(*tag))
    listed = _listed(stored)
    listed.append({"name": made.name, "version": made.version})
    value = json.dumps(listed)
    if len(value) > MAX_VERSIONS_TAG:
        return
    tags = {VERSIONS_TAG: value}
    store_tags(access.session, LoggedModelTag, "logged_model_id", logged_model_id, tags)


def _listed(stored: str | None) -> list[Any]:
    """What the tag lists; a client may have set it to anything."""
    try:
        said = json.loads(stored) if stored else []
    except (ValueError, RecursionError):
        said = []
    return said if isinstance(said, list) else []


def get(access: ReadAccess, name: str, version: int) -> VersionRecord:
    """One version; raise `NotFound`."""
    return sources.find_version(access, VersionName("", name, version=version))


def latest(access: ReadAccess, name: str, wanted: Sequence[str] = ()) -> list[VersionRecord]:
    """The newest version of each of these stages, or of all; raises `NotFound` or `Invalid`."""
    among = {stages.canonical(stage) for stage in wanted} or set(stages.STAGES)
    model_id = registered_models.id_of(access, name)
    found = latest_versions(access, [model_id], with_aliases=True)
    return [version for version in found if version.stage in among]


def describe(
    access: WriteAccess, name: str, version: int, description: str | None
) -> VersionRecord:
    """Give a version another description, or none."""
    found = get(access, name, version)
    _change(access, found.id, description=description)
    return get(access, name, version)


def move_to_stage(
    access: WriteAccess, name: str, version: int, stage: str, *, archive_others: bool
) -> VersionRecord:
    """Move a version to a stage, and perhaps those that are there to the archive.

    Raises `Invalid` for no stage, and for `archive_others` at a stage that is not active.
    """
    stage = stages.canonical(stage)
    if archive_others and stage not in stages.ACTIVE:
        raise Invalid(
            "Model version transition cannot archive existing model versions because "
            f"'{stage}' is not an Active stage. Valid stages are {', '.join(stages.ACTIVE)}."
        )
    model_id = registered_models.lock(access, name)
    found = get(access, name, version)
    moving = [found, *(_others(access, model_id, stage, found.id) if archive_others else [])]
    moment = now()
    for each in moving:
        to = stage if each.id == found.id else stages.ARCHIVED
        _change(access, each.id, stage=to, updated_at=moment)
        if each.stage != to:
            history.note_stage(access, model_id, each.version, each.stage, to)
    registered_models.change(access, name, updated_at=moment)
    return get(access, name, version)


def _others(access: ReadAccess, model_id: int, stage: str, version_id: int) -> list[VersionRecord]:
    rows = access.session.execute(
        select_versions(access).where(
            ModelVersion.model_id == model_id,
            ModelVersion.stage == stage,
            ModelVersion.id != version_id,
        )
    )
    return [VersionRecord(*row) for row in rows]


def delete(access: WriteAccess, name: str, version: int) -> None:
    """Delete a version with its aliases; its number does not come back.

    Raises `NotFound`, and `Forbidden` for anybody but a maintainer if an alias is protected.
    """
    registered_models.lock(access, name)
    found = get(access, name, version)
    for alias in found.aliases:
        aliases.delete(access, name, alias)
    delete_parts(access.session, version_parts(ModelVersion.id == found.id))
    registered_models.change(access, name)


def set_tag(access: WriteAccess, name: str, version: int, key: str, value: str) -> None:
    """Set a tag of a version."""
    store_tags(
        access.session, ModelVersionTag, "version_id", get(access, name, version).id, {key: value}
    )
    webhooks.version_tag_set(access, name, version, key, value)


def delete_tag(access: WriteAccess, name: str, version: int, key: str) -> None:
    """Remove a tag of a version, if it is there."""
    found = get(access, name, version)
    access.session.execute(
        sql_delete(ModelVersionTag).where(
            ModelVersionTag.version_id == found.id, ModelVersionTag.key == key
        )
    )
    webhooks.version_tag_deleted(access, name, version, key)


def _change(access: WriteAccess, version_id: int, **values: Any) -> None:
    access.session.execute(
        update(ModelVersion)
        .where(ModelVersion.id == version_id, ModelVersion.project_id == access.project.id)
        .values({"updated_at": now(), **values})
        .execution_options(synchronize_session=False)
    )
