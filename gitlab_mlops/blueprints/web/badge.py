"""The badge that tells how well a candidate can be made again, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.services import reproducibility
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.reproducibility import Badge, Commit
from gitlab_mlops.services.stamps import Stamp

_WORDS: Mapping[Commit, str] = {
    "default branch": "default branch",
    "merge request": "merge request",
    "unknown": "commit unknown",
    "unchecked": "",
    "none": "no commit",
}
# A cell of a table names the branch anyway.
_BRIEF: Mapping[Commit, str] = {
    **_WORDS,
    "default branch": "",
    "merge request": "unmerged",
    "unknown": "unknown",
}
_OF: Mapping[Commit, str] = {
    "default branch": "a commit of the default branch",
    "merge request": "a commit that is in a merge request, but not on the default branch",
    "unknown": "a commit that is neither on the default branch nor in an open merge request; it "
    "may be gone, or go",
    "unchecked": "a commit",
    "none": "code of which nobody knows the commit",
}


@dataclass(frozen=True, slots=True)
class BadgeView:
    """A badge for `badge` in `mlops/macros.html`: words, and a sentence what they mean.

    `brief` has fewer words, for a cell of a table.
    """

    level: Literal["good", "fair", "poor"]
    words: str
    brief: str
    sentence: str
    is_claimed: bool

    @property
    def icon(self) -> str:
        """The name of its icon."""
        return {"good": "finished", "fair": "unsure", "poor": "warning"}[self.level]


def badges_of(
    access: ReadAccess,
    records: Iterable[CandidateRecord],
    stamps: Mapping[int, Stamp],
    known: Mapping[str, Commit] | None = None,
) -> dict[int, BadgeView]:
    """The badges of candidates of the project by internal id; the records need their tags.

    `known` are commits of which the page tells where they are, so that the badges need not.
    """
    found = reproducibility.badges(access, mounted().host, records, stamps, known)
    return {id_: view_of(badge, names_place=known is None) for id_, badge in found.items()}


def view_of(badge: Badge, *, names_place: bool = True) -> BadgeView:
    """A badge in words; with `names_place` also those that tell where the commit is."""
    it = "It" if badge.is_claimed else "The client"
    sentences = (
        _origin(badge),
        f"{it} says that the code had changes that are in no commit." if badge.is_dirty else "",
        "Later, somebody else than CI logged metrics, parameters or files."
        if badge.is_altered
        else "",
    )
    return BadgeView(
        badge.level,
        _joined(badge, _WORDS[badge.commit] if names_place else ""),
        _joined(badge, _BRIEF[badge.commit]),
        " ".join(filter(None, sentences)),
        badge.is_claimed,
    )


def _joined(badge: Badge, commit: str) -> str:
    words = (
        "CI" if badge.ran_in_ci else "",
        "claimed" if badge.is_claimed else "",
        commit,
        "dirty" if badge.is_dirty else "",
        "altered" if badge.is_altered else "",
    )
    return " · ".join(filter(None, words))


def _origin(badge: Badge) -> str:
    """Which code it is of, and who says so."""
    if badge.is_claimed:
        ci = "It ran in CI. " if badge.ran_in_ci else ""
        return f"{ci}The client says that it is of {_OF[badge.commit]}."
    if badge.ran_in_ci:
        return f"CI ran {_OF[badge.commit]}."
    return "Nobody said which commit it is of."
