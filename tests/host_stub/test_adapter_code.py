"""What the plugin is told about commits and merge requests."""

from __future__ import annotations

from typing import Any

import pytest

from gitlab_mlops import Actor
from host_stub import repositories
from host_stub.adapter_code import MAX_COMMITS, MAX_FILE, Repository
from host_stub.database import db
from host_stub.issuables import set_state
from host_stub.merge_requests import MAX_OPEN, MergeRequest, create_merge_request, merge, reopen
from host_stub.permissions import Right, standing
from host_stub.projects import Role, add_member, create_project, fork
from host_stub.statuses import statuses
from host_stub.users import create_user
from tests.host_stub.conftest import Code

HOSTILE = ["", "main\0", "-x", "..", "\ud800", "a" * 41, "A" * 40, "é", "0" * 40, "refs/heads/main"]
part = Repository()


@pytest.fixture
def proposed(code: Code) -> MergeRequest:
    """A merge request of the branch `feature`, which has two commits."""
    code.commit()
    code.commit("feature")
    code.commit("feature")
    return create_merge_request(code.project, code.user, "T")


def seen(code: Code, id_: str = "1", actor: Actor | None = None) -> Any:
    return part.merge_request(actor, code.project.value, id_)


def test_merge_request_is_told_with_its_commits(code: Code, proposed: MergeRequest) -> None:
    heads = repositories.branches(code.project)
    path = code.project.full_path
    found = seen(code)
    assert (found.head_sha, found.target_sha) == (heads["feature"], heads["main"])
    assert (len(found.commits), found.commits[0]) == (2, heads["feature"])
    assert (found.id, found.state, found.is_from_fork) == ("1", "opened", False)
    assert (found.label, found.url) == (f"{path}!1", f"/{path}/-/merge_requests/1")
    assert (found.source_branch, found.target_branch, found.title) == ("feature", "main", "T")


def test_merge_request_without_branches_has_empty_shas(code: Code) -> None:
    create_merge_request(code.project, code.user, "T")
    found = seen(code)
    assert (found.head_sha, found.target_sha, found.commits) == ("", "", ())


def test_merged_one_keeps_what_it_brought(code: Code, proposed: MergeRequest) -> None:
    before = seen(code)
    merge(proposed, code.user)
    code.commit()
    after = seen(code)
    assert after.state == "merged"
    assert (after.head_sha, after.target_sha, after.commits) == (
        before.head_sha, before.target_sha, before.commits,
    )  # fmt: skip


def test_merging_is_not_seen_half_done(code: Code, proposed: MergeRequest, app: Any) -> None:
    before, heard = seen(code), []

    def look(_sender: object, **_more: Any) -> None:
        heard.append(seen(code))

    events = app.extensions["host_stub"]
    with events.branch_moved.connected_to(look, sender=app):
        merge(proposed, code.user)
    assert heard == [before]


def test_conflict_leaves_the_merge_request_as_it_was(code: Code) -> None:
    code.commit(files={"a": "0"})
    code.commit("feature", {"a": "1"})
    proposed = create_merge_request(code.project, code.user, "T")
    code.commit(files={"a": "2"})
    before = seen(code)
    with pytest.raises(repositories.Conflict):
        merge(proposed, code.user)
    assert seen(code) == before


def test_merge_request_is_shown_to_those_who_may_open_its_page(code: Code) -> None:
    code.project.visibility = "private"
    create_merge_request(code.project, code.user, "T")
    guest, reporter = (create_user(f"{name}-of-{code.project.id}") for name in ("gus", "rita"))
    add_member(code.project, guest, Role.GUEST)
    add_member(code.project, reporter, Role.REPORTER)
    db.session.commit()
    stands = {user: standing(user.id, code.project.id) for user in (guest, reporter)}
    assert [s is not None and s.allows(Right.READ) for s in stands.values()] == [False, True]
    assert seen(code, actor=reporter.value) is not None
    assert [seen(code, actor=actor) for actor in (None, guest.value)] == [None, None]
    elsewhere = Actor(str(reporter.id), reporter.username, project_id=code.project.id + 1)
    assert seen(code, actor=elsewhere) is None


@pytest.mark.parametrize("id_", ["", "0", "-1", "2", "1.0", "x", "١", "1\0", str(2**63)])
def test_no_other_id_finds_a_merge_request(code: Code, proposed: MergeRequest, id_: str) -> None:
    assert seen(code, id_) is None


def test_open_merge_requests_are_found_by_their_head(code: Code, proposed: MergeRequest) -> None:
    old = repositories.branch_head(code.project, "feature") or ""
    second = create_merge_request(code.project, code.user, "U", target_branch="other")
    third = create_merge_request(code.project, code.user, "V", source_branch="main",
                                 target_branch="other")  # fmt: skip

    def found(sha: str) -> list[str]:
        return [each.id for each in part.merge_requests(code.project.value, sha)]

    assert found(old) == [str(second.iid), str(proposed.iid)]
    new = code.commit("feature")
    assert (found(old), found(new)) == ([], ["2", "1"])
    set_state(second, code.user, "closed")
    assert found(new) == ["1"]
    newest = code.commit("feature")
    reopen(second, code.user)
    assert found(newest) == ["2", "1"]
    assert found(repositories.branch_head(code.project, "main") or "") == [str(third.iid)]


def test_merge_request_of_a_fork_is_found_from_both_sides(code: Code) -> None:
    code.commit()
    stranger = create_user(f"stranger-of-{code.project.id}")
    copy = fork(code.project, stranger, stranger)
    sha = repositories.commit(copy, "fix", {"a": "1"}, "Fix", stranger)
    create_merge_request(code.project, stranger, "T", source_branch="fix", source_project=copy)
    (here,) = part.merge_requests(code.project.value, sha)
    assert part.merge_requests(copy.value, sha) == [here]
    assert (here.project_id, here.source_project_id) == (code.project.id, copy.id)
    assert here.is_from_fork
    assert here.commits == (sha,)


def test_open_merge_requests_are_found_by_their_target(code: Code, proposed: MergeRequest) -> None:
    create_merge_request(code.project, code.user, "U", source_branch="fix")
    create_merge_request(code.project, code.user, "V", target_branch="other")
    merge(create_merge_request(code.project, code.user, "W", source_branch="x"), code.user)

    def found(branch: str) -> list[str]:
        return [each.id for each in part.merge_requests_into(code.project.value, branch)]

    assert (found("main"), found("other")) == (["2", "1"], ["3"])


def test_a_stranger_crowds_out_no_branch_of_the_project(code: Code) -> None:
    code.commit()
    sha = code.commit("feature")
    create_merge_request(code.project, code.user, "T")
    stranger = create_user(f"crowd-of-{code.project.id}")
    copy = fork(code.project, stranger, stranger)
    for _ in range(MAX_OPEN):
        create_merge_request(code.project, stranger, "U", source_project=copy)
    project = code.project.value
    for found in (part.merge_requests(project, sha), part.merge_requests_into(project, "main")):
        ids = [each.id for each in found]
        assert ids == ["1", *(str(number) for number in range(MAX_OPEN + 1, 2, -1))]


def test_nothing_that_a_client_claims_raises(code: Code, proposed: MergeRequest) -> None:
    project = code.project.value
    for text in HOSTILE:
        assert part.commit_url(project, text) is None
        assert part.read_file(project, text, ".mlops.yml") is None
        assert part.read_file(project, "main", text) is None
        assert not part.reachable(project, [text], "main")
        assert not part.reachable(project, [proposed.known_head or ""], text)
        assert part.merge_requests_into(project, text) == []
        assert part.merge_requests(project, text) == []
        part.set_commit_status(project, text, name="n", state="failed", description="", url="/x")


def test_commit_of_another_project_is_no_commit_here(code: Code) -> None:
    sha = code.commit()
    other = create_project(code.user, "other").value
    assert part.commit_url(other, sha) is None
    assert part.commit_url(code.project.value, sha) == f"/{code.project.full_path}/-/commit/{sha}"
    assert part.commit_url(code.project.value, sha[:8]) is None


def test_default_branch_is_there_with_the_first_commit(code: Code) -> None:
    assert part.default_branch(code.project.value) is None
    code.commit()
    assert part.default_branch(code.project.value) == "main"


def test_file_is_read_as_of_a_branch_or_commit(code: Code) -> None:
    first = code.commit(files={"a/b.yml": "grün"})
    code.commit(files={"a/b.yml": "rot", "large": "x" * (MAX_FILE + 1), "raw": b"\xff"})
    project = code.project.value
    assert part.read_file(project, "main", "a/b.yml") == "rot"
    assert part.read_file(project, first, "a/b.yml") == "grün"
    assert [part.read_file(project, "main", path) for path in ("a", "a/b.yml/c", "no")] == [
        None
    ] * 3
    for path in ("large", "raw"):
        with pytest.raises(ValueError, match=path):
            part.read_file(project, "main", path)


def test_what_is_reachable_is_told_from_what_is_not(code: Code) -> None:
    first, second = code.commit(), code.commit("feature")
    project, both = code.project.value, ["x", first, second]
    assert part.reachable(project, both, "main") == {first}
    assert part.reachable(project, both, "feature") == {first, second}
    assert part.reachable(project, both, first) == {first}


def test_status_is_that_of_a_commit_and_rolled_back_with_the_rest(code: Code) -> None:
    sha = code.commit()
    said = {"name": "mlops/gate", "description": "2 of 3 rules passed", "url": "/x"}
    part.set_commit_status(code.project.value, sha, state="pending", **said)
    db.session.commit()
    part.set_commit_status(code.project.value, sha, state="failed", **said)
    assert [one.state for one in statuses(code.project, sha)] == ["failed"]
    db.session.rollback()
    assert [one.state for one in statuses(code.project, sha)] == ["pending"]


def test_commits_are_bounded(code: Code, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host_stub.adapter_code.MAX_COMMITS", 3)
    assert MAX_COMMITS == 1000
    code.commit()
    newest = [code.commit("feature") for _ in range(5)][:-4:-1]
    create_merge_request(code.project, code.user, "T")
    assert list(seen(code).commits) == newest
