"""What the plugin keeps of people: who logged, made or mentioned something."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from gitlab_mlops.host import Actor, Host, Project
from gitlab_mlops.models import Base, ProjectCounters

MAX_PROJECTS = 100
"""Projects of a database that are tried, to get at its session."""


def forget(host: Host, actor: Actor) -> None:
    """Forget who `actor` was, in every table and database: what they made is nobody's then.

    Names that clients claimed (`user_id`, tags) stay: they are no account's. Nothing is committed.
    """
    classes: list[Any] = [each.class_ for each in Base.registry.mappers]
    models = [each for each in classes if hasattr(each, "actor_id")]
    for session in sessions(host):
        for model in models:
            statement = update(model).where(model.actor_id == actor.id).values(actor_id=None)
            session.execute(statement, execution_options={"synchronize_session": False})


def sessions(host: Host) -> Iterator[Session]:
    """A session for each database, in the transaction at work, if nobody knows a project of it."""
    engines = host.engines()
    if len(engines) == 1:
        # One database: whatever the project, the session is the same.
        yield host.session(Project(0, ""))
        return
    for engine in engines:
        session = next(_sessions_into(host, engine), None)
        if session is not None:
            yield session


def _sessions_into(host: Host, engine: Engine) -> Iterator[Session]:
    """The sessions of projects that have something in a database."""
    statement = select(ProjectCounters.project_id).limit(MAX_PROJECTS)
    with engine.connect() as connection:
        project_ids = connection.scalars(statement).all()
    for project in map(host.projects.by_id, project_ids):
        if project is not None and (session := host.session(project)).get_bind().engine is engine:
            yield session
