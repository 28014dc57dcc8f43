"""The adapter: what the plugin asks of a forge, answered by this one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from flask_login import current_user
from sqlalchemy import ColumnElement, Executable, and_, bindparam, or_, select, tuple_

import gitlab_mlops
from gitlab_mlops import Ability, Actor, Credential, Events, Host, Source, SourceLink
from host_stub import chrome, issuables, pipelines, security, tokens
from host_stub.database import db
from host_stub.issuables import Issuable
from host_stub.issues import Issue
from host_stub.merge_requests import MergeRequest
from host_stub.permissions import Right, standing, visible
from host_stub.projects import Project
from host_stub.users import User

RIGHTS = {
    Ability.READ: Right.READ,
    Ability.WRITE: Right.WRITE,
    Ability.MAINTAIN: Right.MAINTAIN,
}
# How an issue or merge request is written in text, and where its page is.
SIGILS = {"issue": ("#", "issues"), "merge_request": ("!", "merge_requests")}
MAX_ID = 2**31 - 1


def make_host(events: Events) -> Host:
    """Everything that this forge hands to the plugin."""
    return Host(
        identity=Identity(),
        projects=Projects(),
        permissions=Permissions(),
        chrome=Chrome(),
        references=References(),
        ci=CI(),
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
        wanted = [number for number in map(_integer, ids) if number is not None]
        if not wanted:
            return {}
        there = select(User).where(User.id.in_(wanted), User.removed_at.is_(None))
        return {str(user.id): _actor(user) for user in db.session.scalars(there)}


class Projects:
    """Projects by id, path and URL."""

    def by_id(self, project_id: int) -> gitlab_mlops.Project | None:
        """The project of this id."""
        return _project(_BY_ID, project_id) if 0 < project_id <= MAX_ID else None

    def by_path(self, path: str) -> gitlab_mlops.Project | None:
        """The project of this full path."""
        return None if "\0" in path else _project(_BY_PATH, path)

    def by_url(self, values: Mapping[str, Any]) -> gitlab_mlops.Project | None:
        """The project that a URL below `chrome.PREFIX` names."""
        return self.by_path(f"{values['namespace']}/{values['project']}")


class Permissions:
    """Abilities by role and visibility."""

    def can(self, actor: Actor | None, ability: Ability, project: gitlab_mlops.Project) -> bool:
        """Reporters read, developers write, maintainers maintain; the public reads the public."""
        stand = standing(None if actor is None else int(actor.id), project.id)
        return stand is not None and stand.allows(RIGHTS[ability])


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


class References:
    """Issues and merge requests as places that mention candidates."""

    def links(
        self, actor: Actor | None, sources: Collection[Source]
    ) -> Mapping[Source, SourceLink]:
        """One query, whatever the number of sources."""
        wanted = [(s.project_id, s.kind, number) for s in sources if (number := _integer(s.id))]
        if not wanted:
            return {}
        key = tuple_(Issuable.project_id, Issuable.kind, Issuable.iid)
        return {
            Source(row.project_id, row.kind, str(row.iid)): _link(row)
            for row in _visible_issuables(actor, key.in_(wanted))
        }

    def post_system_note(self, actor: Actor, source: Source, text: str) -> None:
        """Add a note below the issue or merge request; nothing if it is gone."""
        kind = Issue if source.kind == "issue" else MergeRequest
        number = _integer(source.id)
        issuable = number and issuables.find(kind, source.project_id, number)
        user = db.session.get(User, int(actor.id))
        if issuable and user:
            issuables.add_system_note(issuable, user, text)


class CI:
    """Pipelines and jobs."""

    def job(self, project: gitlab_mlops.Project, job_id: str) -> gitlab_mlops.Job | None:
        """The job of this project with this id."""
        number = _integer(job_id)
        return None if number is None else pipelines.find_job(project.id, number)


def _integer(text: str) -> int | None:
    """An id that this forge could have given out, or None."""
    if not (text.isascii() and text.isdigit()):
        return None
    number = int(text[:20])
    return number if 0 < number <= MAX_ID else None


def _actor(user: User) -> Actor:
    url = "" if user.is_bot else chrome.root(user.username)
    return Actor(id=str(user.id), username=user.username, name=user.name, url=url)


# Made once: every request to the API asks one of them.
_COLUMNS = select(Project.id, Project.full_path, Project.name)
_BY_ID = _COLUMNS.where(Project.id == bindparam("key"))
_BY_PATH = _COLUMNS.where(Project.full_path == bindparam("key"))


def _project(which: Executable, key: int | str) -> gitlab_mlops.Project | None:
    row = db.session.execute(which, {"key": key}).one_or_none()
    return None if row is None else gitlab_mlops.Project(row.id, row.full_path, row.name)


def _visible_issuables(actor: Actor | None, which: ColumnElement[bool]) -> Iterable[Any]:
    """Issues of projects the actor sees, merge requests of those whose code the actor reads."""
    user_id = None if actor is None else int(actor.id)
    columns = select(
        Issuable.project_id, Issuable.kind, Issuable.iid, Issuable.title, Issuable.state,
        Project.full_path,
    ).join(Project, Project.id == Issuable.project_id)  # fmt: skip
    if actor is not None and actor.project_id is not None:
        columns = columns.where(Project.id == actor.project_id)
    issues = and_(Issuable.kind == "issue", visible(user_id, Right.SEE))
    return db.session.execute(columns.where(which, or_(issues, visible(user_id, Right.READ))))


def _link(row: Any) -> SourceLink:
    sigil, page = SIGILS[row.kind]
    return SourceLink(
        label=f"{row.full_path}{sigil}{row.iid}",
        title=row.title,
        url=chrome.project_url(row.full_path, f"{page}/{row.iid}"),
        state=row.state,
    )
