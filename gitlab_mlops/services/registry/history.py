"""Who moved which alias, and which version to another stage, and when."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.models import AliasMove
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.registry import registered_models


@dataclass(frozen=True, slots=True)
class Move:
    """Who moved what, the fields as in `models.AliasMove`."""

    id: int
    alias: str | None
    version_before: int | None
    version_after: int | None
    stage_before: str | None
    stage_after: str | None
    actor_id: str | None
    moved_at: int


def note_alias(
    access: WriteAccess, model_id: int, alias: str, old: int | None, new: int | None
) -> None:
    """Remember that an alias moved between versions; None where it was not there."""
    _note(access, model_id, alias=alias, version_before=old, version_after=new)


def note_stage(access: WriteAccess, model_id: int, version: int, old: str, new: str) -> None:
    """Remember that a version moved to another stage."""
    both = {"version_before": version, "version_after": version}
    _note(access, model_id, **both, stage_before=old, stage_after=new)


def _note(access: WriteAccess, model_id: int, **what: str | int | None) -> None:
    who = {"actor_id": access.actor.id, "moved_at": now()}
    access.session.execute(insert(AliasMove).values(model_id=model_id, **who, **what))


def moves(access: ReadAccess, name: str, *, limit: int, before: int | None = None) -> list[Move]:
    """The last moves of aliases and stages of a model, the newest first; `NotFound` for no model.

    `before` is the id of a move; the result goes on with those that came before it.
    """
    statement = select(
        AliasMove.id,
        AliasMove.alias,
        AliasMove.version_before,
        AliasMove.version_after,
        AliasMove.stage_before,
        AliasMove.stage_after,
        AliasMove.actor_id,
        AliasMove.moved_at,
    ).where(AliasMove.model_id == registered_models.id_of(access, name))
    if before is not None:
        statement = statement.where(AliasMove.id < before)
    rows = access.session.execute(statement.order_by(AliasMove.id.desc()).limit(limit))
    return [Move(*row) for row in rows]
