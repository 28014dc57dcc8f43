"""Aliases of versions: set, move, delete and protect."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete as sql_delete
from sqlalchemy import select

from gitlab_mlops.access import MaintainAccess, ReadAccess, WriteAccess
from gitlab_mlops.errors import Forbidden
from gitlab_mlops.hooks import signals
from gitlab_mlops.models import ModelAlias, ModelVersion, ProtectedAlias
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.registry import history, registered_models, sources
from gitlab_mlops.services.registry.records import VersionRecord
from gitlab_mlops.services.registry.sources import VersionName
from gitlab_mlops.services.statements import upsert

LATEST = "latest"
"""No alias, but MLflow's word for the newest version."""


def find(access: ReadAccess, name: str, alias: str) -> VersionRecord:
    """The version that an alias stands for, or the newest for `latest`.

    Raises `NotFound` where there is no model, and `Invalid`, as MLflow, where there is no alias.
    """
    alias = "" if alias.lower() == LATEST else alias
    return sources.find_version(access, VersionName("", name, alias=alias))


def put(access: WriteAccess, name: str, alias: str, version: int) -> None:
    """Set an alias, or move it here from another version.

    Raises `NotFound`, and `Forbidden` for anybody but a maintainer if the alias is protected.
    """
    model_id = registered_models.lock(access, name)
    _require_may_move(access, model_id, name, alias)
    target = sources.find_version(access, VersionName("", name, version=version))
    before = _version_of(access, model_id, alias)
    if before == version:
        return
    statement = upsert(access.session, ModelAlias)
    access.session.execute(
        statement.on_conflict_do_update(
            index_elements=["model_id", "alias"], set_={"version_id": target.id}
        ),
        [{"model_id": model_id, "alias": alias, "version_id": target.id}],
    )
    _moved(access, model_id, name, alias, before, version)


def delete(access: WriteAccess, name: str, alias: str) -> None:
    """Remove an alias, if it is there; raises as `put`."""
    model_id = registered_models.lock(access, name)
    _require_may_move(access, model_id, name, alias)
    before = _version_of(access, model_id, alias)
    if before is None:
        return
    access.session.execute(
        sql_delete(ModelAlias).where(ModelAlias.model_id == model_id, ModelAlias.alias == alias)
    )
    _moved(access, model_id, name, alias, before, None)


def _version_of(access: ReadAccess, model_id: int, alias: str) -> int | None:
    return access.session.scalar(
        select(ModelVersion.version)
        .join(ModelAlias, ModelAlias.version_id == ModelVersion.id)
        .where(ModelAlias.model_id == model_id, ModelAlias.alias == alias)
    )


def _require_may_move(access: WriteAccess, model_id: int, name: str, alias: str) -> None:
    if isinstance(access, MaintainAccess):
        return
    protected = select(ProtectedAlias.alias).where(
        ProtectedAlias.model_id == model_id, ProtectedAlias.alias == alias
    )
    if access.session.scalar(protected) is not None:
        raise Forbidden(
            f"The alias {alias} of the model {name} is protected: only a maintainer of "
            f"{access.project.path} may move or delete it."
        )


def _moved(
    access: WriteAccess, model_id: int, name: str, alias: str, old: int | None, new: int | None
) -> None:
    history.note_alias(access, model_id, alias, old, new)
    signals.announce_model(signals.model_alias_moved, access, name, alias=alias, old=old, new=new)


def protected(access: ReadAccess, name: str) -> list[str]:
    """The protected aliases of a model, set or not, in order."""
    model_id = registered_models.id_of(access, name)
    statement = select(ProtectedAlias.alias).where(ProtectedAlias.model_id == model_id)
    return list(access.session.scalars(statement.order_by(ProtectedAlias.alias)))


def protect(access: MaintainAccess, name: str, aliases: Collection[str]) -> None:
    """Make exactly these aliases of a model the protected ones, whether they are set or not."""
    model_id = registered_models.lock(access, name)
    wanted = set(aliases)
    known = set(protected(access, name))
    access.session.execute(
        sql_delete(ProtectedAlias).where(
            ProtectedAlias.model_id == model_id, ProtectedAlias.alias.in_(known - wanted)
        )
    )
    rows = [
        {"model_id": model_id, "alias": alias, "actor_id": access.actor.id, "created_at": now()}
        for alias in sorted(wanted - known)
    ]
    if rows:
        statement = upsert(access.session, ProtectedAlias).on_conflict_do_nothing()
        access.session.execute(statement, rows)
