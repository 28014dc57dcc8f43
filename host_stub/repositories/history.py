"""How commits hang together: merge bases, what is new on a branch, what is reachable from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dulwich.objects import ObjectID
from dulwich.repo import Repo

from host_stub.repositories.folders import Numbered, reading
from host_stub.repositories.graph import MAX_WALK, Comparison, Graph
from host_stub.repositories.names import SHA
from host_stub.repositories.reading import CommitInfo, commit_in, find_in, info_of


def merge_base(project: Numbered, a: str, b: str) -> str | None:
    """The sha of the newest commit that both (branches or shas) have in common.

    None if there is none, or if it is more than `MAX_WALK` commits away.
    """
    with reading(project) as repository:
        compared = _compared(repository, a, b)
        base = None if compared is None else compared.base
        return None if base is None else base.decode()


def commits_between(project: Numbered, base: str, head: str, limit: int = 100) -> list[CommitInfo]:
    """The commits that `head` has and `base` has not, the newest first; at most `limit`.

    Both are branches or shas. For a merge request, `base` is its target branch. None are more
    than `MAX_WALK` commits away from what they share.
    """
    with reading(project) as repository:
        compared = _compared(repository, head, base)
        if repository is None or compared is None:
            return []
        return [info_of(commit_in(repository, sha)) for sha in compared.only_left[:limit]]


def shas_between(project: Numbered, base: str, head: str, limit: int) -> list[str]:
    """As `commits_between`, the shas only: no commit is read that was read before."""
    with reading(project) as repository:
        compared = _compared(repository, head, base)
        return [] if compared is None else [sha.decode() for sha in compared.only_left[:limit]]


def log(project: Numbered, ref_or_sha: str, *, limit: int = 20, skip: int = 0) -> list[CommitInfo]:
    """The commits of a branch, the newest first, after the first `skip` ones."""
    with reading(project) as repository:
        start = None if repository is None else find_in(repository, ref_or_sha)
        if repository is None or start is None:
            return []
        shown = Graph(repository).first(start, min(skip + limit, MAX_WALK))[skip:]
        return [info_of(commit_in(repository, sha)) for sha in shown]


def is_reachable(project: Numbered, sha: str, from_ref: str) -> bool:
    """Whether the commit is that of a branch (or sha), or an ancestor of it."""
    return bool(reachable(project, [sha], from_ref))


def known(project: Numbered, shas: Collection[str]) -> set[str]:
    """Those of the full shas that are commits of the repository."""
    with reading(project) as repository:
        found = () if repository is None else _commits(repository, shas)
        return {sha.decode() for sha in found}


def reachable(project: Numbered, shas: Collection[str], ref: str) -> set[str]:
    """Those of the full shas that can be reached from a branch (or sha).

    One walk for all of them, which ends before the oldest, and after `MAX_WALK` commits.
    """
    with reading(project) as repository:
        start = None if repository is None else find_in(repository, ref)
        if repository is None or start is None:
            return set()
        found = Graph(repository).reached(start, _commits(repository, shas))
        return {sha.decode() for sha in found}


def _compared(repository: Repo | None, left: str, right: str) -> Comparison | None:
    if repository is None:
        return None
    a, b = find_in(repository, left), find_in(repository, right)
    return None if a is None or b is None else Graph(repository).compare(a, b)


def _commits(repository: Repo, shas: Iterable[str]) -> set[ObjectID]:
    """Those of the shas that are commits here."""
    names = {ObjectID(sha.encode()) for sha in shas if SHA.fullmatch(sha)}
    graph = Graph(repository)
    return {name for name in names if graph.has(name)}
