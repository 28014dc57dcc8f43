"""The graph of commits: walks from some of them to those before.

Commits are never older than their parents (`writing` sees to it), and many may be of the same
second. So a walk goes by time, and takes a commit up again when it learns something new about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from dulwich.objects import Commit, ObjectID
from dulwich.repo import Repo

from host_stub.repositories.reading import commit_in

MAX_WALK = 20_000
"""Commits that one question looks at; what would need more has no answer."""
MAX_KNOWN = 200_000
LEFT, RIGHT, STALE = 1, 2, 4
"""Reachable from the one side, from the other, and from a commit that both have."""
BOTH = LEFT | RIGHT

# A sha is the same commit everywhere and for ever. Whether a project has it is not asked here.
_known: dict[ObjectID, tuple[int, tuple[ObjectID, ...]]] = {}


@dataclass(frozen=True, slots=True)
class Graph:
    """The commits of an open repository, as far as time and parents go."""

    repository: Repo

    def time(self, sha: ObjectID) -> int:
        """When the commit was made, in seconds since 1970."""
        return self._links(sha)[0]

    def parents(self, sha: ObjectID) -> tuple[ObjectID, ...]:
        """The commits that it came after."""
        return self._links(sha)[1]

    def has(self, sha: ObjectID) -> bool:
        """Whether it is a commit of this repository; read only if nobody has read it yet."""
        store = self.repository.object_store
        return sha in store and (sha in _known or isinstance(store[sha], Commit))

    def newest_first(self, shas: Iterable[ObjectID]) -> list[ObjectID]:
        """By time, and within the same second children before their parents."""
        children = dict.fromkeys(shas, 0)
        for sha in children:
            for parent in children.keys() & self.parents(sha):
                children[parent] += 1
        heap = [self._entry(sha) for sha, count in children.items() if not count]
        heapify(heap)
        ordered = []
        while heap:
            _, sha = heappop(heap)
            ordered.append(sha)
            for parent in children.keys() & self.parents(sha):
                children[parent] -= 1
                if not children[parent]:
                    heappush(heap, self._entry(parent))
        return ordered

    def first(self, start: ObjectID, count: int) -> list[ObjectID]:
        """`start` and the commits before it by time, `count` of them at most."""
        listed: list[ObjectID] = []
        order = {start: 0}  # of the same second, the one that was met first comes first
        heap = [(-self.time(start), 0, start)]
        while heap and len(listed) < count:
            _, _, sha = heappop(heap)
            listed.append(sha)
            for parent in self.parents(sha):
                if parent not in order:
                    order[parent] = len(order)
                    heappush(heap, (-self.time(parent), order[parent], parent))
        return listed

    def reached(self, start: ObjectID, wanted: set[ObjectID]) -> set[ObjectID]:
        """Those of the wanted that are `start` or before it; ends before the oldest of them."""
        missing = set(wanted)
        oldest = min(map(self.time, wanted), default=0)
        seen, heap = {start}, [self._entry(start)]
        while heap and missing and len(seen) <= MAX_WALK:
            age, sha = heappop(heap)
            if -age < oldest:
                break
            missing.discard(sha)
            for parent in set(self.parents(sha)) - seen:
                seen.add(parent)
                heappush(heap, self._entry(parent))
        return wanted - missing

    def compare(self, left: ObjectID, right: ObjectID) -> Comparison:
        """What is reachable from the one, the other and both."""
        comparison = Comparison(self)
        comparison.mark(left, LEFT)
        comparison.mark(right, RIGHT)
        comparison.walk()
        return comparison

    def _entry(self, sha: ObjectID) -> tuple[int, ObjectID]:
        """In a heap, the newest comes first."""
        return -self.time(sha), sha

    def _links(self, sha: ObjectID) -> tuple[int, tuple[ObjectID, ...]]:
        links = _known.get(sha)
        if links is None:
            if len(_known) >= MAX_KNOWN:
                _known.clear()
            commit = commit_in(self.repository, sha)
            links = _known[sha] = (commit.commit_time, tuple(commit.parents))
        return links


@dataclass
class Comparison:
    """A walk from two commits, down to where nothing it may still meet changes the result."""

    graph: Graph
    flags: dict[ObjectID, int] = field(default_factory=dict)
    _heap: list[tuple[int, ObjectID]] = field(default_factory=list)
    _open: set[ObjectID] = field(default_factory=set)
    """In the heap, and not stale."""

    @property
    def only_left(self) -> list[ObjectID]:
        """What the left one has and the right one has not, the newest first."""
        return self._with(LEFT)

    @property
    def base(self) -> ObjectID | None:
        """The newest that both have."""
        return next(iter(self._with(BOTH)), None)

    def mark(self, sha: ObjectID, flag: int) -> None:
        """Note how a commit is reached, and look at its parents again if that is new."""
        flags = self.flags.get(sha, 0) | flag
        if flags != self.flags.get(sha):
            self.flags[sha] = flags
            heappush(self._heap, (-self.graph.time(sha), sha))
            (self._open.discard if flags & STALE else self._open.add)(sha)

    def walk(self) -> None:
        """Go on until all that is left is stale, and older than whatever is not."""
        while self._open:
            self._step()
        oldest = min(
            (self.graph.time(s) for s, f in self.flags.items() if not f & STALE), default=0
        )
        while self._heap and -self._heap[0][0] >= oldest:
            self._step()

    def _step(self) -> None:
        _, sha = heappop(self._heap)
        self._open.discard(sha)
        flags = self.flags[sha]
        if len(self.flags) > MAX_WALK:  # too far away: the two have nothing to do with each other
            for known in (self.flags, self._heap, self._open):
                known.clear()
            return
        for parent in self.graph.parents(sha):
            self.mark(parent, flags | STALE if flags & BOTH == BOTH else flags)

    def _with(self, flags: int) -> list[ObjectID]:
        return self.graph.newest_first(s for s, found in self.flags.items() if found == flags)
