"""Whether this process can serve: its databases, their tables and the artifact store answer.

Anybody may ask, as often as they like, so each part is asked by one thread at a time, and again
only when the last answer is a few seconds old. A part that hangs holds that one thread.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from time import monotonic

from sqlalchemy import Engine, text

from gitlab_mlops import migrations
from gitlab_mlops.services.webhooks.worker import SHARED
from gitlab_mlops.storage import Storage

logger = logging.getLogger(__name__)

OK, DEGRADED, FAILED = "ok", "degraded", "failed"
PATIENCE = 2.0
"""Seconds that a part has to answer."""
KEPT = 3.0
"""Seconds for which an answer is good."""

_ONE = text("SELECT 1")
_REVISION = text(f"SELECT version_num FROM {migrations.VERSION_TABLE}")  # noqa: S608 - a constant

Engines = Callable[[], Sequence[Engine]]
Key = tuple[str, Engine | None]


class Readiness:
    """The parts that one application needs. Nothing is asked, and no thread begun, before use."""

    def __init__(self, engines: Engines, storage: Storage) -> None:
        self._engines, self._storage = engines, storage
        self._parts: dict[Key, Part] = {}

    def states(self) -> Mapping[str, str]:
        """`ok`, `degraded` or `failed` for each kind of part; takes `PATIENCE` at most.

        Of several databases some may be away: the projects in the others go on, so that is
        `degraded`. The log says why.
        """
        parts = self._known()
        for part in parts.values():
            part.begin()
        found: dict[str, set[str]] = {"database": set(), "schema": set(), "artifacts": set()}
        for (kind, _), part in parts.items():
            found[kind].add(part.state())
        return {kind: _overall(states) for kind, states in found.items()}

    def _known(self) -> dict[Key, Part]:
        wanted: dict[Key, Callable[[], object]] = {("artifacts", None): self._storage.ping}
        for engine in self._engines():
            # Where all threads share one connection, asking would end transactions of requests.
            if not isinstance(engine.pool, SHARED):
                wanted["database", engine] = partial(_ask_database, engine)
                wanted["schema", engine] = partial(_ask_revision, engine)
        return {key: self._parts.setdefault(key, Part(key[0], wanted[key])) for key in wanted}


def _overall(states: set[str]) -> str:
    return states.pop() if len(states) == 1 else DEGRADED if states else OK


class Part:
    """Something that can be asked; `ask` raises if it is not well."""

    def __init__(self, name: str, ask: Callable[[], object]) -> None:
        self._name, self._ask = name, ask
        self._lock = threading.Lock()
        self._state, self._known_at, self._begun_at = "", float("-inf"), float("-inf")
        self._asking: threading.Event | None = None

    def begin(self) -> None:
        """Ask in a thread, unless one is asking or the answer is new enough."""
        with self._lock:
            if self._asking is None and monotonic() - self._known_at > KEPT:
                self._asking, self._begun_at = threading.Event(), monotonic()
                # A daemon, so that a part that hangs does not keep the process from its end.
                threading.Thread(target=self._run, args=(self._asking,), daemon=True).start()

    def state(self) -> str:
        """The last answer while it is new enough, else that which comes in time."""
        with self._lock:
            asking, left = self._asking, self._begun_at + PATIENCE - monotonic()
            if monotonic() - self._known_at <= KEPT:
                return self._state
        if asking is not None and not asking.wait(max(left, 0)):
            self._keep(FAILED, f"no answer for {PATIENCE:g} s")
        return self._state

    def _run(self, asking: threading.Event) -> None:
        try:
            self._ask()
        except Exception as error:
            self._keep(FAILED, f"{type(error).__name__}: {error}")
        else:
            self._keep(OK)
        with self._lock:
            self._asking = None
        asking.set()

    def _keep(self, state: str, reason: str = "") -> None:
        with self._lock:
            before, self._state, self._known_at = self._state, state, monotonic()
        if state != before and state == FAILED:
            logger.error("Not ready: %s: %s", self._name, reason)
        elif state != before and before == FAILED:
            logger.warning("Ready again: %s", self._name)


def _ask_database(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(_ONE)


def _ask_revision(engine: Engine) -> None:
    """Raise if tables are missing or older than this version's.

    Newer ones are fine: an upgrade brings the tables first and then restarts the processes, and
    until then the old ones have to serve.
    """
    known = migrations.revisions()
    with engine.connect() as connection:
        found = connection.scalar(_REVISION)
    if found is None or (found in known and found != known[-1]):
        raise LookupError(f"the tables are at revision {found}, and {known[-1]} is wanted")
