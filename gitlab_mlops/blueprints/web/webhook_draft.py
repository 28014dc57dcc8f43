"""What somebody enters for a webhook, next to what is stored."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import request

from gitlab_mlops.blueprints.web.forms import SEEN, Field, all_typed, typed
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.webhooks import addresses, hooks
from gitlab_mlops.services.webhooks.events import EVENTS
from gitlab_mlops.services.webhooks.hooks import Keeping, WebhookRecord

ON = "on"
"""What a browser sends for a box that is ticked."""


@dataclass(slots=True)
class Draft:
    """The form. The secret is not part of what is shown, so it cannot be in conflict."""

    name: Field
    url: Field
    description: Field
    events: Field
    active: Field
    secret: Field
    drops_secret: bool = False

    @property
    def fields(self) -> tuple[Field, ...]:
        """Those that are compared with what is stored."""
        return (self.name, self.url, self.description, self.events, self.active)

    @property
    def problems(self) -> bool:
        """Whether anything cannot be stored as it is."""
        return any(each.problem for each in (*self.fields, self.secret))

    @property
    def conflicts(self) -> bool:
        """Whether somebody else was there meanwhile."""
        return any(each.theirs is not None for each in self.fields)

    def wants(self, event: str) -> bool:
        """Whether the box of an event is ticked."""
        return event in self.events.value.split(" ")

    def changes(self) -> dict[str, Any]:
        """What to store, as `hooks.change` takes it."""
        values: dict[str, Any] = {
            "name": self.name.value,
            "url": self.url.value,
            "description": self.description.value,
            "events": self.events.value.split(),
            "is_active": self.active.value == ON,
        }
        changed = {
            key: value
            for (key, value), each in zip(values.items(), self.fields, strict=True)
            if each.is_changed
        }
        if self.drops_secret or self.secret.value:
            changed["secret"] = "" if self.drops_secret else self.secret.value
        return changed


def draft_of(record: WebhookRecord | None) -> Draft:
    """The form as it is sent out first; None is for a new webhook."""
    name, url, description, events, active = map(Field.of, _stored(record))
    return Draft(name, url, description, events, active, Field.of(""))


def sent_draft(keeping: Keeping, record: WebhookRecord | None) -> Draft:
    """The form as it came back, compared with what is stored now; raises `Invalid`."""
    name, url, description = map(Field.sent, ("name", "url", "description"))
    events = _sent("events", " ".join(name for name in EVENTS if name in all_typed("events")))
    active = _sent("active", ON if typed("active") else "")
    draft = Draft(name, url, description, events, active, Field.of(""))
    draft.drops_secret = bool(typed("drops_secret"))
    draft.secret.value = typed("secret")
    for field in (draft.name, draft.url):
        field.value = field.value.strip()
    for field, stored in zip(draft.fields, _stored(record), strict=True):
        field.meet(stored)
    _look_at(draft, keeping)
    return draft


def _sent(name: str, value: str) -> Field:
    if SEEN + name not in request.form:
        raise Invalid("This form is not whole; open it again.")
    return Field(value, request.form[SEEN + name])


def _look_at(draft: Draft, keeping: Keeping) -> None:
    """Say next to each field what is wrong with it."""
    limit = hooks.MAX_DESCRIPTION
    _try(draft.name, hooks.check_name)
    _try(draft.url, lambda url: addresses.check(url, keeping.networks))
    _try(draft.description, lambda text: hooks.check_length("description", text, limit))
    _try(draft.events, lambda names: hooks.check_events(names.split()))
    _try(draft.secret, lambda text: hooks.check_length("secret", text, hooks.MAX_SECRET))


def _try(field: Field, check: Callable[[str], object]) -> None:
    if field.problem:
        return
    try:
        check(field.value)
    except Invalid as error:
        field.problem = str(error)


def _stored(record: WebhookRecord | None) -> tuple[str, str, str, str, str]:
    """The values of the form's fields, as a browser has them."""
    if record is None:
        return "", "", "", "", ON
    active = ON if record.is_active else ""
    return record.name, record.url, record.description, " ".join(record.events), active
