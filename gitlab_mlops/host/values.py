"""The frozen values that a forge and the plugin tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


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
