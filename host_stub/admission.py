"""What one request to MLflow's API may do, by one query: token, user, project and role."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, and_, bindparam, cast, func, select

import gitlab_mlops
from gitlab_mlops import Ability, Actor, Admitted, Credential
from host_stub import pipelines, tokens
from host_stub.database import MAX_ID, db
from host_stub.namespaces import Namespace
from host_stub.permissions import Right, Standing, standing, standing_of
from host_stub.projects import Member, Project
from host_stub.tokens import Token

RIGHTS = {
    Ability.READ: Right.READ,
    Ability.WRITE: Right.WRITE,
    Ability.MAINTAIN: Right.MAINTAIN,
}


class Admission:
    """Tokens, projects and roles at once; with the token of a job, one after the other."""

    def admit(self, credential: Credential, project: int | str) -> Admitted:
        """What the credential opens in the project of this id or full path."""
        if credential.secret.startswith(pipelines.PREFIX):
            return _of_actor(pipelines.actor_of(credential.secret), project)
        if credential.scheme == "job-token":
            return Admitted(None)
        return _of_token(tokens.digest_of(credential.secret), project)


@cache
def abilities(stand: Standing) -> frozenset[Ability]:
    """What somebody of this standing may do with experiments."""
    return frozenset(ability for ability, right in RIGHTS.items() if stand.allows(right))


def find_project(key: int | str) -> gitlab_mlops.Project | None:
    """The project of this id or full path."""
    if not _is_possible(key):
        return None
    row = db.session.execute(_PROJECTS[type(key)], {"project": key}).one_or_none()
    return None if row is None else gitlab_mlops.Project(row.id, row.full_path, row.name)


def _of_actor(actor: Actor | None, key: int | str) -> Admitted:
    if actor is None or (project := find_project(key)) is None:
        return Admitted(actor)
    stand = standing(int(actor.id), project.id)
    return Admitted(actor, project, frozenset() if stand is None else abilities(stand))


def _of_token(digest: str, key: int | str) -> Admitted:
    # No project has the id 0.
    values = {"digest": digest, "project": key if _is_possible(key) else 0}
    # By the connection: the session would look for mapped classes in the statement first.
    connection = db.session.connection()
    statement = _TOKENS[connection.dialect.name, type(values["project"])]
    text = connection.execute(statement, values).scalar_one_or_none()
    row = None if text is None else _Found(*json.loads(text))
    actor = None if row is None else tokens.actor_from(row)
    if row is None or actor is None or row.found is None:
        return Admitted(actor)
    project = gitlab_mlops.Project(row.found, row.full_path, row.project_name)
    return Admitted(actor, project, abilities(standing_of(row, row.user_id)))


def _is_possible(key: int | str) -> bool:
    """Whether the tables could have this id or path: PostgreSQL would refuse to look for others."""
    return "\0" not in key if isinstance(key, str) else 0 < key <= MAX_ID


class _Found(NamedTuple):
    """A row of `tokens.OWNERS`, and the project with the owner's role in it."""

    id: int
    scopes: str
    project_id: int | None
    expires_at: int | None
    last_used_at: int | None
    user_id: int
    username: str
    name: str
    is_bot: bool
    found: int | None
    full_path: str
    project_name: str
    visibility: str
    owner_id: int
    role: int | None


def _with_project(
    which: ColumnElement[bool], array: Callable[..., ColumnElement[Any]]
) -> Select[Any]:
    """One column, a JSON array: drivers and SQLAlchemy take longer over fifteen than over one."""
    its = and_(Member.project_id == Project.id, Member.user_id == Token.user_id)
    columns = (
        *tokens.OWNERS.selected_columns,
        *(Project.id, Project.full_path, Project.name, Project.visibility),
        *(Namespace.owner_id, Member.role),
    )
    return (
        tokens.OWNERS.outerjoin(Project, which)
        .outerjoin(Namespace, Namespace.id == Project.namespace_id)
        .outerjoin(Member, its)
        .with_only_columns(cast(array(*columns), Text))
    )


# Made once: every request to the API asks one of them.
_WHICH: Mapping[type, ColumnElement[bool]] = {
    int: Project.id == bindparam("project"),
    str: Project.full_path == bindparam("project"),
}
_ARRAYS = {"postgresql": func.json_build_array, "sqlite": func.json_array}
_TOKENS = {
    (dialect, kind): _with_project(which, array)
    for dialect, array in _ARRAYS.items()
    for kind, which in _WHICH.items()
}
_PROJECTS = {
    kind: select(Project.id, Project.full_path, Project.name).where(which)
    for kind, which in _WHICH.items()
}
