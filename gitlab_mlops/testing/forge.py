"""`Forge`: what the suite asks of a forge, as its people would do it. The author implements it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NoReturn

import pytest
from flask import Flask
from flask.testing import FlaskClient

from gitlab_mlops.host import Ability, Credential, Project, Source

Scheme = Literal["bearer", "basic", "private-token", "job-token"]
Visibility = Literal["private", "internal", "public"]


def unsupported(reason: str) -> NoReturn:
    """Say that this forge does not have something; the test that needs it is skipped."""
    pytest.skip(f"this forge has no such thing: {reason}")


class Forge(ABC):
    """One forge of a test: `app` with the plugin mounted, over an empty database.

    The constructor makes the tables of both, the plugin's by `gitlab_mlops.migrations.upgrade`,
    and sets `MLOPS_ARTIFACTS_URL` to a folder of the test's own. It sends no request.

    Methods do what they say the way the forge's own pages do, and commit. What they return for
    users is opaque to the suite. Those that call `unsupported` here are optional.
    """

    app: Flask

    schemes: ClassVar[tuple[Scheme, ...]] = ("bearer",)
    """Ways to send an access token that this forge takes."""
    visibilities: ClassVar[tuple[Visibility, ...]] = ("private", "internal", "public")
    """Who sees a project: its members, everybody signed in, everybody."""
    scopes: ClassVar[dict[Ability, str] | None] = {Ability.READ: "read_api", Ability.WRITE: "api"}
    """The scope of a token that may read, and of one that may write; None: there are none."""
    mark: ClassVar[str]
    """A text that is in the HTML of every page of a project, and in no page without the frame."""

    @abstractmethod
    def add_user(self) -> Any:
        """A new user, with any name."""

    @abstractmethod
    def add_project(self, visibility: Visibility) -> Project:
        """A new project with a path of its own, and no member that the suite knows."""

    @abstractmethod
    def rename_project(self, project: Project) -> Project:
        """Give the project another path."""

    @abstractmethod
    def delete_project(self, project: Project) -> None:
        """Delete the project for good."""

    @abstractmethod
    def add_member(self, project: Project, user: Any, ability: Ability) -> None:
        """Give the user the lowest role in the project that has this ability."""

    @abstractmethod
    def remove_member(self, project: Project, user: Any) -> None:
        """Take the user's role in the project away."""

    @abstractmethod
    def add_token(
        self, user: Any, scheme: Scheme, scope: str | None, *, expired: bool = False
    ) -> Credential:
        """A new access token of the user, as a request would send it by this scheme.

        Call `unsupported` for `expired` if tokens of this forge never expire.
        """

    @abstractmethod
    def revoke_token(self, credential: Credential) -> None:
        """End this token."""

    @abstractmethod
    def sign_in(self, client: FlaskClient, user: Any) -> None:
        """Sign the user in, in this browser."""

    def block_user(self, user: Any) -> None:
        """Block the user."""
        unsupported("users cannot be blocked")

    def projects_by_prefix(self) -> Mapping[str, Project]:
        """For each of `chrome.web_prefixes`, a new public project whose page is below it."""
        (prefix,) = self.app.extensions["mlops"].host.chrome.web_prefixes
        return {prefix: self.add_project("public")}

    def add_project_token(self, project: Project, ability: Ability) -> Credential:
        """A token bound to the project, with this ability there."""
        unsupported("there are no tokens of projects")

    def start_job(self, project: Project, user: Any) -> tuple[str, Credential]:
        """Start a CI job as the user: its id, and the token that it gets."""
        unsupported("there is no CI")

    def finish_job(self, project: Project, job_id: str) -> None:
        """End the job, and so its token."""
        unsupported("there is no CI")

    def save_text(
        self, project: Project, user: Any, text: str, source: Source | None = None
    ) -> Source:
        """Open an issue or merge request that says `text`, or change what `source` says."""
        unsupported("there are no texts that mention candidates")

    def delete_text(self, project: Project, source: Source) -> None:
        """Delete the issue or merge request."""
        unsupported("issues and merge requests cannot be deleted")

    def commit(
        self, project: Project, user: Any, files: Mapping[str, bytes], *, branch: str | None = None
    ) -> str:
        """Change files of the default branch, or of `branch`; the commit's sha.

        A branch that is missing begins at the default branch. Send what you send for a push.
        """
        unsupported("there are no repositories")

    def fork(self, project: Project, user: Any) -> Project:
        """Copy the project, with its branches, to where the user may write."""
        unsupported("projects cannot be forked")

    def open_merge_request(
        self, project: Project, user: Any, branch: str, *, source_project: Project | None = None
    ) -> str:
        """Open a merge request of a branch into the default branch of the project; its id.

        The branch is one of `source_project`, a fork, if that is given.
        """
        unsupported("there are no merge requests")

    def merge(self, project: Project, merge_request: str, user: Any) -> None:
        """Merge it."""
        unsupported("merge requests cannot be merged")

    def commit_statuses(self, project: Project, sha: str) -> Mapping[str, str]:
        """What is said of a commit: states by name."""
        unsupported("commits have no statuses")

    def close(self) -> None:  # noqa: B027 - most have nothing to do
        """Free what the constructor took, after the test."""
