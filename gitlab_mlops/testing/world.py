"""What the tests of the suite say in one line: people, browsers, and looks behind the scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest
import sqlalchemy as sa
from flask import request
from flask.testing import FlaskClient

from gitlab_mlops.host import Ability, Actor, Credential, Host, Project
from gitlab_mlops.models import Candidate, Experiment, Mention
from gitlab_mlops.mount import Mount
from gitlab_mlops.testing.client import Client
from gitlab_mlops.testing.forge import Forge, Scheme, Visibility

PROBE = "/-/mlops-conformance"
"""Routes that the suite adds to the application, to look at it from inside of a request."""

T = TypeVar("T")


class World:
    """A forge, and shorthands to act in it."""

    def __init__(self, forge: Forge) -> None:
        """Add the probes, so `forge.app` must not have served a request yet."""
        self.forge = forge
        self.app = forge.app
        _add_probes(self)

    @property
    def mount(self) -> Mount:
        """The plugin's state."""
        mount: Mount = self.app.extensions["mlops"]
        return mount

    @property
    def host(self) -> Host:
        """The adapter."""
        return self.mount.host

    def ask(self, question: Callable[[Host], T]) -> T:
        """Ask the adapter something, in a request of nobody's."""
        with self.app.test_request_context("/"):
            return question(self.host)

    def authenticate(self, credential: Credential) -> Actor | None:
        """The actor behind a credential."""
        return self.ask(lambda host: host.identity.authenticate(credential))

    def project(self, visibility: Visibility = "private") -> Project:
        """A new project; skips the test if this forge knows no such visibility."""
        if visibility not in self.forge.visibilities:
            pytest.skip(f"this forge has no {visibility} projects")
        return self.forge.add_project(visibility)

    def user(self, project: Project | None = None, ability: Ability | None = None) -> Any:
        """A new user, with a role in the project if one is given."""
        user = self.forge.add_user()
        if project is not None and ability is not None:
            self.forge.add_member(project, user, ability)
        return user

    def token(
        self, user: Any, ability: Ability = Ability.WRITE, scheme: Scheme | None = None, **more: Any
    ) -> Credential:
        """A token of the user, with the scope for the ability if this forge has scopes."""
        scope = self.forge.scopes[ability] if self.forge.scopes is not None else None
        return self.forge.add_token(user, scheme or self.forge.schemes[0], scope, **more)

    def actor(self, user: Any) -> Actor:
        """The user as the plugin sees them."""
        actor = self.authenticate(self.token(user))
        assert actor is not None, "authenticate() does not know a new token"
        return actor

    def writer(self, project: Project) -> Client:
        """An MLflow client of a new user who may write."""
        return self.client(project, self.token(self.user(project, Ability.WRITE)))

    def client(self, project: Project, credential: Credential | None) -> Client:
        """An MLflow client with this credential."""
        return Client(self.app, str(project.id), credential)

    def browser(self, user: Any = None) -> FlaskClient:
        """A browser, with the user signed in if one is given."""
        client = self.app.test_client()
        if user is not None:
            self.forge.sign_in(client, user)
        return client

    def page(self, project: Project, page: str = "") -> str:
        """Path of a page of the project: its own, or one of the plugin's below `/-/ml/`."""
        url = self.ask(lambda host: host.chrome.project_url(project))
        return f"{url}/-/ml/{page}" if page else url

    def rows(self, project: Project) -> int:
        """How many experiments and candidates of the project are stored."""
        experiments = sa.select(Experiment.id).where(Experiment.project_id == project.id)
        candidates = sa.select(Candidate.id).where(Candidate.project_id == project.id)
        return self._count(project, experiments) + self._count(project, candidates)

    def mentions(self, project: Project) -> int:
        """How many mentions of the project's candidates are stored."""
        mentions = sa.select(Mention.id).join(Candidate)
        return self._count(project, mentions.where(Candidate.project_id == project.id))

    def _count(self, project: Project, ids: sa.Select[Any]) -> int:
        with self.app.test_request_context("/"):
            return len(self.host.session(project).scalars(ids).all())

    @contextmanager
    def counted_statements(self) -> Iterator[list[str]]:
        """Collects the SQL statements sent to any database of the forge."""
        statements: list[str] = []

        def note(*arguments: Any) -> None:
            statements.append(arguments[2])

        engines = self.ask(lambda host: list(host.engines()))
        for engine in engines:
            sa.event.listen(engine, "before_cursor_execute", note)
        try:
            yield statements
        finally:
            for engine in engines:
                sa.event.remove(engine, "before_cursor_execute", note)


def _add_probes(world: World) -> None:
    app = world.app

    @app.get(f"{PROBE}/actor")
    def mlops_conformance_actor() -> dict[str, Any]:
        actor = world.host.identity.web_actor()
        if actor is None:
            return {}
        return {"id": actor.id, "bound": (actor.project_id, actor.scopes) != (None, None)}

    @app.get(f"{PROBE}/form")
    def mlops_conformance_form() -> dict[str, str]:
        return {world.host.chrome.csrf_field: world.host.chrome.csrf_token()}

    @app.post(f"{PROBE}/form")
    def mlops_conformance_submit() -> dict[str, bool]:
        return {"good": world.host.chrome.check_csrf(), "seen": bool(request.form)}

    @app.get(f"{PROBE}/nonce")
    def mlops_conformance_nonce() -> dict[str, Any]:
        return {"nonces": [world.host.chrome.csp_nonce(), world.host.chrome.csp_nonce()]}
