"""The thread of a process that sends messages as soon as they are committed."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Sequence

from sqlalchemy import Engine, SingletonThreadPool, StaticPool

from gitlab_mlops.services.clock import now
from gitlab_mlops.services.webhooks import bell, delivery
from gitlab_mlops.services.webhooks.delivery import HOUR, SECOND, Sender

logger = logging.getLogger(__name__)

LONGEST_SLEEP = 60.0
"""Seconds, after which it looks for messages of processes that have no thread, or died."""
SHORTEST_SLEEP = 0.5
"""Seconds between two looks at messages that another process is about to send."""
SHARED = (StaticPool, SingletonThreadPool)
"""The pools of databases in memory, as tests have them."""


class Worker:
    """One application's thread. It begins with the first request of each process, not at import.

    A server may fork after the application was made, and a thread does not survive that.
    """

    def __init__(
        self, engines: Callable[[], Sequence[Engine]], sender: Callable[[], Sender]
    ) -> None:
        self._engines, self._sender = engines, sender
        self._process: int | None = None
        self._lock = threading.Lock()
        self._cleaned_at = 0
        self._thread: threading.Thread | None = None
        self._is_over = False

    def start(self) -> None:
        """Begin, unless it is running in this process."""
        if self._process == os.getpid():
            return
        with self._lock:
            if self._process != os.getpid():
                self._process = os.getpid()
                self._thread = threading.Thread(
                    target=self._run, name="mlops-webhooks", daemon=True
                )
                self._thread.start()

    def stop(self) -> None:
        """End for ever, after what it is sending at the moment."""
        self._is_over = True
        bell.ring()
        if self._thread is not None and self._process == os.getpid():
            self._thread.join()

    def _run(self) -> None:
        while True:
            heard = bell.rings()
            if self._is_over:
                return
            try:
                seconds = self.work()
            except Exception:
                # The database may be down, or not upgraded yet; nobody else would say so.
                logger.exception("Messages of webhooks could not be sent; trying again.")
                seconds = LONGEST_SLEEP
            bell.wait(heard, seconds)

    def work(self) -> float:
        """Send what is due; how many seconds to sleep after that."""
        # Where all threads share one connection, this one would end the transactions of requests.
        engines = [each for each in self._engines() if not isinstance(each.pool, SHARED)]
        delivery.deliver_all(engines, self._sender())
        if now() - self._cleaned_at > HOUR:
            self._cleaned_at = now()
            for engine in engines:
                delivery.clean(engine)
        due = [moment for engine in engines if (moment := delivery.next_due(engine)) is not None]
        wanted = (min(due) - now()) / SECOND if due else LONGEST_SLEEP
        return min(max(wanted, SHORTEST_SLEEP), LONGEST_SLEEP)
