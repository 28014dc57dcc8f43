"""A forge in memory: real values and simple rules instead of pages, tokens and tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from gitlab_mlops.host import (
    Ability,
    Actor,
    Credential,
    Events,
    Host,
    Project,
    Source,
    SourceLink,
)

ORDER = [Ability.READ, Ability.WRITE, Ability.MAINTAIN]


def actor(username: str, **more: Any) -> Actor:
    """A person; the id follows from the name."""
    return Actor(id=f"id-of-{username}", username=username, **more)


@dataclass
class FakeForge:
    """People have roles in projects; public projects are read by everybody.

    `session` gives the database of a project. `calls` counts what the plugin asked, by the names
    of the adapter's methods. Whoever reads a project sees its merge requests and issues.
    """

    session: Callable[[Project], Session]
    script_root: str = ""
    projects: dict[int, Project] = field(default_factory=dict)
    public: set[int] = field(default_factory=set)
    roles: dict[tuple[str, int], Ability] = field(default_factory=dict)
    sources: dict[Source, SourceLink] = field(default_factory=dict)
    secrets: dict[str, Actor] = field(default_factory=dict)
    signed_in: Actor | None = None
    notes: list[tuple[Actor, Source, str]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    ids: count[int] = field(default_factory=lambda: count(101))

    def add_project(
        self, path: str, *members: Actor, public: bool = False, ability: Ability = Ability.READ
    ) -> Project:
        """A new project whose members have the ability."""
        project = Project(next(self.ids), path, path.rpartition("/")[2])
        self.projects[project.id] = project
        self.roles |= {(member.id, project.id): ability for member in members}
        if public:
            self.public.add(project.id)
        return project

    def add_source(self, project: Project, kind: str = "issue") -> Source:
        """A new merge request or issue of the project."""
        number = str(next(self.ids))
        source = Source(project.id, kind, number)
        url = f"{self.script_root}/{project.path}/-/{kind}s/{number}"
        self.sources[source] = SourceLink(f"{project.path}#{number}", "A title", url)
        return source

    def host(self, **changes: Any) -> Host:
        """The adapter of this forge, with other parts if `changes` names them."""
        parts: dict[str, Any] = {
            "identity": FakeIdentity(self),
            "projects": FakeProjects(self),
            "permissions": FakePermissions(self),
            "chrome": FakeChrome(self),
            "session": self.session,
            "engines": list,
            "references": FakeReferences(self),
            "events": Events(),
        }
        return Host(**{**parts, **changes})

    def reads(self, actor: Actor | None, project_id: int) -> bool:
        """Whether the actor reads this project."""
        member = actor is not None and (actor.id, project_id) in self.roles
        return member or project_id in self.public


@dataclass
class Part:
    """A part of the adapter."""

    forge: FakeForge


class FakeIdentity(Part):
    """Who `signed_in` says, or whose secret it is."""

    def web_actor(self) -> Actor | None:
        return self.forge.signed_in

    def authenticate(self, credential: Credential) -> Actor | None:
        return self.forge.secrets.get(credential.secret)

    def actors(self, ids: Collection[str]) -> Mapping[str, Actor]:
        known = {actor.id: actor for actor in self.forge.secrets.values()}
        return {i: known[i] for i in ids if i in known}


class FakeProjects(Part):
    """The projects by id, path and URL."""

    def by_id(self, project_id: int) -> Project | None:
        self.forge.calls["by_id"] += 1
        return self.forge.projects.get(project_id)

    def by_path(self, path: str) -> Project | None:
        self.forge.calls["by_path"] += 1
        return next((each for each in self.forge.projects.values() if each.path == path), None)

    def by_url(self, values: Mapping[str, Any]) -> Project | None:
        self.forge.calls["by_url"] += 1
        path = "/".join(str(values[name]) for name in ("namespace", "project") if name in values)
        return next((each for each in self.forge.projects.values() if each.path == path), None)


class FakePermissions(Part):
    """By role, or by being public."""

    def can(self, actor: Actor | None, ability: Ability, project: Project) -> bool:
        self.forge.calls["can"] += 1
        if ability is Ability.READ:
            return self.forge.reads(actor, project.id)
        role = self.forge.roles.get((actor.id, project.id)) if actor else None
        return role is not None and ORDER.index(role) >= ORDER.index(ability)


class FakeChrome(Part):
    """Pages at `/<path>`, without a frame around them."""

    web_prefixes: Sequence[str] = ("/<project>", "/<path:namespace>/<project>")
    csrf_field: str = "csrf_token"

    def base_template(self) -> str:
        return "base.html"

    def context(self, project: Project, page: str) -> Mapping[str, Any]:
        return {}

    def project_url(self, project: Project) -> str:
        self.forge.calls["project_url"] += 1
        return f"{self.forge.script_root}/{project.path}"

    def csrf_token(self) -> str:
        return "csrf"

    def check_csrf(self) -> bool:
        return True

    def csp_nonce(self) -> str | None:
        return None

    def login_url(self, next_url: str) -> str:
        return f"{self.forge.script_root}/login"

    def tokens_url(self) -> str | None:
        return None


class FakeReferences(Part):
    """The sources that were added."""

    def links(
        self, actor: Actor | None, sources: Collection[Source]
    ) -> Mapping[Source, SourceLink]:
        self.forge.calls["links"] += 1
        return {
            source: self.forge.sources[source]
            for source in sources
            if source in self.forge.sources and self.forge.reads(actor, source.project_id)
        }

    def post_system_note(self, actor: Actor, source: Source, text: str) -> None:
        self.forge.notes.append((actor, source, text))
