"""Whether a candidate can be made again: which code it is of, where that is, and who says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.host import Host, Project, Repository
from gitlab_mlops.models import COMMIT_TAG
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.stamps import Stamp

# Of several tags the first counts that is there; GitLab's own names come from its runner.
COMMIT_TAGS = (COMMIT_TAG, "mlflow.git.commit", "gitlab.CI_COMMIT_SHA")
DIRTY_TAGS = ("mlflow.source.git.dirty", "mlflow.git.dirty")

Commit = Literal["default branch", "merge request", "unknown", "unchecked", "none"]
"""Where the commit is: on the default branch; only in a merge request; neither; nobody can tell,
because the forge shows no repository; no commit is named."""
_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class Badge:
    """What there is to make a candidate again. `ran_in_ci` and `is_altered` are facts, as stamped.

    `is_claimed`: only the client names the commit. `is_dirty`: the code had changes that are in no
    commit; always the client's word, None if it says nothing.
    """

    commit: Commit
    is_claimed: bool = False
    is_dirty: bool | None = None
    ran_in_ci: bool = False
    is_altered: bool = False

    @property
    def level(self) -> Literal["good", "fair", "poor"]:
        """Good: CI measured a commit that stays. Fair: so they say. Poor: it cannot be made again,
        or not the same.
        """
        if self.is_dirty or self.is_altered or self.commit in ("unknown", "none"):
            return "poor"
        is_fact = self.ran_in_ci and not self.is_claimed and self.commit != "unchecked"
        return "good" if is_fact else "fair"


def badges(
    access: ReadAccess,
    host: Host,
    records: Iterable[CandidateRecord],
    stamps: Mapping[int, Stamp],
    known: Mapping[str, Commit] | None = None,
) -> dict[int, Badge]:
    """The badges of candidates of the project by internal id; the records need their tags.

    The forge is asked about all commits at once, whether the project's own repository has them
    where they stay. That holds for claimed ones too; nothing else is looked up for a claim. Who
    knows where the commits are gives them in `known`; then nobody is asked.
    """
    named = {each.id: _named(dict(each.tags), stamps.get(each.id)) for each in records}
    places = known
    if places is None:
        places = _places(host.repository, access.project, named.values())
    return {id_: each.badge(places) for id_, each in named.items()}


def is_dirty(tags: Mapping[str, str]) -> bool | None:
    """Whether the client says that the code had changes in no commit; None if it says nothing."""
    return {"true": True, "false": False}.get(first_of(tags, DIRTY_TAGS).lower())


def first_of(tags: Mapping[str, str], keys: Iterable[str]) -> str:
    """The value of the first of the tags that says something; empty if none does."""
    return next((said for key in keys if (said := tags.get(key, "").strip())), "")


@dataclass(frozen=True, slots=True)
class _Named:
    """The commit that is named for a candidate, empty if none is, and by whom."""

    sha: str
    is_dirty: bool | None
    stamp: Stamp | None

    @property
    def is_claimed(self) -> bool:
        """Whether a client names it, and no job."""
        return bool(self.sha) and (self.stamp is None or not self.stamp.sha)

    @property
    def is_of_merge_request(self) -> bool:
        """Whether CI ran it for a merge request."""
        return self.stamp is not None and bool(self.stamp.sha and self.stamp.merge_request)

    def badge(self, places: Mapping[str, Commit] | None) -> Badge:
        """The badge, by where the commits are; None if that cannot be told."""
        return Badge(
            self._commit(places),
            self.is_claimed,
            self.is_dirty,
            ran_in_ci=self.stamp is not None,
            is_altered=self.stamp is not None and self.stamp.is_altered,
        )

    def _commit(self, places: Mapping[str, Commit] | None) -> Commit:
        if not self.sha:
            return "none"
        if places is None:
            return "unchecked"
        return places.get(self.sha, "merge request" if self.is_of_merge_request else "unknown")


def _named(tags: Mapping[str, str], stamp: Stamp | None) -> _Named:
    stamped = stamp.sha if stamp is not None else ""
    return _Named(stamped or first_of(tags, COMMIT_TAGS), is_dirty(tags), stamp)


def _places(
    repository: Repository | None, project: Project, named: Iterable[_Named]
) -> Mapping[str, Commit] | None:
    """Where the commits are that somebody could find again."""
    if repository is None:
        return None
    wanted = [each for each in named if _is_full(each.sha)]
    branch = repository.default_branch(project) if wanted else None
    if branch is None:
        return {}
    merged = repository.reachable(project, {each.sha for each in wanted}, branch)
    places: dict[str, Commit] = dict.fromkeys(merged, "default branch")
    elsewhere = {each.sha for each in wanted if not each.is_of_merge_request} - places.keys()
    if elsewhere:
        # As many questions for a table of candidates as for one: not one for each commit.
        opened = repository.merge_requests_into(project, branch)
        proposed = elsewhere.intersection(sha for each in opened for sha in each.commits)
        places.update(dict.fromkeys(proposed, "merge request"))
    return places


def _is_full(sha: str) -> bool:
    """Whether a text can be the whole name of a commit; clients claim anything."""
    return len(sha) in (40, 64) and _HEX.issuperset(sha)
