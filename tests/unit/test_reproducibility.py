"""The badge tells which code a candidate is of, where that is, and who says so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.web.badge import view_of
from gitlab_mlops.host import MergeRequest, Project
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.reproducibility import Badge, badges
from gitlab_mlops.services.stamps import Stamp
from tests.fakes import FakeForge

PROJECT = Project(1, "group/one")
MERGED, PROPOSED, ELSEWHERE = "a" * 40, "b" * 40, "c" * 40
STAMP = Stamp(1, "7", "3", MERGED, "main", "", "/jobs/7", is_from_fork=False)
OPEN = MergeRequest(
    "5", 1, 1, "feature", "main", PROPOSED, MERGED, (PROPOSED,), "opened", "!5", "Better", "/mr/5"
)


@dataclass
class Code:
    """A repository with a commit on its branch, and one in a merge request into it."""

    branch: str | None = "main"
    asked: list[Any] = field(default_factory=list)

    def default_branch(self, project: Project) -> str | None:
        return self.branch

    def reachable(self, project: Project, shas: Collection[str], ref: str) -> Collection[str]:
        assert (project, ref) == (PROJECT, "main")
        self.asked.append(set(shas))
        return {MERGED} & set(shas)

    def merge_requests_into(self, project: Project, branch: str) -> Sequence[MergeRequest]:
        assert (project, branch) == (PROJECT, "main")
        self.asked.append("merge requests")
        return [OPEN]


def candidate(number: int = 1, /, **tags: str) -> CandidateRecord:
    values = (number, 1, 0, number, "e", "n", 3, "", None, None, None, 0, None)
    named = [(key.replace("_", "."), value) for key, value in tags.items()]
    return CandidateRecord(*values, tags=named)


def claiming(sha: str, number: int = 1, /, **tags: str) -> CandidateRecord:
    return candidate(number, mlflow_source_git_commit=sha, **tags)


def look(
    records: Sequence[CandidateRecord], *stamps: Stamp, code: Any = None, **more: Any
) -> list[Badge]:
    """The badges; with `code=None` the forge shows no repository."""
    host = FakeForge(session=None).host(repository=code)  # type: ignore[arg-type]
    access = ReadAccess(None, PROJECT, None)  # type: ignore[arg-type]
    by_id = {each.candidate_id: each for each in stamps}
    return list(badges(access, host, records, by_id, **more).values())


@pytest.mark.parametrize(
    ("stamp", "expected", "level"),
    [
        (STAMP, "default branch", "good"),
        (replace(STAMP, sha=PROPOSED), "merge request", "good"),
        (replace(STAMP, sha=ELSEWHERE), "unknown", "poor"),
        (replace(STAMP, sha=ELSEWHERE, merge_request="9"), "merge request", "good"),
        (replace(STAMP, merge_request="9"), "default branch", "good"),
        (replace(STAMP, sha=""), "none", "poor"),
    ],
)
def test_ci_tells_the_commit_and_the_repository_where_it_is(
    stamp: Stamp, expected: str, level: str
) -> None:
    (found,) = look([candidate()], stamp, code=Code())
    assert found == Badge(expected, ran_in_ci=True)  # type: ignore[arg-type]
    assert found.level == level


@pytest.mark.parametrize(
    ("sha", "expected", "level"),
    [
        (MERGED, "default branch", "fair"),
        (PROPOSED, "merge request", "fair"),
        (ELSEWHERE, "unknown", "poor"),
        ("main", "unknown", "poor"),
        (MERGED[:12], "unknown", "poor"),
        ("\x00" * 40, "unknown", "poor"),
    ],
)
def test_a_claim_is_told_from_a_fact(sha: str, expected: str, level: str) -> None:
    (found,) = look([claiming(sha)], code=Code())
    assert found == Badge(expected, is_claimed=True)  # type: ignore[arg-type]
    assert found.level == level


def test_what_ci_stamped_counts_and_not_what_the_client_claims() -> None:
    (found,) = look([claiming(ELSEWHERE)], STAMP, code=Code())
    assert found == Badge("default branch", ran_in_ci=True)
    (found,) = look([claiming(MERGED)], replace(STAMP, sha=""), code=Code())
    assert found == Badge("default branch", is_claimed=True, ran_in_ci=True)
    assert found.level == "fair"


@pytest.mark.parametrize(
    ("said", "expected"), [("True", True), ("false", False), ("maybe", None), ("", None)]
)
def test_changes_in_no_commit_are_told_if_the_client_tells_them(
    said: str, expected: bool | None
) -> None:
    (found,) = look([candidate(mlflow_source_git_dirty=said)], STAMP, code=Code())
    assert found.is_dirty is expected
    assert found.level == ("poor" if expected else "good")


def test_what_was_altered_is_no_longer_good() -> None:
    (found,) = look([candidate()], replace(STAMP, is_altered=True), code=Code())
    assert (found.is_altered, found.level) == (True, "poor")


def test_without_a_repository_only_what_is_known_is_said() -> None:
    records = [candidate(1), claiming(MERGED, 2), candidate(3)]
    found = look(records, STAMP, code=None)
    assert [each.commit for each in found] == ["unchecked", "unchecked", "none"]
    assert [each.level for each in found] == ["fair", "fair", "poor"]
    assert [view_of(each).words for each in found] == ["CI", "claimed", "no commit"]


def test_an_empty_repository_has_no_commit() -> None:
    (found,) = look([claiming(MERGED)], code=Code(branch=None))
    assert found.commit == "unknown"


def test_the_repository_is_asked_once_for_all_and_only_what_it_can_answer() -> None:
    code = Code()
    records = [claiming(sha, n) for n, sha in enumerate([MERGED, PROPOSED, ELSEWHERE, "x"] * 20)]
    places = [each.commit for each in look(records, code=code)]
    assert places == ["default branch", "merge request", "unknown", "unknown"] * 20
    assert code.asked == [{MERGED, PROPOSED, ELSEWHERE}, "merge requests"]
    code.asked.clear()
    look([claiming(MERGED)], code=code)
    look([candidate(), claiming("x", 2)], code=code)
    assert code.asked == [{MERGED}]


def test_who_claims_the_commit_of_a_merge_request_job_is_found_there_too() -> None:
    stamp = replace(STAMP, sha=PROPOSED, merge_request="5")
    both = look([claiming(PROPOSED, 2), candidate(1)], stamp, code=Code())
    assert [each.commit for each in both] == ["merge request"] * 2


def test_who_knows_where_the_commits_are_asks_nobody() -> None:
    code = Code()
    (found,) = look([claiming(ELSEWHERE)], code=code, known={ELSEWHERE: "merge request"})
    assert (found.commit, code.asked) == ("merge request", [])


@pytest.mark.parametrize(
    ("badge", "words", "brief"),
    [
        (Badge("default branch", ran_in_ci=True), "CI · default branch", "CI"),
        (Badge("merge request", ran_in_ci=True), "CI · merge request", "CI · unmerged"),
        (
            Badge("unknown", is_claimed=True, is_dirty=True),
            "claimed · commit unknown · dirty",
            "claimed · unknown · dirty",
        ),
        (Badge("none"), "no commit", "no commit"),
        (Badge("unchecked", ran_in_ci=True, is_altered=True), "CI · altered", "CI · altered"),
    ],
)
def test_the_badge_is_a_few_words(badge: Badge, words: str, brief: str) -> None:
    shown = view_of(badge)
    assert (shown.words, shown.brief) == (words, brief)


@pytest.mark.parametrize(
    ("badge", "sentence"),
    [
        (
            Badge("default branch", is_claimed=True, is_dirty=True),
            "The client says that it is of a commit of the default branch. It says that the code"
            " had changes that are in no commit.",
        ),
        (
            Badge("default branch", ran_in_ci=True, is_dirty=True, is_altered=True),
            "CI ran a commit of the default branch. The client says that the code had changes that"
            " are in no commit. Later, somebody else than CI logged metrics, parameters or files.",
        ),
        (
            Badge("unchecked", is_claimed=True, ran_in_ci=True),
            "It ran in CI. The client says that it is of a commit.",
        ),
        (Badge("none"), "Nobody said which commit it is of."),
        (Badge("none", ran_in_ci=True), "CI ran code of which nobody knows the commit."),
    ],
)
def test_a_sentence_says_what_the_words_mean(badge: Badge, sentence: str) -> None:
    assert view_of(badge).sentence == sentence
