"""The adapter: what the plugin asks of a forge, answered by this one.

The optional parts are in `adapter_texts.py` and `adapter_code.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flask_login import current_user
from sqlalchemy import select

import gitlab_mlops
from gitlab_mlops import Ability, Actor, Credential, Events, Host
from host_stub import chrome, pipelines, security, tokens
from host_stub.adapter_code import CI, Repository
from host_stub.adapter_texts import Notifications, References
from host_stub.admission import Admission, abilities, find_project
from host_stub.database import db, id_of
from host_stub.permissions import standing
from host_stub.users import User


def make_host(events: Events) -> Host:
    """Everything that this forge hands to the plugin."""
    return Host(
        identity=Identity(),
        projects=Projects(),
        permissions=Permissions(),
        chrome=Chrome(),
        references=References(),
        ci=CI(),
        repository=Repository(),
        admission=Admission(),
        notifications=Notifications(),
        events=events,
        session=lambda project: db.session(),
        engines=lambda: [db.engine],
    )


class Identity:
    """People by their session, and everybody by their tokens."""

    def web_actor(self) -> Actor | None:
        """The person signed in."""
        return _actor(current_user) if current_user.is_authenticated else None

    def authenticate(self, credential: Credential) -> Actor | None:
        """One query: the prefix of a secret tells whether to look among jobs or tokens."""
        if credential.secret.startswith(pipelines.PREFIX):
            return pipelines.actor_of(credential.secret)
        if credential.scheme == "job-token":
            return None
        return tokens.actor_of(credential.secret)

    def actors(self, ids: Collection[str]) -> Mapping[str, Actor]:
        """All of them in one query; people who are blocked keep their names."""
        wanted = [number for number in map(id_of, ids) if number is not None]
        if not wanted:
            return {}
        there = select(User).where(User.id.in_(wanted), User.removed_at.is_(None))
        return {str(user.id): _actor(user) for user in db.session.scalars(there)}


class Projects:
    """Projects by id, path and URL."""

    def by_id(self, project_id: int) -> gitlab_mlops.Project | None:
        """The project of this id."""
        return find_project(project_id)

    def by_path(self, path: str) -> gitlab_mlops.Project | None:
        """The project of this full path."""
        return find_project(path)

    def by_url(self, values: Mapping[str, Any]) -> gitlab_mlops.Project | None:
        """The project that a URL below `chrome.PREFIX` names."""
        return self.by_path(f"{values['namespace']}/{values['project']}")


class Permissions:
    """Abilities by role and visibility."""

    def can(self, actor: Actor | None, ability: Ability, project: gitlab_mlops.Project) -> bool:
        """Reporters read, developers write, maintainers maintain; the public reads the public."""
        stand = standing(None if actor is None else int(actor.id), project.id)
        return stand is not None and ability in abilities(stand)


class Chrome:
    """The frame around the plugin's pages."""

    web_prefixes: Sequence[str] = (chrome.PREFIX,)
    csrf_field = security.CSRF_FIELD

    def base_template(self) -> str:
        """The template that every page of the forge extends, too."""
        return "host_stub/base.html"

    def context(self, project: gitlab_mlops.Project, page: str) -> Mapping[str, Any]:
        """One variable, so that it cannot collide with the plugin's own."""
        return {"shell": chrome.shell(project, page)}

    def project_url(self, project: gitlab_mlops.Project) -> str:
        """Path of the project's page."""
        return chrome.project_url(project.path)

    def csrf_token(self) -> str:
        """The token of this session."""
        return security.csrf_token()

    def check_csrf(self) -> bool:
        """Whether this request carries it."""
        return security.check_csrf()

    def csp_nonce(self) -> str | None:
        """The nonce of this answer's policy."""
        return security.csp_nonce()

    def login_url(self, next_url: str) -> str:
        """The sign-in page."""
        return chrome.login_url(next_url)

    def tokens_url(self) -> str | None:
        """The page of personal access tokens."""
        return chrome.root("-/user_settings/personal_access_tokens")


def _actor(user: User) -> Actor:
    url = "" if user.is_bot else chrome.root(user.username)
    return Actor(id=str(user.id), username=user.username, name=user.name, url=url)
