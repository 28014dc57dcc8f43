"""Sends what is due, in any number of processes: claim, send, note how it went.

Works on connections of its own, because nobody's request is waiting for it. A claim is a promise
to be done within `LEASE`: should the process die, another one sends the message then. So a
receiver may get a message twice, with the same id, and never none.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Engine, Table, bindparam, func, select, update
from sqlalchemy import delete as sql_delete

from gitlab_mlops.models import IS_WAITING, Webhook, WebhookDelivery
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.webhooks.messages import headers_of
from gitlab_mlops.services.webhooks.sealing import Secrets, Unreadable, unseal
from gitlab_mlops.services.webhooks.transport import Answer, Transport

SECOND, HOUR = 1000, 3_600_000
ATTEMPTS = 8
"""Then a message is given up, about nine hours after it was written."""
FIRST_DELAY, GROWTH, LONGEST_DELAY = 30 * SECOND, 3, 6 * HOUR
"""How long after a failure the next attempt is, in milliseconds."""
JITTER = 0.2
"""By which part delays differ, so that a receiver that comes back is not run over."""
LEASE = 300 * SECOND
"""How long a process has for what it claimed, in milliseconds."""
BATCH, AT_ONCE, OF_ONE = 12, 4, 4
"""Messages claimed together, those sent at the same time, and those of one webhook among them."""
MAX_AGE = 24 * HOUR
"""A message that waited so long, behind others that failed, is given up, in milliseconds."""
KEPT = 30 * 24 * HOUR
"""How long the log goes back, in milliseconds."""
CHUNK = 5000
"""Lines of the log that one statement deletes."""

GIVEN_UP = "It was not sent within a day, because the receiver did not answer others."
UNREADABLE = (
    "The secret of this webhook was encrypted with another SECRET_KEY of the forge: enter it again."
)

_TABLE = cast(Table, WebhookDelivery.__table__)
_delivery, _webhook = _TABLE.c, Webhook.__table__.c


class Claimed(NamedTuple):
    """A message that is this process's to send."""

    id: int
    webhook_id: int
    delivery_id: str
    body: str
    attempts: int
    url: str
    secret: str | None


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends messages. `secrets` are the keys with which secrets are encrypted."""

    transport: Transport
    secrets: Secrets = field(repr=False)

    def send(self, url: str, delivery_id: str, body: str, sealed: str | None) -> Answer:
        """Sign and send one message; raises nothing."""
        try:
            secret = unseal(self.secrets, sealed) if sealed else None
        except Unreadable:
            return Answer(None, UNREADABLE, is_final=True)
        headers = headers_of(delivery_id, body, secret)
        return self.transport.post(url, body.encode(), headers)


def deliver(engine: Engine, sender: Sender) -> tuple[int, int]:
    """Send everything that is due in this database; how many went well, and how many did not."""
    good = bad = 0
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="mlops-webhooks") as pool:
        while (due := next_due(engine)) is not None and due <= now():
            # Nothing: another process was faster.
            if not (batch := claim(engine)):
                break
            went_well = list(pool.map(lambda each: _deliver_one(engine, sender, each), batch))
            good += sum(went_well)
            bad += len(went_well) - sum(went_well)
    return good, bad


def next_due(engine: Engine) -> int | None:
    """When the next message is due, in milliseconds since 1970; None if none waits."""
    with engine.connect() as connection:
        statement = select(func.min(_delivery.due_at)).where(IS_WAITING)
        due: int | None = connection.scalar(statement)
    return due


def claim(engine: Engine) -> list[Claimed]:
    """Take some messages that are due; nobody else gets them for the length of `LEASE`."""
    moment = now()
    with engine.begin() as connection:
        ids = list(connection.scalars(_CLAIM, {"now": moment, "until": moment + LEASE}))
        rows = connection.execute(_CLAIMED, {"ids": ids}) if ids else ()
        return [Claimed(*row) for row in rows]


def _claiming() -> Any:
    """The oldest that are due, of each webhook a few, so that one cannot block the others."""
    is_due = IS_WAITING & (_delivery.due_at <= bindparam("now"))
    place = func.row_number().over(partition_by=_delivery.webhook_id, order_by=_delivery.due_at)
    due = select(_delivery.id, _delivery.due_at, place.label("place")).where(is_due).subquery()
    first = select(due.c.id).where(due.c.place <= OF_ONE).order_by(due.c.due_at).limit(BATCH)
    # A window is not to be locked, so those it found are looked at again.
    mine = select(_delivery.id).where(_delivery.id.in_(first), is_due)
    return (
        update(_TABLE)
        .where(_delivery.id.in_(mine.with_for_update(skip_locked=True)))
        .values(due_at=bindparam("until"), attempts=_delivery.attempts + 1)
        .returning(_delivery.id)
    )


_CLAIM = _claiming()
_CLAIMED = (
    select(
        _delivery.id,
        _delivery.webhook_id,
        _delivery.delivery_id,
        _delivery.body,
        _delivery.attempts,
        _webhook.url,
        _webhook.secret,
    )
    .join_from(_TABLE, Webhook.__table__, _delivery.webhook_id == _webhook.id)
    .where(_delivery.id.in_(bindparam("ids", expanding=True)))
    .order_by(_delivery.id)
)


def _deliver_one(engine: Engine, sender: Sender, claimed: Claimed) -> bool:
    tried_at = now()
    answer = sender.send(claimed.url, claimed.delivery_id, claimed.body, claimed.secret)
    with engine.begin() as connection:
        note(connection, claimed, answer, tried_at)
    return answer.is_good


def note(connection: Connection, claimed: Claimed, answer: Answer, tried_at: int) -> None:
    """Write down how an attempt went, and when the next one is, unless it is the last."""
    is_over = answer.is_good or answer.is_final or claimed.attempts >= ATTEMPTS
    due_at = None if is_over else now() + delay(claimed.attempts)
    connection.execute(
        update(_TABLE)
        # Should the lease have run out, whoever took it since then has the last word.
        .where(_delivery.id == claimed.id, _delivery.attempts == claimed.attempts, IS_WAITING)
        .values(due_at=due_at, tried_at=tried_at, **noted(answer))
    )
    if due_at is not None and (answer.status is None or answer.status >= 500):
        _hold_back(connection, claimed.webhook_id, due_at)


def noted(answer: Answer) -> dict[str, Any]:
    """The columns in which a row keeps an answer."""
    return {
        "status": answer.status,
        "reason": answer.reason,
        "answer": answer.body,
        "took": answer.took,
    }


def delay(attempts: int) -> int:
    """How long to wait after so many attempts, in milliseconds, give or take a bit."""
    whole = min(FIRST_DELAY * GROWTH ** (attempts - 1), LONGEST_DELAY)
    return int(whole * random.uniform(1 - JITTER, 1 + JITTER))  # noqa: S311 - guards nothing


def _hold_back(connection: Connection, webhook_id: int, until: int) -> None:
    """Let everything else for a receiver that is down wait too, instead of trying it at once."""
    connection.execute(
        update(_TABLE)
        .where(_delivery.webhook_id == webhook_id, IS_WAITING, _delivery.due_at < until)
        # Those that are being sent are noted when they are through, which says otherwise.
        .values(due_at=until)
    )


def clean(engine: Engine) -> int:
    """Give up what waited for too long, and forget the old part of the log; how many lines."""
    moment = now()
    with engine.begin() as connection:
        connection.execute(
            update(_TABLE)
            .where(IS_WAITING, _delivery.created_at < moment - MAX_AGE, _delivery.due_at > moment)
            .values(due_at=None, reason=GIVEN_UP)
        )
    return sum(_forget(engine, moment - KEPT))


def _forget(engine: Engine, before: int) -> Iterable[int]:
    """Delete lines in pieces, so that nobody else waits for long."""
    oldest: Any = select(_delivery.id).where(_delivery.created_at < before).limit(CHUNK)
    while True:
        with engine.begin() as connection:
            statement = sql_delete(_TABLE).where(_delivery.id.in_(oldest))
            gone = connection.execute(statement).rowcount
        yield gone
        if gone < CHUNK:
            return


def deliver_all(engines: Sequence[Engine], sender: Sender) -> tuple[int, int]:
    """As `deliver`, in all databases."""
    results = [deliver(engine, sender) for engine in engines]
    return sum(good for good, _ in results), sum(bad for _, bad in results)
