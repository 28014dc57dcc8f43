"""How commits hang together, also where many are of the same second."""

from __future__ import annotations

import random

import pytest

from host_stub import repositories
from host_stub.repositories import graph
from tests.host_stub.conftest import Code


def parents_of(code: Code, branches: list[str]) -> dict[str, tuple[str, ...]]:
    """The parents of every commit."""
    logs = [repositories.log(code.project, branch, limit=1000) for branch in branches]
    return {info.sha: info.parents for log in logs for info in log}


def ancestors(parents: dict[str, tuple[str, ...]], sha: str) -> set[str]:
    """All that is reachable, found in the simplest way."""
    found: set[str] = set()
    waiting = [sha]
    while waiting:
        sha = waiting.pop()
        if sha not in found:
            found.add(sha)
            waiting += parents[sha]
    return found


def grow(code: Code, seed: int) -> list[str]:
    """A tangled history: commits and merges on five branches; the names of these."""
    dice, time = random.Random(seed), 1000
    branches = ["main"]
    code.commit(time=time)
    for number in range(25):
        time += dice.choice([0, 0, 1])
        what = dice.random()
        if what < 0.25 and len(branches) < 5:
            branches.append(f"b{number}")
            code.commit(branches[-1], parent_branch=dice.choice(branches[:-1]), time=time)
        elif what < 0.5 and len(branches) > 1:
            source, target = dice.sample(branches, 2)
            repositories.merge(code.project, source, target, code.user)
        else:
            code.commit(dice.choice(branches), time=time)
    return branches


@pytest.mark.parametrize("seed", range(4))
def test_answers_are_those_of_looking_at_everything(code: Code, seed: int) -> None:
    branches = grow(code, seed)
    parents = parents_of(code, branches)
    heads = repositories.branches(code.project)
    below = {branch: ancestors(parents, heads[branch]) for branch in branches}
    for a in branches:
        assert repositories.reachable(code.project, set.union(*below.values()), a) == below[a]
        assert {info.sha for info in repositories.log(code.project, a, limit=100)} == below[a]
        for b in branches:
            shared = below[a] & below[b]
            base = repositories.merge_base(code.project, a, b)
            older = set().union(*(ancestors(parents, sha) - {sha} for sha in shared))
            assert base in shared - older
            news = repositories.commits_between(code.project, a, b)
            assert {info.sha for info in news} == below[b] - below[a]
            order = [info.sha for info in news]
            for info in news:
                later = [p for p in info.parents if p in order]
                assert all(order.index(p) > order.index(info.sha) for p in later)


def test_merge_base_moves_when_the_target_is_merged_into_the_source(code: Code) -> None:
    first = code.commit()
    code.commit("feature")
    second = code.commit()
    assert repositories.merge_base(code.project, "feature", "main") == first
    repositories.merge(code.project, "main", "feature", code.user)
    assert repositories.merge_base(code.project, "feature", "main") == second


def test_branches_without_a_common_commit_have_no_merge_base(code: Code) -> None:
    # The first branch of a repository begins from nothing, and so does main then.
    code.commit("island")
    code.commit("main")
    assert repositories.merge_base(code.project, "island", "main") is None
    assert len(repositories.commits_between(code.project, "main", "island")) == 1


def test_list_of_commits_goes_on_page_by_page(code: Code) -> None:
    shas = [code.commit() for _ in range(5)]
    pages = [repositories.log(code.project, "main", limit=2, skip=skip) for skip in (0, 2, 4, 6)]
    assert [info.sha for page in pages for info in page] == shas[::-1]
    assert [len(page) for page in pages] == [2, 2, 1, 0]


def test_walk_ends_at_its_limit(code: Code, monkeypatch: pytest.MonkeyPatch) -> None:
    first = code.commit(time=1000)
    for second in range(6):
        code.commit(time=1001 + second)
    code.commit("new", parent_branch="main")
    assert repositories.is_reachable(code.project, first, "main")
    monkeypatch.setattr(graph, "MAX_WALK", 3)
    assert not repositories.is_reachable(code.project, first, "main")
    assert repositories.merge_base(code.project, first, "main") is None
    assert repositories.commits_between(code.project, first, "main") == []
    assert len(repositories.commits_between(code.project, "main", "new")) == 1


def test_only_the_way_to_the_oldest_is_walked(code: Code) -> None:
    first = code.commit(time=1000)
    for second in range(1, 6):
        sha = code.commit(time=1000 + second)
    stranger = code.commit("side", time=1004, parent_branch="main")
    graph._known.clear()
    assert repositories.reachable(code.project, [sha, "0" * 40, "x"], "main") == {sha}
    assert repositories.reachable(code.project, [stranger], "main") == set()
    assert first.encode() not in graph._known


def test_commit_is_never_older_than_its_parents(code: Code) -> None:
    code.commit(time=1000)
    code.commit("feature", time=1500)
    code.commit(time=900)
    sha = repositories.merge(code.project, "feature", "main", code.user)
    times = [info.time for info in repositories.log(code.project, "main")]
    assert times[1:] == [1500, 1000, 1000]
    info = repositories.commit_info(code.project, sha)
    assert info is not None
    assert info.time >= 1500
