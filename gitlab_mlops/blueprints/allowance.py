"""How many requests a token may send to MLflow's API in a minute."""

from __future__ import annotations

import time
from collections.abc import Callable

from gitlab_mlops.errors import TooMany

ALLOWANCE = "mlops_allowance"
"""Where an application keeps its `Allowance`, in its `extensions`; not there without a limit."""
MINUTE = 60.0
MOST_TOKENS = 100_000
"""Tokens that are counted at most; whoever invents more shares what is left of the minute."""


class Allowance:
    """Counts the requests of each token in this process, from one full minute to the next.

    Whether a token is good is not known yet: guessing tokens is counted like using them. Two
    threads at once may lose a count, which lets a request more through and needs no lock.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.time) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._minute = 0.0
        self._counts: dict[int, int] = {}

    def take(self, secret: str) -> None:
        """Count a request of this token; raise `TooMany` when it had all of this minute's."""
        now = self._clock()
        minute, passed = divmod(now, MINUTE)
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        counts = self._counts
        # By Python's hash, which is another one in each process, so no secret stays in memory.
        key = hash(secret)
        if key not in counts and len(counts) >= MOST_TOKENS:
            key = 0
        count = counts[key] = counts.get(key, 0) + 1
        if count > self.per_minute:
            raise TooMany(int(MINUTE - passed) + 1, self.per_minute)
