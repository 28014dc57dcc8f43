"""A Protocol for each part of an adapter."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

from gitlab_mlops.host.values import (
    Ability,
    Actor,
    Admitted,
    Credential,
    Job,
    MergeRequest,
    Project,
    Source,
    SourceLink,
)


@runtime_checkable
class Identity(Protocol):
    """Who is there."""

    def web_actor(self) -> Actor | None:
        """The person signed in to the forge's web pages in this request, or None."""

    def authenticate(self, credential: Credential) -> Actor | None:
        """The actor behind a credential; None if it is unknown, expired, revoked or blocked."""

    def actors(self, ids: Collection[str]) -> Mapping[str, Actor]:
        """The actors of these ids, to show their names; ids that are gone are left out."""


@runtime_checkable
class Projects(Protocol):
    """Which projects there are. No permission is checked here; the plugin asks `Permissions`."""

    def by_id(self, project_id: int) -> Project | None:
        """The project of this stable id, or None."""

    def by_path(self, path: str) -> Project | None:
        """The project of this full path (`group/name`), or None."""

    def by_url(self, values: Mapping[str, Any]) -> Project | None:
        """The project that a web URL names; `values` are the variables of `Chrome.web_prefixes`."""


@runtime_checkable
class Permissions(Protocol):
    """Who may do what."""

    def can(self, actor: Actor | None, ability: Ability, project: Project) -> bool:
        """Whether the actor (None: nobody signed in) has the ability in the project, by role.

        Scopes and project-bound credentials are the plugin's to check, not the forge's.
        """


@runtime_checkable
class Admission(Protocol):
    """Optional: `Identity.authenticate`, `Projects` and `Permissions.can` in one answer.

    A training loop asks for each of its requests, so a forge that can tell all of it by one query
    makes the API about twice as fast. It must say what the three parts would have said.
    """

    def admit(self, credential: Credential, project: int | str) -> Admitted:
        """What the credential opens in the project of this id or full path."""


@runtime_checkable
class Chrome(Protocol):
    """The frame around the plugin's pages."""

    web_prefixes: Sequence[str]
    """Flask URL rules of a project's page, each with the variables that `by_url` understands."""
    csrf_field: str
    """Name of the form field that carries the CSRF token."""

    def base_template(self) -> str:
        """Name of the template that the pages extend; blocks `title`, `head`, `content`."""

    def context(self, project: Project, page: str) -> Mapping[str, Any]:
        """What the base template needs: the project, its navigation, with `page` marked as open."""

    def project_url(self, project: Project) -> str:
        """Path of the project's page on this host, without a slash at the end.

        Also asked without a request, by a worker that renders mail or tells of a renamed project.
        """

    def csrf_token(self) -> str:
        """The CSRF token to put into a form."""

    def check_csrf(self) -> bool:
        """Whether the current request, a form that was sent, carries a good CSRF token."""

    def csp_nonce(self) -> str | None:
        """The nonce of the forge's Content-Security-Policy for this response, or None."""

    def login_url(self, next_url: str) -> str:
        """Where to send somebody who has to sign in first."""

    def tokens_url(self) -> str | None:
        """Page where people make access tokens, or None."""


@runtime_checkable
class References(Protocol):
    """Optional: the merge requests and issues of the forge, as places that mention candidates."""

    def links(
        self, actor: Actor | None, sources: Collection[Source]
    ) -> Mapping[Source, SourceLink]:
        """Those of the sources that the actor may see now, in a bounded number of queries."""

    def post_system_note(self, actor: Actor, source: Source, text: str) -> None:
        """Write a note of the system under a merge request or issue."""


@runtime_checkable
class CI(Protocol):
    """Optional: pipelines and jobs."""

    def job(self, project: Project, job_id: str) -> Job | None:
        """The job of this project with this id, or None."""


@runtime_checkable
class Repository(Protocol):
    """Optional: the commits of a project, and the merge requests that bring them.

    Shas, refs and paths may be whatever a client claimed: answer as if they did not exist.
    """

    def default_branch(self, project: Project) -> str | None:
        """The name of the default branch; None if the repository is empty."""

    def merge_request(self, actor: Actor | None, project: Project, id: str) -> MergeRequest | None:
        """The merge request with this id, if the actor may see it now; else None."""

    def merge_requests(self, project: Project, sha: str) -> Sequence[MergeRequest]:
        """The open ones whose head is this commit, into this project or from it; at most 20.

        Those from projects' own branches come first: whoever has a fork can open any number. No
        permission is asked: the plugin evaluates the gates of these.
        """

    def merge_requests_into(self, project: Project, branch: str) -> Sequence[MergeRequest]:
        """The open ones into this branch, at most 20, in the order of `merge_requests`."""

    def commit_url(self, project: Project, sha: str) -> str | None:
        """Path of the page of a commit that the repository has, else None."""

    def read_file(self, project: Project, ref: str, path: str) -> str | None:
        """The text of a file as of a branch or sha; None if there is no such file.

        Raises `ValueError` with a sentence for what is no UTF-8, or larger than 64 KiB.
        """

    def reachable(self, project: Project, shas: Collection[str], ref: str) -> Collection[str]:
        """Those of the shas that are the head of `ref` (a branch or sha) or ancestors of it."""

    def set_commit_status(
        self,
        project: Project,
        sha: str,
        *,
        name: str,
        state: Literal["pending", "success", "failed"],
        description: str,
        url: str,
    ) -> None:
        """Say of a commit what `name` found, instead of what it said before.

        Within the current transaction. `description` has at most 140 characters, `url` is a path
        of this forge.
        """


@runtime_checkable
class Notifications(Protocol):
    """Optional: tell people something."""

    def notify(self, actor_ids: Collection[str], subject: str, text: str, url: str) -> None:
        """Send a message after the current transaction is committed."""
