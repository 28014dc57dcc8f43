"""Registered models: create, find, describe, rename, tag, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete as sql_delete
from sqlalchemy import select, update

from gitlab_mlops.access import MaintainAccess, ReadAccess, WriteAccess
from gitlab_mlops.errors import AlreadyExists, Forbidden, NotFound
from gitlab_mlops.hooks import signals
from gitlab_mlops.models import (
    PROMPT_TAG,
    ModelVersion,
    ProtectedAlias,
    RegisteredModel,
    RegisteredModelTag,
)
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.purge import delete_parts, registry_parts
from gitlab_mlops.services.registry.records import MODEL_COLUMNS, ModelRecord, load_models
from gitlab_mlops.services.statements import store_tags, upsert
from gitlab_mlops.services.webhooks import registry as webhooks


def create(
    access: WriteAccess, name: str, tags: Mapping[str, str], description: str = ""
) -> ModelRecord:
    """Register a name for versions to come; raise `AlreadyExists` if it is taken."""
    moment = now()
    statement = (
        upsert(access.session, RegisteredModel)
        .values(
            project_id=access.project.id,
            name=name,
            description=description,
            last_version=0,
            actor_id=access.actor.id,
            created_at=moment,
            updated_at=moment,
        )
        .on_conflict_do_nothing()
        .returning(RegisteredModel.__table__.c.id)
    )
    model_id = access.session.execute(statement).scalar_one_or_none()
    if model_id is None:
        raise _taken(access, name, tags)
    store_tags(access.session, RegisteredModelTag, "model_id", model_id, tags)
    webhooks.model_created(access, name, tags, description)
    return get(access, name)


def _taken(access: ReadAccess, name: str, tags: Mapping[str, str]) -> AlreadyExists:
    """MLflow's words: a prompt's name is taken from models, and a model's from prompts."""
    there = "Prompt" if is_prompt(dict(get(access, name).tags)) else "Registered Model"
    wanted = "Prompt" if is_prompt(tags) else "Registered Model"
    if there == wanted:
        return AlreadyExists(f"{wanted} (name={name}) already exists.")
    return AlreadyExists(
        f"Tried to create a {wanted.lower()} with name {name!r}, but the name is already taken by "
        f"a {there.lower()}. MLflow does not allow creating a model and a prompt with the same "
        "name."
    )


def is_prompt(tags: Mapping[str, str]) -> bool:
    """Whether tags of a model or of a version make it a prompt."""
    return tags.get(PROMPT_TAG, "").lower() == "true"


def get(access: ReadAccess, name: str) -> ModelRecord:
    """The model of this name; raise `NotFound`."""
    rows = access.session.execute(
        select(*MODEL_COLUMNS).where(
            RegisteredModel.project_id == access.project.id, RegisteredModel.name == name
        )
    ).all()
    if not rows:
        raise _missing(access, name)
    return load_models(access, rows)[0]


def id_of(access: ReadAccess, name: str) -> int:
    """The internal id of the model of this name; raise `NotFound`."""
    model_id = access.session.scalar(
        select(RegisteredModel.id).where(
            RegisteredModel.project_id == access.project.id, RegisteredModel.name == name
        )
    )
    if model_id is None:
        raise _missing(access, name)
    return model_id


def _missing(access: ReadAccess, name: str) -> NotFound:
    return NotFound(f"Registered Model with name={name} not found in {access.project.path}.")


def change(access: WriteAccess, name: str, /, **values: Any) -> int:
    """Change columns and the time of the last change; the internal id, or `NotFound`.

    Whoever else changes the model, its versions or aliases waits until commit.
    """
    model_id = access.session.execute(
        update(RegisteredModel)
        .where(RegisteredModel.project_id == access.project.id, RegisteredModel.name == name)
        .values({"updated_at": now(), **values})
        .returning(RegisteredModel.id)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if model_id is None:
        raise _missing(access, name)
    return model_id


def lock(access: WriteAccess, name: str) -> int:
    """As `change`, without a change: make others who change the model wait until commit."""
    return change(access, name, **_AS_IT_IS)


_AS_IT_IS = {"updated_at": RegisteredModel.updated_at}


def describe(access: WriteAccess, name: str, description: str) -> ModelRecord:
    """Give a model another description."""
    change(access, name, description=description)
    return get(access, name)


def rename(access: WriteAccess, name: str, new_name: str) -> ModelRecord:
    """Give a model another name; its versions, tags and aliases stay with it.

    Raises `AlreadyExists` if the name is taken, and `Forbidden` as `delete` does.
    """
    model_id = lock(access, name)
    require_maintainer_if_protected(access, model_id, f"rename the model {name}")
    if new_name != name:
        _require_free(access, new_name)
    moment = now()
    change(access, name, name=new_name, updated_at=moment)
    access.session.execute(
        update(ModelVersion)
        .where(ModelVersion.model_id == model_id, ModelVersion.project_id == access.project.id)
        .values(updated_at=moment)
        .execution_options(synchronize_session=False)
    )
    return get(access, new_name)


def _require_free(access: ReadAccess, name: str) -> None:
    try:
        id_of(access, name)
    except NotFound:
        return
    raise AlreadyExists(f"Registered Model (name={name}) already exists.")


def delete(access: WriteAccess, name: str) -> None:
    """Delete a model with its versions and their history; the files stay with their candidates.

    Raises `Forbidden` if it has protected aliases, for anybody but a maintainer.
    """
    model_id = lock(access, name)
    require_maintainer_if_protected(access, model_id, f"delete the model {name}")
    for alias, version in get(access, name).aliases:
        moved = {"alias": alias, "old": version, "new": None}
        signals.announce_model(signals.model_alias_moved, access, name, **moved)
    delete_parts(access.session, registry_parts(RegisteredModel.id == model_id))


def require_maintainer_if_protected(access: WriteAccess, model_id: int, what: str) -> None:
    """Raise `Forbidden` if a model has protected aliases and `access` is no maintainer's."""
    if isinstance(access, MaintainAccess):
        return
    protected = access.session.scalars(
        select(ProtectedAlias.alias).where(ProtectedAlias.model_id == model_id).limit(1)
    ).one_or_none()
    if protected is not None:
        raise Forbidden(
            f"Only a maintainer of {access.project.path} may {what}: its alias {protected} is "
            "protected."
        )


def set_tag(access: WriteAccess, name: str, key: str, value: str) -> None:
    """Set a tag of a model."""
    store_tags(access.session, RegisteredModelTag, "model_id", id_of(access, name), {key: value})
    webhooks.model_tag_set(access, name, key, value)


def delete_tag(access: WriteAccess, name: str, key: str) -> None:
    """Remove a tag of a model, if it is there."""
    model_id = id_of(access, name)
    access.session.execute(
        sql_delete(RegisteredModelTag).where(
            RegisteredModelTag.model_id == model_id, RegisteredModelTag.key == key
        )
    )
    webhooks.model_tag_deleted(access, name, key)
