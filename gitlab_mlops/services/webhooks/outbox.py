"""Writes a message for each webhook that wants to know, with the change that it is about."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any
from uuid import uuid4

from sqlalchemy import bindparam, insert, select, true

from gitlab_mlops.hooks.signals import Deed
from gitlab_mlops.models import Webhook, WebhookDelivery
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.purge import when_committed
from gitlab_mlops.services.webhooks import bell
from gitlab_mlops.services.webhooks.events import EVENTS, Event
from gitlab_mlops.services.webhooks.messages import body_of

Data = Mapping[str, Any]
_webhook = Webhook.__table__.c
# Built once: it runs for every candidate that starts or ends.
_ACTIVE = select(_webhook.id, _webhook.events).where(
    _webhook.project_id == bindparam("project_id"), _webhook.is_active == true()
)


def record(deed: Deed, name: str, make: Callable[[], Data]) -> None:
    """Write the messages about an event, in the transaction at work; they go out after its commit.

    `make` gives the data; it is called only if some webhook wants to know.
    """
    record_one_of(deed, (name,), lambda: (name, make()))


def record_one_of(deed: Deed, names: Collection[str], make: Callable[[], tuple[str, Data]]) -> None:
    """As `record`, for what is one of these events: `make` says which one, too."""
    found = deed.session.execute(_ACTIVE, {"project_id": deed.project.id}).all()
    listening = {row.id: frozenset(row.events.split(" ")) for row in found}
    if all(events.isdisjoint(names) for events in listening.values()):
        return
    name, data = make()
    webhook_ids = [id for id, events in listening.items() if name in events]
    if webhook_ids:
        _write(deed, EVENTS[name], data, webhook_ids)


def _write(deed: Deed, event: Event, data: Data, webhook_ids: Collection[int]) -> None:
    body, moment = body_of(event, deed.project, data), now()
    rows = [
        {
            "webhook_id": webhook_id,
            "delivery_id": str(uuid4()),
            "event": event.name,
            "origin": "event",
            "body": body,
            "created_at": moment,
            "due_at": moment,
            "attempts": 0,
            "reason": "",
            "answer": "",
        }
        for webhook_id in webhook_ids
    ]
    deed.session.execute(insert(WebhookDelivery), rows)
    when_committed(deed.session, bell.ring)
