"""Merge requests over real branches: of one project, and from a fork of it."""

from __future__ import annotations

from typing import Any

import pytest

from gitlab_mlops import Source
from host_stub import repositories
from host_stub.database import db
from host_stub.issuables import set_state
from host_stub.merge_requests import (
    MergeRequest,
    base_sha,
    commits_of,
    create_merge_request,
    head_sha,
    merge,
    reopen,
    source_project,
    target_sha,
)
from host_stub.projects import Project, create_project, delete_project, fork
from host_stub.users import User, create_user
from tests.host_stub.conftest import Announced, Code


def shas(merge_request: MergeRequest) -> list[str]:
    return [info.sha for info in commits_of(merge_request)]


@pytest.fixture
def proposed(code: Code) -> MergeRequest:
    """A merge request of the branch `feature`, which has two commits."""
    code.commit()
    code.commit("feature")
    code.commit("feature")
    return create_merge_request(code.project, code.user, "T")


@pytest.fixture
def stranger(code: Code) -> User:
    """Somebody without a role in the project."""
    return create_user(f"stranger-of-{code.project.id}")


@pytest.fixture
def copy(code: Code, stranger: User) -> Project:
    """The stranger's fork of the project, which has one commit."""
    code.commit()
    return fork(code.project, stranger, stranger)


def test_merge_request_without_branches_has_no_commits(code: Code) -> None:
    merge_request = create_merge_request(code.project, code.user, "T")
    assert (head_sha(merge_request), base_sha(merge_request)) == (None, None)
    assert shas(merge_request) == []
    merge(merge_request, code.user)
    assert merge_request.state == "merged"
    assert repositories.branches(code.project) == {}


def test_merge_request_has_the_commits_of_its_branch(code: Code, proposed: MergeRequest) -> None:
    head = repositories.branch_head(code.project, "feature")
    main = repositories.branch_head(code.project, "main")
    assert (head_sha(proposed), base_sha(proposed), target_sha(proposed)) == (head, main, main)
    assert len(shas(proposed)) == 2


def test_merge_request_follows_its_branch(code: Code, proposed: MergeRequest) -> None:
    new = code.commit("feature")
    code.commit("other")
    assert head_sha(proposed) == new
    assert shas(proposed)[0] == new


def test_merge_request_opened_before_its_branch_finds_it_later(code: Code) -> None:
    merge_request = create_merge_request(code.project, code.user, "T")
    code.commit()
    assert head_sha(merge_request) is None
    assert shas(merge_request) == []
    new = code.commit("feature")
    assert shas(merge_request) == [new]


def test_merge_base_stays_when_the_target_moves_on(code: Code, proposed: MergeRequest) -> None:
    base = base_sha(proposed)
    news = code.commit()
    assert (base_sha(proposed), target_sha(proposed)) == (base, news)
    repositories.merge(code.project, "main", "feature", code.user)
    assert base_sha(proposed) == news
    assert len(shas(proposed)) == 3  # and the merge


def test_merging_moves_the_target_and_keeps_what_there_was(
    code: Code, proposed: MergeRequest
) -> None:
    main = code.commit()
    base, head, listed = base_sha(proposed), head_sha(proposed), shas(proposed)
    merge(proposed, code.user)
    merged = repositories.branch_head(code.project, "main")
    info = repositories.commit_info(code.project, merged or "")
    assert info is not None
    assert info.parents == (main, head)
    assert info.body == "T\n\nMerge request !1"
    code.commit("feature")
    repositories.delete_branch(code.project, "feature", code.user)
    code.commit()
    assert (base_sha(proposed), head_sha(proposed), shas(proposed)) == (base, head, listed)
    assert (proposed.state, target_sha(proposed)) == ("merged", main)


def test_merging_in_a_straight_line_keeps_the_commits_too(
    code: Code, proposed: MergeRequest
) -> None:
    before = (base_sha(proposed), shas(proposed))
    merge(proposed, code.user)
    assert repositories.branch_head(code.project, "main") == head_sha(proposed)
    assert (base_sha(proposed), shas(proposed)) == before


def test_conflict_leaves_the_merge_request_open(code: Code) -> None:
    code.commit(files={"a": "0"})
    code.commit("feature", {"a": "1"})
    main = code.commit(files={"a": "2"})
    merge_request = create_merge_request(code.project, code.user, "T")
    with pytest.raises(repositories.Conflict):
        merge(merge_request, code.user)
    assert merge_request.state == "opened"
    assert repositories.branch_head(code.project, "main") == main


def test_closed_merge_request_stays_where_it_was_until_it_is_reopened(
    code: Code, proposed: MergeRequest
) -> None:
    head = head_sha(proposed)
    set_state(proposed, code.user, "closed")
    new = code.commit("feature")
    assert head_sha(proposed) == head
    reopen(proposed, code.user)
    assert head_sha(proposed) == new


@pytest.mark.parametrize(
    "branches",
    [
        {"source_branch": "a..b"},
        {"target_branch": "-x"},
        {"source_branch": "x" * 256},
        {"source_branch": "same", "target_branch": "same"},
    ],
)
def test_branches_that_cannot_be_are_refused(code: Code, branches: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="branch"):
        create_merge_request(code.project, code.user, "T", **branches)


def test_fork_has_the_branches_and_goes_its_own_way(
    code: Code, copy: Project, stranger: User
) -> None:
    assert copy.forked_from_id == code.project.id
    assert copy.visibility == code.project.visibility
    assert repositories.branches(copy) == repositories.branches(code.project)
    sha = repositories.commit(copy, "main", {"a": "x"}, "Mine", stranger)
    assert repositories.commit_info(code.project, sha) is None
    assert repositories.branch_head(code.project, "main") != sha


def test_fork_takes_no_merge_requests_and_no_lost_commits_along(
    code: Code, proposed: MergeRequest, stranger: User
) -> None:
    lost = head_sha(proposed) or ""
    repositories.delete_branch(code.project, "feature", code.user)
    copy = fork(code.project, stranger, stranger)
    assert repositories.commit_info(code.project, lost) is not None
    assert repositories.commit_info(copy, lost) is None


def test_fork_of_an_empty_project_is_empty(code: Code, stranger: User) -> None:
    assert repositories.branches(fork(code.project, stranger, stranger)) == {}


def test_fork_needs_a_free_place_of_ones_own(code: Code, copy: Project, stranger: User) -> None:
    with pytest.raises(ValueError, match="taken"):
        fork(code.project, stranger, stranger)
    with pytest.raises(ValueError, match="your namespaces"):
        fork(code.project, code.project.namespace, stranger)


def test_merge_request_from_a_fork_brings_its_commits_over(
    code: Code, copy: Project, stranger: User
) -> None:
    first = repositories.commit(copy, "fix", {"a": "1"}, "Fix", stranger)
    merge_request = create_merge_request(
        code.project, stranger, "T", source_branch="fix", source_project=copy
    )
    assert merge_request.is_from_fork
    assert source_project(merge_request) is copy
    assert shas(merge_request) == [first]
    second = repositories.commit(copy, "fix", {"a": "2"}, "Fix more", stranger)
    code.commit("fix")  # a branch of the same name here is another one
    assert shas(merge_request) == [second, first]
    assert repositories.branch_head(copy, "main") == base_sha(merge_request)
    merge(merge_request, code.user)
    assert repositories.file_at(code.project, "main", "a") == b"2"


def test_merge_request_outlives_its_fork(code: Code, copy: Project, stranger: User) -> None:
    sha = repositories.commit(copy, "fix", {"a": "1"}, "Fix", stranger)
    merge_request = create_merge_request(
        code.project, stranger, "T", source_branch="fix", source_project=copy
    )
    delete_project(copy)
    db.session.commit()
    assert merge_request.is_from_fork
    assert source_project(merge_request) is None
    assert shas(merge_request) == [sha]
    merge(merge_request, code.user)
    assert repositories.branch_head(code.project, "main") == sha


def test_only_a_fork_of_the_project_can_be_the_source(code: Code) -> None:
    other = create_project(code.user, "other")
    with pytest.raises(ValueError, match="no fork"):
        create_merge_request(code.project, code.user, "T", source_project=other)


def test_forge_tells_of_branches_and_states_inside_of_the_transaction(
    code: Code, told: list[Announced]
) -> None:
    first = code.commit()
    second = code.commit("feature")
    merge_request = create_merge_request(code.project, code.user, "T")
    third = code.commit()
    merge(merge_request, code.user)
    repositories.delete_branch(code.project, "feature", code.user)
    merged = repositories.branch_head(code.project, "main")
    moves = [one.values for one in told if one.name == "branch_moved"]
    assert [(move["branch"], move["old"], move["new"]) for move in moves] == [
        ("main", "", first),
        ("feature", "", second),
        ("main", first, third),
        ("main", third, merged),
        ("feature", second, ""),
    ]
    assert {move["project"].id for move in moves} == {code.project.id}
    assert {move["actor"].username for move in moves} == {code.user.username}
    states = [one.values for one in told if one.name == "state_changed"]
    source = Source(code.project.id, "merge_request", "1")
    assert [(s["source"], s["state"]) for s in states] == [(source, "opened"), (source, "merged")]
    assert all(one.in_transaction for one in told)


def test_merge_request_is_already_at_the_new_commit_when_the_plugin_hears_of_it(
    code: Code, proposed: MergeRequest, told: list[Announced], app: Any
) -> None:
    seen: list[str | None] = []

    def look(_sender: object, **_more: Any) -> None:
        seen.append(head_sha(proposed))

    app.extensions["host_stub"].branch_moved.connect(look)
    assert seen == [] != [code.commit("feature")]
    assert seen == [head_sha(proposed)]
