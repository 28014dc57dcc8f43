"""Permission as a value: services demand one of these, and only `grant_*` here makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from gitlab_mlops.errors import Forbidden, NotFound, Unauthenticated
from gitlab_mlops.host import Ability, Actor, Admitted, Host, Project
from gitlab_mlops.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# One text for a project that does not exist and for one that the actor may not see: whoever
# could tell them apart could list the private projects of a forge.
PROJECT_NOT_FOUND = "No such project, or your token's owner may not see its experiments."


@dataclass(frozen=True, slots=True)
class ReadAccess:
    """`actor` (None: an anonymous reader of a page) may read `project`, through `session`."""

    actor: Actor | None
    project: Project
    session: Session


@dataclass(frozen=True, slots=True)
class WriteAccess(ReadAccess):
    """`actor` may also change what is in `project`."""

    actor: Actor


@dataclass(frozen=True, slots=True)
class MaintainAccess(WriteAccess):
    """`actor` may also do what cannot be undone."""


Access = type[ReadAccess]
A = TypeVar("A", bound=ReadAccess)

_ABILITY: dict[Access, Ability] = {
    ReadAccess: Ability.READ,
    WriteAccess: Ability.WRITE,
    MaintainAccess: Ability.MAINTAIN,
}


def grant(
    kind: type[A], host: Host, settings: Settings, actor: Actor | None, project: Project | None
) -> A:
    """Give `actor` access of this kind to `project`, or raise.

    Raises `NotFound` when the project is missing or hidden (the same words for both), and
    `Forbidden` when the actor reads the project but may not do more, or holds a token whose
    scopes are too narrow.
    """

    def has(ability: Ability) -> bool:
        return project is not None and host.permissions.can(actor, ability, project)

    return _granted(kind, host, settings, actor, project, has)


def grant_admitted(kind: type[A], host: Host, settings: Settings, admitted: Admitted) -> A:
    """As `grant`, by what the forge has said of the request already."""
    has = admitted.abilities.__contains__
    return _granted(kind, host, settings, admitted.actor, admitted.project, has)


def grant_self(host: Host, project: Project) -> ReadAccess:
    """Let the plugin itself read `project`, for an answer that holds for everybody.

    There is no reader to ask about: a gate is evaluated because a pipeline ended, and what it
    finds must not depend on who started that. Only for what tells a reader nothing about
    candidates: `services/gate/publish.py` gives the forge a state, and how many rules passed. And
    for webhooks, which tell what the project's maintainers decided, whoever it was that did it.
    """
    return ReadAccess(None, project, host.session(project))


def can(
    kind: Access, host: Host, settings: Settings, actor: Actor | None, project: Project
) -> bool:
    """Whether `grant` would succeed; for controls that a page shows or leaves out."""
    return grant_or_none(kind, host, settings, actor, project) is not None


def grant_or_none(
    kind: type[A], host: Host, settings: Settings, actor: Actor | None, project: Project | None
) -> A | None:
    """As `grant`, but None where that raises: what is hidden and what is missing are one."""
    try:
        return grant(kind, host, settings, actor, project)
    except (NotFound, Forbidden, Unauthenticated):
        return None


def strengthened(host: Host, settings: Settings, access: WriteAccess) -> WriteAccess:
    """The same access, as `MaintainAccess` if the actor may have that.

    For what everybody who writes may do, but for a part that a maintainer has protected.
    """
    if not can(MaintainAccess, host, settings, access.actor, access.project):
        return access
    return MaintainAccess(access.actor, access.project, access.session)


def _granted(
    kind: type[A],
    host: Host,
    settings: Settings,
    actor: Actor | None,
    project: Project | None,
    has: Callable[[Ability], bool],
) -> A:
    _require_scope(actor, settings.read_scopes, "read")
    if project is None or _is_bound_elsewhere(actor, project) or not has(Ability.READ):
        raise NotFound(PROJECT_NOT_FOUND)
    if kind is not ReadAccess:
        _require_change(settings, actor, project, _ABILITY[kind], has)
    return kind(actor, project, host.session(project))


def _is_bound_elsewhere(actor: Actor | None, project: Project) -> bool:
    return actor is not None and actor.project_id not in (None, project.id)


def _require_change(
    settings: Settings,
    actor: Actor | None,
    project: Project,
    ability: Ability,
    has: Callable[[Ability], bool],
) -> None:
    if actor is None:
        raise Unauthenticated("Sign in to change anything here.")
    _require_scope(actor, settings.write_scopes, "write")
    if not has(ability):
        raise Forbidden(
            f"You may read the experiments of {project.path}, but your role there does not allow "
            f"you to {ability} them; ask a maintainer of the project for a higher role."
        )


def _require_scope(actor: Actor | None, wanted: tuple[str, ...], verb: str) -> None:
    if actor is None or actor.scopes is None or not actor.scopes.isdisjoint(wanted):
        return
    raise Forbidden(
        f"This token has no scope that lets it {verb} experiments; make a token with one of: "
        f"{', '.join(wanted)}."
    )
