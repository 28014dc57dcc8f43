"""What was sent to a webhook and what came of it; send it once more, or send a test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import Select, func, or_, select
from sqlalchemy import insert as sql_insert

from gitlab_mlops.access import MaintainAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.models import IS_WAITING, WebhookDelivery
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.purge import when_committed
from gitlab_mlops.services.webhooks import bell
from gitlab_mlops.services.webhooks.delivery import Sender, noted
from gitlab_mlops.services.webhooks.events import EVENTS
from gitlab_mlops.services.webhooks.hooks import WebhookRecord, check_events
from gitlab_mlops.services.webhooks.messages import body_of
from gitlab_mlops.services.webhooks.transport import Answer

State = Literal["", "waiting", "failed"]
_STATES: dict[State, tuple[Any, ...]] = {
    "": (),
    "waiting": (IS_WAITING,),
    "failed": (
        WebhookDelivery.due_at.is_(None),
        or_(WebhookDelivery.status.is_(None), ~WebhookDelivery.status.between(200, 299)),
    ),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log; what its fields mean, `WebhookDelivery` says. `body` may be left out."""

    id: int
    delivery_id: str
    event: str
    origin: str
    created_at: int
    due_at: int | None
    attempts: int
    tried_at: int | None
    took: int | None
    status: int | None
    reason: str
    answer: str
    body: str = ""

    @property
    def state(self) -> str:
        """`delivered`, `failed`, or `waiting` for its next attempt."""
        if self.due_at is not None:
            return "waiting"
        return "delivered" if self.status and 200 <= self.status < 300 else "failed"


@dataclass(frozen=True, slots=True)
class Trial:
    """A message to try a webhook with: what `events` has as an example."""

    webhook: WebhookRecord
    event: str
    delivery_id: str
    body: str

    def send(self, sender: Sender) -> Answer:
        """Send it now. Ends no transaction: who calls this has ended the one before."""
        return sender.send(self.webhook.url, self.delivery_id, self.body, self.webhook.sealed)


def list_lines(
    access: MaintainAccess,
    webhook: WebhookRecord,
    *,
    state: State = "",
    before: int | None = None,
    limit: int,
) -> list[Line]:
    """Lines of a webhook's log, the newest first, from behind the one with the id `before`.

    `state` leaves out all others.
    """
    statement = _lines([webhook]).where(*_STATES[state])
    statement = statement.order_by(WebhookDelivery.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(WebhookDelivery.id < before)
    return [Line(*row) for row in access.session.execute(statement)]


def get_line(access: MaintainAccess, webhook: WebhookRecord, line_id: int) -> Line:
    """One line, with what was sent; raises `NotFound`."""
    statement = _lines([webhook]).add_columns(WebhookDelivery.body)
    row = access.session.execute(statement.where(WebhookDelivery.id == line_id)).one_or_none()
    if row is None:
        raise NotFound(f"Delivery {line_id} of this webhook not found: the log keeps 30 days.")
    return Line(*row)


def last_lines(access: MaintainAccess, webhooks: Sequence[WebhookRecord]) -> dict[int, Line]:
    """The newest line of each webhook that has any, by the webhook's internal id."""
    newest = (
        select(func.max(WebhookDelivery.id))
        .where(WebhookDelivery.webhook_id.in_([each.id for each in webhooks]))
        .group_by(WebhookDelivery.webhook_id)
    )
    statement = _lines(webhooks).where(WebhookDelivery.id.in_(newest))
    statement = statement.add_columns(WebhookDelivery.webhook_id)
    return {row.webhook_id: Line(*row[:-1]) for row in access.session.execute(statement)}


def send_again(access: MaintainAccess, webhook: WebhookRecord, line_id: int) -> int:
    """Send a message once more, under the id that the receiver knows; the id of the new line.

    Raises `NotFound`, or `Invalid` while it waits anyway or the webhook is switched off.
    """
    old = get_line(access, webhook, line_id)
    if old.state == "waiting":
        raise Invalid("This message is not given up yet: it is sent again by itself.")
    if not webhook.is_active:
        raise Invalid("This webhook is switched off; switch it on first.")
    moment = now()
    line = _store(
        access, webhook, old.event, old.delivery_id, old.body, origin="again", due_at=moment
    )
    when_committed(access.session, bell.ring)
    return line


def prepare_trial(access: MaintainAccess, webhook: WebhookRecord, event: str = "") -> Trial:
    """A message about an example of `event`, or of the first event that the webhook wants."""
    name = event or webhook.events[0]
    check_events([name])
    body = body_of(EVENTS[name], access.project, EVENTS[name].example)
    return Trial(webhook, name, str(uuid4()), body)


def store_trial(access: MaintainAccess, trial: Trial, answer: Answer) -> int:
    """Write down what came of a trial; the id of its line."""
    return _store(
        access,
        trial.webhook,
        trial.event,
        trial.delivery_id,
        trial.body,
        origin="test",
        attempts=1,
        tried_at=now(),
        **noted(answer),
    )


def _store(
    access: MaintainAccess,
    webhook: WebhookRecord,
    event: str,
    delivery_id: str,
    body: str,
    **values: Any,
) -> int:
    row = {"attempts": 0, "reason": "", "answer": "", **values}
    statement = sql_insert(WebhookDelivery).values(
        webhook_id=webhook.id,
        event=event,
        delivery_id=delivery_id,
        body=body,
        created_at=now(),
        **row,
    )
    made: int = access.session.execute(statement.returning(WebhookDelivery.id)).scalar_one()
    return made


def _lines(webhooks: Sequence[WebhookRecord]) -> Select[Any]:
    columns: Any = select(
        WebhookDelivery.id,
        WebhookDelivery.delivery_id,
        WebhookDelivery.event,
        WebhookDelivery.origin,
        WebhookDelivery.created_at,
        WebhookDelivery.due_at,
        WebhookDelivery.attempts,
        WebhookDelivery.tried_at,
        WebhookDelivery.took,
        WebhookDelivery.status,
        WebhookDelivery.reason,
        WebhookDelivery.answer,
    )
    ids = [each.id for each in webhooks]
    lines: Select[Any] = columns.where(WebhookDelivery.webhook_id.in_(ids))
    return lines
