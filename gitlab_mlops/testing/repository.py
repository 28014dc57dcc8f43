"""Commits and merge requests: read as of a commit, found by it, and shown to who may see them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from gitlab_mlops.host import Ability, MergeRequest, Project, Repository
from gitlab_mlops.testing.world import World

MAX_FILE = 64 * 1024
"""Bytes of a file that the plugin may be given."""
NO_SHAS = ("0" * 40, "a" * 39, "A" * 40, "a" * 64)
ODD = ("", "-", "..", "/", "a\0b", "\ud800", "ä", "' OR 1=1 --", "x" * 5000, "HEAD~1", "refs/heads")
NO_IDS = ("", "0", "-1", "999999", "no number", "1.0", "1\0", str(2**63))
T = TypeVar("T")


class RepositoryConformance:
    """`Host.repository` as a whole, if the forge has one."""

    def test_the_default_branch_is_there_after_a_commit(self, world: World) -> None:
        project, user = _project(world)
        world.forge.commit(project, user, {"a.txt": b"x"})
        branch = _default(world, project)
        assert _ask(world, lambda part: part.read_file(project, branch, "a.txt")) == "x"

    def test_a_file_is_read_as_of_a_branch_or_a_commit(self, world: World) -> None:
        project, user = _project(world)
        first = world.forge.commit(project, user, {"a/b.yml": "grün".encode()})
        second = world.forge.commit(project, user, {"a/b.yml": b"rot"}, branch="topic")
        for ref, text in {first: "grün", second: "rot", "topic": "rot"}.items():
            assert _read(world, project, ref, "a/b.yml") == text
        assert _read(world, project, _default(world, project), "a/b.yml") == "grün"

    def test_what_is_no_file_is_none(self, world: World) -> None:
        project, user = _project(world)
        sha = world.forge.commit(project, user, {"a/b.yml": b"x"})
        for path in ("a", "b.yml", "a/b.yml/c", "a/../a/b.yml", ".git/config", *ODD):
            assert _read(world, project, sha, path) is None, path
        for ref in (*NO_SHAS, *ODD):
            assert _read(world, project, ref, "a/b.yml") is None, ref

    @pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * (MAX_FILE + 1)])
    def test_a_file_that_cannot_be_shown_is_a_value_error(
        self, world: World, content: bytes
    ) -> None:
        project, user = _project(world)
        world.forge.commit(project, user, {"a.yml": content})
        branch = _default(world, project)
        with pytest.raises(ValueError, match=r"\w"):
            _read(world, project, branch, "a.yml")

    def test_what_can_be_reached_is_told_from_what_cannot(self, world: World) -> None:
        project, user = _project(world)
        first = world.forge.commit(project, user, {"a.txt": b"1"})
        topic = world.forge.commit(project, user, {"a.txt": b"2"}, branch="topic")
        default, asked = _default(world, project), [topic, first, *NO_SHAS, *ODD]
        assert _reachable(world, project, asked, default) == {first}
        assert _reachable(world, project, asked, "topic") == {first, topic}
        assert _reachable(world, project, asked, first) == {first}
        for ref in (*NO_SHAS, *ODD):
            assert _reachable(world, project, [first], ref) == set(), ref

    def test_a_commit_has_a_page_in_its_own_project_only(self, world: World) -> None:
        project, user = _project(world)
        other, _ = _project(world)
        sha = world.forge.commit(project, user, {"a.txt": b"x"})
        world.forge.commit(other, world.user(other, Ability.WRITE), {"a.txt": b"another"})
        url = _url(world, project, sha)
        assert url is not None, "commit_url() has no page for a commit of the project"
        assert world.browser(user).get(url).status_code == 200
        for place, claimed in [(other, sha), *((project, each) for each in (*NO_SHAS, *ODD))]:
            assert _url(world, place, claimed) is None, claimed

    def test_a_merge_request_has_its_commits_and_follows_its_branch(self, world: World) -> None:
        project, user = _project(world)
        base, first = _branches(world, project, user)
        id = world.forge.open_merge_request(project, user, "topic")
        found = _seen(world, project, id, user)
        assert found.id == id
        assert (found.project_id, found.source_project_id) == (project.id, project.id)
        assert (found.source_branch, found.target_branch) == ("topic", _default(world, project))
        assert (found.head_sha, found.target_sha, found.commits) == (first, base, (first,))
        assert (found.state, bool(found.label), bool(found.title)) == ("opened", True, True)
        second = world.forge.commit(project, user, {"a.txt": b"3"}, branch="topic")
        found = _seen(world, project, id, user)
        assert (found.head_sha, found.commits) == (second, (second, first))

    def test_a_merge_request_is_found_by_its_head_and_by_its_target(self, world: World) -> None:
        project, user = _project(world)
        base, old = _branches(world, project, user)
        id, default = (
            world.forge.open_merge_request(project, user, "topic"),
            _default(world, project),
        )
        assert [_by_head(world, project, sha) for sha in (old, base)] == [[id], []]
        assert [_into(world, project, branch) for branch in (default, "topic")] == [[id], []]
        new = world.forge.commit(project, user, {"a.txt": b"3"}, branch="topic")
        assert [_by_head(world, project, sha) for sha in (old, new)] == [[], [id]]
        for claimed in (*NO_SHAS, *ODD):
            assert (_by_head(world, project, claimed), _into(world, project, claimed)) == ([], [])

    def test_who_may_not_see_a_merge_request_gets_none(self, world: World) -> None:
        project, user = _project(world)
        _branches(world, project, user)
        id = world.forge.open_merge_request(project, user, "topic")
        found = _seen(world, project, id, user)
        assert world.browser(user).get(found.url).status_code == 200
        outsider = world.user()
        assert _merge_request(world, project, id, world.actor(outsider)) is None
        assert _merge_request(world, project, id, None) is None
        bound = replace(world.actor(user), project_id=project.id + 1)
        assert _merge_request(world, project, id, bound) is None
        world.forge.remove_member(project, user)
        assert _merge_request(world, project, id, world.actor(user)) is None

    def test_no_other_id_finds_a_merge_request(self, world: World) -> None:
        project, user = _project(world)
        _branches(world, project, user)
        world.forge.open_merge_request(project, user, "topic")
        actor = world.actor(user)
        for id in NO_IDS:
            assert _merge_request(world, project, id, actor) is None, id

    def test_a_merged_one_keeps_what_it_brought(self, world: World) -> None:
        project, user = _project(world)
        _, head = _branches(world, project, user)
        id, default = (
            world.forge.open_merge_request(project, user, "topic"),
            _default(world, project),
        )
        before = _seen(world, project, id, user)
        world.forge.merge(project, id, user)
        after = _seen(world, project, id, user)
        assert after == replace(before, state="merged")
        assert (_by_head(world, project, head), _into(world, project, default)) == ([], [])
        assert _reachable(world, project, [head], default) == {head}

    def test_a_merge_request_of_a_fork_says_where_its_code_is_from(self, world: World) -> None:
        project, user = _project(world)
        stranger = world.user(project, Ability.READ)
        world.forge.commit(project, user, {"a.txt": b"1"})
        fork = world.forge.fork(project, stranger)
        head = world.forge.commit(fork, stranger, {"a.txt": b"2"}, branch="topic")
        id = world.forge.open_merge_request(project, stranger, "topic", source_project=fork)
        found = _seen(world, project, id, user)
        assert (found.project_id, found.source_project_id) == (project.id, fork.id)
        assert found.is_from_fork
        assert (found.head_sha, found.commits) == (head, (head,))
        assert [_by_head(world, place, head) for place in (project, fork)] == [[id], [id]]

    def test_a_commit_status_is_the_last_one_that_was_set(self, world: World) -> None:
        project, user = _project(world)
        sha = world.forge.commit(project, user, {"a.txt": b"x"})
        for state in ("pending", "failed", "success"):
            _set_status(world, project, sha, state)
            assert world.forge.commit_statuses(project, sha) == {"mlops/gate": state}
        _set_status(world, project, sha, "failed", commit=False)
        assert world.forge.commit_statuses(project, sha) == {"mlops/gate": "success"}

    def test_a_status_of_a_commit_that_is_not_there_does_nothing(self, world: World) -> None:
        project, user = _project(world)
        world.forge.commit(project, user, {"a.txt": b"x"})
        for sha in (*NO_SHAS, *ODD):
            _set_status(world, project, sha, "failed")


def _project(world: World) -> tuple[Project, Any]:
    """A private project, and a user who may write there."""
    project = world.project()
    return project, world.user(project, Ability.WRITE)


def _branches(world: World, project: Project, user: Any) -> tuple[str, str]:
    """Heads of the default branch and of the branch `topic`, a commit ahead."""
    base = world.forge.commit(project, user, {"a.txt": b"1"})
    return base, world.forge.commit(project, user, {"a.txt": b"2"}, branch="topic")


def _ask(world: World, question: Callable[[Repository], T]) -> T:
    def put(host: Any) -> T:
        assert host.repository is not None, "there are commits, but Host.repository is None"
        return question(host.repository)

    return world.ask(put)


def _default(world: World, project: Project) -> str:
    branch = _ask(world, lambda part: part.default_branch(project))
    assert branch, "default_branch() names none, though there is a commit"
    return branch


def _read(world: World, project: Project, ref: str, path: str) -> str | None:
    return _ask(world, lambda part: part.read_file(project, ref, path))


def _reachable(world: World, project: Project, shas: list[str], ref: str) -> set[str]:
    return _ask(world, lambda part: set(part.reachable(project, shas, ref)))


def _url(world: World, project: Project, sha: str) -> str | None:
    return _ask(world, lambda part: part.commit_url(project, sha))


def _by_head(world: World, project: Project, sha: str) -> list[str]:
    return _ask(world, lambda part: [each.id for each in part.merge_requests(project, sha)])


def _into(world: World, project: Project, branch: str) -> list[str]:
    return _ask(world, lambda part: [each.id for each in part.merge_requests_into(project, branch)])


def _merge_request(world: World, project: Project, id: str, actor: Any) -> MergeRequest | None:
    return _ask(world, lambda part: part.merge_request(actor, project, id))


def _seen(world: World, project: Project, id: str, user: Any) -> MergeRequest:
    found = _merge_request(world, project, id, world.actor(user))
    assert found is not None, "merge_request() does not show a new one to a member"
    return found


def _set_status(
    world: World, project: Project, sha: str, state: Any, *, commit: bool = True
) -> None:
    def put(part: Repository) -> None:
        part.set_commit_status(
            project, sha, name="mlops/gate", state=state, description="d" * 140, url="/x"
        )
        session = world.host.session(project)
        (session.commit if commit else session.rollback)()

    _ask(world, put)
