"""The conformance suite finds what is wrong with an adapter's part about code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitlab_mlops import MergeRequest
from gitlab_mlops.testing import AdapterConformance
from gitlab_mlops.testing.world import World
from host_stub import issuables, merge_requests, repositories, statuses
from host_stub.adapter_code import Repository, _value
from host_stub.database import db
from tests.test_conformance import StubForge

Method = Callable[..., Any]
HEAD = "test_a_merge_request_is_found_by_its_head_and_by_its_target"
COMMITS = "test_a_merge_request_has_its_commits_and_follows_its_branch"


def to_everybody(_real: Method) -> Method:
    """No right is asked for."""

    def merge_request(self: Repository, actor: Any, project: Any, id: str) -> MergeRequest | None:
        found = issuables.find(merge_requests.MergeRequest, project.id, int(id))
        return _value(found) if isinstance(found, merge_requests.MergeRequest) else None

    return merge_request


def changed(**values: Any) -> Callable[[Method], Method]:
    """A merge request of which something is told wrongly."""

    def defect(real: Method) -> Method:
        def merge_request(self: Repository, *given: Any) -> MergeRequest | None:
            found = real(self, *given)
            new = {name: value(found) for name, value in values.items()} if found else {}
            return found and replace(found, **new)

        return merge_request

    return defect


def lossy(_real: Method) -> Method:
    """What is no UTF-8 is read all the same."""

    def read_file(self: Repository, project: Any, ref: str, path: str) -> str | None:
        content = repositories.file_at(project, ref, path)
        return None if content is None else content.decode(errors="replace")

    return read_file


def at_the_default_branch(real: Method) -> Method:
    """Read as of another branch than was asked for."""
    return lambda self, project, ref, path: real(self, project, "main", path)


def anywhere(_real: Method) -> Method:
    """All commits of the project are reachable from everywhere."""
    return lambda self, project, shas, ref: repositories.known(project, shas)


def of_the_branch(_real: Method) -> Method:
    """All that go into the default branch, whatever their head is."""
    return lambda self, project, sha: self.merge_requests_into(project, "main")


def committing(real: Method) -> Method:
    """A status that is stored at once."""

    def set_commit_status(self: Repository, *given: Any, **more: Any) -> None:
        real(self, *given, **more)
        db.session.commit()

    return set_commit_status


def only_once(real: Method) -> Method:
    """What was said first stays."""

    def set_commit_status(self: Repository, project: Any, sha: str, **more: Any) -> None:
        if not statuses.statuses(project, sha):
            real(self, project, sha, **more)

    return set_commit_status


DEFECTS: list[tuple[str, Callable[[Method], Method], str, tuple[Any, ...]]] = [
    ("default_branch", lambda _: lambda self, project: None,
     "test_the_default_branch_is_there_after_a_commit", ()),
    ("read_file", at_the_default_branch, "test_a_file_is_read_as_of_a_branch_or_a_commit", ()),
    ("read_file", at_the_default_branch, "test_what_is_no_file_is_none", ()),
    ("read_file", lossy, "test_a_file_that_cannot_be_shown_is_a_value_error", (b"\xff\xfe",)),
    ("read_file", lossy, "test_a_file_that_cannot_be_shown_is_a_value_error", (b"x" * 65_537,)),
    ("reachable", anywhere, "test_what_can_be_reached_is_told_from_what_cannot", ()),
    ("commit_url", lambda _: lambda self, project, sha: f"/{project.path}/-/commit/{sha}",
     "test_a_commit_has_a_page_in_its_own_project_only", ()),
    ("commit_url", lambda _: lambda self, project, sha: None,
     "test_a_commit_has_a_page_in_its_own_project_only", ()),
    ("merge_request", changed(commits=lambda found: found.commits[::-1]), COMMITS, ()),
    ("merge_request", changed(target_sha=lambda found: found.head_sha), COMMITS, ()),
    ("merge_request", to_everybody, "test_who_may_not_see_a_merge_request_gets_none", ()),
    ("merge_request", lambda real: lambda self, actor, project, id: real(self, actor, project, "1"),
     "test_no_other_id_finds_a_merge_request", ()),
    ("merge_request", changed(commits=lambda found: found.commits * (found.state == "opened")),
     "test_a_merged_one_keeps_what_it_brought", ()),
    ("merge_request", changed(source_project_id=lambda found: found.project_id),
     "test_a_merge_request_of_a_fork_says_where_its_code_is_from", ()),
    ("merge_requests", of_the_branch, HEAD, ()),
    ("merge_requests_into", lambda _: lambda self, project, branch: [], HEAD, ()),
    ("merge_requests_into",
     lambda real: lambda self, project, branch: real(self, project, "main"), HEAD, ()),
    ("set_commit_status", committing,
     "test_a_commit_status_is_the_last_one_that_was_set", ()),
    ("set_commit_status", only_once, "test_a_commit_status_is_the_last_one_that_was_set", ()),
]  # fmt: skip
"""The method, the defect, the test that must find it, and its parameters."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("forge")
    world = World(StubForge(folder, f"sqlite:///{folder / 'forge.sqlite3'}"))
    yield world
    for engine in world.ask(lambda host: list(host.engines())):
        engine.dispose()


@pytest.mark.parametrize(
    ("method", "defect", "test", "parameters"),
    DEFECTS,
    ids=[f"{number}-{method}" for number, (method, *_) in enumerate(DEFECTS)],
)
def test_each_defect_is_found(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    defect: Callable[[Method], Method],
    test: str,
    parameters: tuple[Any, ...],
) -> None:
    check = getattr(AdapterConformance(), test)
    check(world, *parameters)
    monkeypatch.setattr(Repository, method, defect(getattr(Repository, method)))
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check(world, *parameters)


def test_commits_without_a_part_are_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    without = replace(world.mount, host=replace(world.host, repository=None))
    monkeypatch.setitem(world.app.extensions, "mlops", without)
    with pytest.raises(AssertionError, match="repository is None"):
        AdapterConformance().test_the_default_branch_is_there_after_a_commit(world)
