"""The webhooks of a project: make, find, list, change, delete. Only maintainers do any of it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, func, select, update
from sqlalchemy import delete as sql_delete

from gitlab_mlops.access import MaintainAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.models import IS_WAITING, Webhook, WebhookDelivery
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.webhooks import addresses
from gitlab_mlops.services.webhooks.addresses import Networks
from gitlab_mlops.services.webhooks.events import EVENTS
from gitlab_mlops.services.webhooks.sealing import Secrets, require_key, seal

MAX_WEBHOOKS = 50
"""Of a project: each of them costs with every event."""
MAX_NAME, MAX_DESCRIPTION, MAX_SECRET = 63, 1000, 500
"""Characters."""
_NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.IGNORECASE)
SWITCHED_OFF = "The webhook was switched off before this was sent."


@dataclass(frozen=True, slots=True)
class WebhookRecord:
    """A webhook as read. `sealed` is its secret, encrypted; None without one."""

    id: int
    webhook_id: str
    name: str
    description: str
    url: str
    events: tuple[str, ...]
    is_active: bool
    sealed: str | None
    actor_id: str | None
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Keeping:
    """What the forge brings: the keys for secrets, and where messages may go."""

    secrets: Secrets = field(repr=False)
    networks: Networks


def create(
    access: MaintainAccess,
    keeping: Keeping,
    *,
    name: str,
    url: str,
    events: Collection[str],
    description: str = "",
    secret: str = "",
    is_active: bool = True,
) -> WebhookRecord:
    """Make a webhook; raises `Invalid`, or `NotSupported` if no secret could be kept here."""
    require_key(keeping.secrets)
    _require_room(access)
    given = {"name": name, "url": url, "events": events, "description": description}
    values = _checked(keeping, {**given, "secret": secret, "is_active": is_active})
    moment, webhook_id = now(), str(uuid4())
    made = Webhook(
        **values,
        project_id=access.project.id,
        webhook_id=webhook_id,
        actor_id=access.actor.id,
        created_at=moment,
        updated_at=moment,
    )
    access.session.add(made)
    access.session.flush()
    return get(access, webhook_id)


def get(access: MaintainAccess, webhook_id: str) -> WebhookRecord:
    """One webhook of the project; raises `NotFound`."""
    found = access.session.execute(_mine(access).where(Webhook.webhook_id == webhook_id))
    row = found.one_or_none()
    if row is None:
        raise NotFound(f"Webhook with ID {webhook_id[:100]} not found.")
    return _record(row)


def list_webhooks(
    access: MaintainAccess, *, after: int | None = None, limit: int = 2 * MAX_WEBHOOKS
) -> list[WebhookRecord]:
    """Webhooks, the newest first, from behind the one with the id `after`."""
    statement = _mine(access).order_by(Webhook.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(Webhook.id < after)
    return [_record(row) for row in access.session.execute(statement)]


def change(
    access: MaintainAccess, keeping: Keeping, webhook_id: str, **given: Any
) -> WebhookRecord:
    """Change what is given of a webhook, by the names that `create` has.

    An empty secret takes the secret away; the one that is there stays if none is given.
    """
    found = get(access, webhook_id)
    values = _checked(keeping, given)
    statement = update(Webhook).where(Webhook.id == found.id).values(**values, updated_at=now())
    access.session.execute(statement, execution_options={"synchronize_session": False})
    if values.get("is_active") is False:
        _cancel(access, found.id)
    return get(access, webhook_id)


def lock(access: MaintainAccess, webhook_id: str) -> None:
    """Make others who change this webhook wait until commit; raises `NotFound`."""
    found = get(access, webhook_id)
    statement = update(Webhook).where(Webhook.id == found.id).values(updated_at=Webhook.updated_at)
    access.session.execute(statement, execution_options={"synchronize_session": False})


def delete(access: MaintainAccess, webhook_id: str) -> None:
    """Delete a webhook with its log, and what it was not told yet."""
    found = get(access, webhook_id)
    access.session.execute(
        sql_delete(WebhookDelivery).where(WebhookDelivery.webhook_id == found.id),
        execution_options={"synchronize_session": False},
    )
    access.session.execute(
        sql_delete(Webhook).where(Webhook.id == found.id),
        execution_options={"synchronize_session": False},
    )


def check_name(name: str) -> None:
    """Raise `Invalid` for a name that MLflow does not take either."""
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise Invalid(
            f"Webhook name {name[:100]!r} is invalid. It must start and end with a letter or "
            f"digit, be at most {MAX_NAME} characters long, and contain only letters, digits, "
            "dots (.), underscores (_), and hyphens (-)."
        )


def check_events(events: Collection[str]) -> None:
    """Raise `Invalid` if there is none, or one that nobody knows."""
    if not events:
        raise Invalid("Webhook events must not be empty: choose at least one.")
    if unknown := sorted(set(events) - EVENTS.keys()):
        raise Invalid(f"There is no event {unknown[0][:100]!r}; there are {', '.join(EVENTS)}.")


def check_length(what: str, text: str, limit: int) -> None:
    """Raise `Invalid` for a text that is too long."""
    if len(text) > limit:
        raise Invalid(f"The {what} has {len(text):,} characters; at most {limit:,} are kept.")


def _checked(keeping: Keeping, given: dict[str, Any]) -> dict[str, Any]:
    """The columns for what is given."""
    values = dict(given)
    if "name" in given:
        check_name(given["name"])
    if "url" in given:
        addresses.check(given["url"], keeping.networks)
    if "events" in given:
        check_events(given["events"])
        values["events"] = " ".join(name for name in EVENTS if name in set(given["events"]))
    check_length("description", given.get("description", ""), MAX_DESCRIPTION)
    if "secret" in given:
        check_length("secret", given["secret"], MAX_SECRET)
        values["secret"] = seal(keeping.secrets, given["secret"]) if given["secret"] else None
    return values


def _require_room(access: MaintainAccess) -> None:
    mine = select(func.count()).where(Webhook.project_id == access.project.id)
    if (access.session.scalar(mine) or 0) >= MAX_WEBHOOKS:
        raise Invalid(f"A project has at most {MAX_WEBHOOKS} webhooks; delete one first.")


def _mine(access: MaintainAccess) -> Select[Any]:
    columns: Any = select(
        Webhook.id,
        Webhook.webhook_id,
        Webhook.name,
        Webhook.description,
        Webhook.url,
        Webhook.events,
        Webhook.is_active,
        Webhook.secret,
        Webhook.actor_id,
        Webhook.created_at,
        Webhook.updated_at,
    )
    mine: Select[Any] = columns.where(Webhook.project_id == access.project.id)
    return mine


def _record(row: Any) -> WebhookRecord:
    values = row._asdict()
    values["events"] = tuple(row.events.split(" "))
    values["sealed"] = values.pop("secret")
    return WebhookRecord(**values)


def _cancel(access: MaintainAccess, webhook_id: int) -> None:
    """What a webhook that is switched off was not told yet, it is not told."""
    access.session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.webhook_id == webhook_id, IS_WAITING)
        .values(due_at=None, reason=SWITCHED_OFF),
        execution_options={"synchronize_session": False},
    )
