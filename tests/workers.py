"""How pytest-xdist shares the suite out among its workers.

Most tests run on SQLite and on PostgreSQL, and the fixtures of a session (a forge, gunicorn in
front of it) are made for one database at a time. So what a worker gets at once is a module's tests
on one database, in their order, and it changes the database as seldom as possible.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

DATABASE = re.compile(r"[\[-](sqlite|postgresql)\b")

# One worker only: they share a stock server, and what it answered.
TOGETHER = ("tests/client/differential/",)

# Those that take longest for one module come first, lest one worker is left with them at the end.
LONGEST = (
    *TOGETHER,
    "tests/client/",
    "tests/test_demo.py",
    "tests/test_gallery.py",
    "tests/e2e/",
)


class ByDatabase(LoadScopeScheduling):
    """Units are a module's tests on one database; a worker stays with its database."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)
        self._last: dict[Any, str] = {}

    def schedule(self) -> None:
        """Share out the first units, when all workers have collected the same tests."""
        self.config.option.loadscopereorder = False
        super().schedule()

    def _split_scope(self, nodeid: str) -> str:
        together = next((each for each in TOGETHER if nodeid.startswith(each)), None)
        return together or f"{nodeid.partition('::')[0]} {database(nodeid)}"

    def _assign_work_unit(self, node: Any) -> None:
        """Give out the best unit for this worker instead of the first one."""
        taken = {kind for worker, kind in self._last.items() if worker is not node}
        scope = min(self.workqueue, key=lambda scope: self._rank(scope, node, taken))
        self.workqueue.move_to_end(scope, last=False)
        kind = scope.rpartition(" ")[2]
        if kind:
            self._last[node] = kind
        super()._assign_work_unit(node)

    def _rank(self, scope: str, node: Any, taken: set[str]) -> tuple[bool, int, bool]:
        kind = scope.rpartition(" ")[2]
        mine = self._last.get(node)
        elsewhere = bool(kind) and (kind != mine if mine else kind in taken)
        first = next((i for i, each in enumerate(LONGEST) if scope.startswith(each)), len(LONGEST))
        return elsewhere, first, not kind


def database(nodeid: str) -> str:
    """The database that a test runs on, by its id; empty if it needs none, or makes its own."""
    found = DATABASE.search(nodeid)
    return found[1] if found else ""
