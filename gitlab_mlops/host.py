"""What the plugin asks of a forge: frozen values, and a Protocol for each part of the adapter.

`docs/adapters.md` explains each method to somebody who writes an adapter, and
`gitlab_mlops.testing` checks an adapter against these contracts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from blinker import Signal

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from sqlalchemy.orm import Session


class Ability(StrEnum):
    """What an actor may do with the experiments of a project; each includes the ones before."""

    READ = "read"
    WRITE = "write"
    MAINTAIN = "maintain"


@dataclass(frozen=True, slots=True)
class Job:
    """A CI job whose token authenticated the request. Everything in it is the forge's own fact.

    `source_project_id` is the project whose code runs, if that is another one: a job of the
    project for a merge request of its fork.
    """

    id: str
    project_id: int
    pipeline_id: str = ""
    sha: str = ""
    ref: str = ""
    merge_request: str = ""
    url: str = ""
    source_project_id: int | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person, a bot or a job, as the forge knows them.

    `id` is stable for ever and never given to somebody else. `scopes` is None for a session in
    the browser, or for a forge whose tokens carry no scopes; otherwise the token's scope names.
    `project_id` binds a credential to one project: it sees nothing else.
    """

    id: str
    username: str
    name: str = ""
    url: str = ""
    scopes: frozenset[str] | None = None
    project_id: int | None = None
    job: Job | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """A project of the forge. `id` never changes; `path` (`group/name`) may."""

    id: int
    path: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request brought to authenticate itself, taken from its headers by the plugin.

    `bearer` is `Authorization: Bearer`, `basic` the password of `Authorization: Basic` (with its
    user name), `private-token` and `job-token` are GitLab's headers of those names.
    """

    scheme: Literal["bearer", "basic", "private-token", "job-token"]
    secret: str = field(repr=False)
    username: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A text that can mention candidates: a merge request, an issue, or a comment on one.

    `kind` and `id` are the forge's own, and together with `project_id` they name the place for
    ever. Comments count as their merge request or issue unless the forge gives them an own id.
    """

    project_id: int
    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class SourceLink:
    """How a `Source` shows on a candidate's page, to a reader who may see it."""

    label: str
    title: str
    url: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """A merge request of `project_id`, with the commits that it brings.

    `id` is the forge's own, the same as in `Job.merge_request`. `source_project_id` is another
    project if the branch is a fork's. `head_sha` is the newest commit of the source branch,
    `target_sha` that of the target branch; once merged, what both were just before. `commits`
    are shas, the newest first, at most 1,000. Shas are empty where there is no such branch.
    """

    id: str
    project_id: int
    source_project_id: int
    source_branch: str
    target_branch: str
    head_sha: str
    target_sha: str
    commits: tuple[str, ...]
    state: Literal["opened", "merged", "closed"]
    label: str
    title: str
    url: str

    @property
    def is_from_fork(self) -> bool:
        """Whether the code that it brings is another project's."""
        return self.source_project_id != self.project_id


@dataclass(frozen=True, slots=True)
class Admitted:
    """What a forge says of one API request at once: who acts, where, and what they may do there.

    `actor` is None for a bad credential, `project` for one that does not exist. `abilities` go by
    role alone, as in `Permissions`: they may hold more than the credential is good for.
    """

    actor: Actor | None
    project: Project | None = None
    abilities: frozenset[Ability] = frozenset()


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


@dataclass(frozen=True)
class Events:
    """Optional: blinker signals that the forge sends and the plugin listens to.

    Send with the Flask application as the sender, inside the transaction that makes the change,
    from a web or a worker process. Nothing is committed by the receivers. A forge that sends
    none of them works: mentions are not recorded, and the data of deleted projects stays until
    `flask mlops purge-project`.
    """

    text_saved: Signal = field(default_factory=lambda: Signal("mlops host: text saved"))
    """A description or comment was created or edited: `source: Source`, `project: Project`,
    `text: str` (everything the source says now), `actor: Actor` (who wrote it). Instead of
    `text`, `html: str` may be sent, rendered as for `MLOps.link_references`: with Markdown the
    plugin can only guess what is code."""
    text_deleted: Signal = field(default_factory=lambda: Signal("mlops host: text deleted"))
    """A source is gone: `source: Source`, `project: Project`."""
    project_deleted: Signal = field(default_factory=lambda: Signal("mlops host: project deleted"))
    """A project is gone: `project: Project`."""
    project_renamed: Signal = field(default_factory=lambda: Signal("mlops host: project renamed"))
    """A project has another path: `project: Project` (with the new one), `old_path: str`."""
    user_removed: Signal = field(default_factory=lambda: Signal("mlops host: user removed"))
    """An account is gone for ever: `actor: Actor`."""
    state_changed: Signal = field(default_factory=lambda: Signal("mlops host: state changed"))
    """A merge request or issue was opened (the first time, too, or with another target branch),
    merged or closed: `source: Source`, `project: Project`, `state: str` (`opened`, `merged` or
    `closed`), `actor: Actor`."""
    branch_moved: Signal = field(default_factory=lambda: Signal("mlops host: branch moved"))
    """A branch has other commits: `project: Project`, `branch: str`, `old: str` and `new: str`
    (shas; empty if it was made or deleted), `actor: Actor`. Sent when merge requests know it."""
    pipeline_finished: Signal = field(
        default_factory=lambda: Signal("mlops host: pipeline finished")
    )
    """The last job of a pipeline ended: `project: Project` (whose pipeline it is), `ref: str`,
    `sha: str`, `pipeline_id: str`, `status: str`, `merge_request: str` (its id, or empty)."""


@dataclass(frozen=True)
class Host:
    """Everything that a forge hands over to the plugin.

    `session(project)` gives the SQLAlchemy session for the project's data, and `engines()` every
    database that such sessions reach, for the migrations. One database is the usual case.
    """

    identity: Identity
    projects: Projects
    permissions: Permissions
    chrome: Chrome
    session: Callable[[Project], Session]
    engines: Callable[[], Sequence[Engine]]
    references: References | None = None
    events: Events = field(default_factory=Events)
    ci: CI | None = None
    notifications: Notifications | None = None
    repository: Repository | None = None
    admission: Admission | None = None
