"""What one request to MLflow's API may do, by one query: token, user, project and role."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, select

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
    row = connection.execute(_TOKENS[type(values["project"])], values).one_or_none()
    actor = None if row is None else tokens.actor_from(row)
    if row is None or actor is None or row.found is None:
        return Admitted(actor)
    project = gitlab_mlops.Project(row.found, row.full_path, row.project_name)
    return Admitted(actor, project, abilities(standing_of(row, row.user_id)))


def _is_possible(key: int | str) -> bool:
    """Whether the tables could have this id or path: PostgreSQL would refuse to look for others."""
    return "\0" not in key if isinstance(key, str) else 0 < key <= MAX_ID


def _with_project(which: ColumnElement[bool]) -> Select[Any]:
    its = and_(Member.project_id == Project.id, Member.user_id == Token.user_id)
    return (
        tokens.OWNERS.outerjoin(Project, which)
        .outerjoin(Namespace, Namespace.id == Project.namespace_id)
        .outerjoin(Member, its)
        .add_columns(
            Project.id.label("found"),
            Project.full_path,
            Project.name.label("project_name"),
            Project.visibility,
            Namespace.owner_id,
            Member.role,
        )
    )


# Made once: every request to the API asks one of them.
_WHICH: Mapping[type, ColumnElement[bool]] = {
    int: Project.id == bindparam("project"),
    str: Project.full_path == bindparam("project"),
}
_TOKENS = {kind: _with_project(which) for kind, which in _WHICH.items()}
_PROJECTS = {
    kind: select(Project.id, Project.full_path, Project.name).where(which)
    for kind, which in _WHICH.items()
}
