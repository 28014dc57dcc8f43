"""What waits for the end of a transaction, to be done once for all that happened in it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

_WAITING = "mlops_before_commit"
"""Where a session keeps what waits, in its `info`."""

Action = Callable[[list[Any]], None]


@dataclass(slots=True)
class _Work:
    """Things that one action is for, each once, in the order that they came."""

    action: Action
    things: dict[Hashable, None] = field(default_factory=dict)


def before_commit(
    session: Session | scoped_session[Session],
    name: str,
    things: Iterable[Hashable],
    action: Action,
) -> None:
    """Call `action` with all things of this name, just before the transaction is committed.

    It may write rows, which are committed too. What it raises makes the commit fail. Nothing is
    called if the transaction is rolled back; a savepoint does not matter.
    """
    # Listeners of a scoped session would hear the sessions of all threads.
    own = session() if isinstance(session, scoped_session) else session
    if _WAITING not in own.info:
        own.info[_WAITING] = {}
        event.listen(own, "before_commit", _work)
        event.listen(own, "after_transaction_end", _end)
    work = own.info[_WAITING].setdefault(name, _Work(action))
    work.things.update(dict.fromkeys(things))


def _work(session: Session) -> None:
    if session.in_nested_transaction():
        return
    waiting: dict[str, _Work] = session.info[_WAITING]
    while waiting:
        work = waiting.pop(next(iter(waiting)))
        work.action(list(work.things))


def _end(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        session.info[_WAITING].clear()
