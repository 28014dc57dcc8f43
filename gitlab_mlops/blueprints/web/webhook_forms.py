"""Making a webhook, and changing it."""

from __future__ import annotations

from secrets import token_urlsafe
from uuid import UUID

from flask import Response, redirect

from gitlab_mlops.access import MaintainAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.sending import keeping
from gitlab_mlops.blueprints.web.frames import STYLES
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import WEBHOOK, page
from gitlab_mlops.blueprints.web.rendering import render
from gitlab_mlops.blueprints.web.webhook_draft import Draft, draft_of, sent_draft
from gitlab_mlops.services.webhooks import addresses, hooks
from gitlab_mlops.services.webhooks.events import EVENTS, Event
from gitlab_mlops.services.webhooks.hooks import WebhookRecord
from gitlab_mlops.services.webhooks.sealing import require_key

HEADINGS = {"run": "Candidates", "prompt": "Prompts"}
"""Of events, by the first word of what they are about; all others are about models."""


@page("/webhooks/new", access=MaintainAccess)
def new_webhook(access: MaintainAccess) -> Response:
    """The form for a new webhook."""
    require_key(keeping().secrets)
    return _form(access, None, draft_of(None))


@page("/webhooks/new", access=MaintainAccess, method="POST")
def create_webhook(access: MaintainAccess) -> Response:
    """Make a webhook, or show the form again with what is in the way."""
    draft = sent_draft(keeping(), None)
    if draft.problems:
        return _form(access, None, draft, 400)
    made = hooks.create(
        access, keeping(), **{"name": "", "url": "", "events": ()} | draft.changes()
    )
    return _see(access, made.webhook_id)


@page(f"{WEBHOOK}/edit", access=MaintainAccess)
def edit_webhook(access: MaintainAccess, webhook_id: UUID) -> Response:
    """The form for everything that can be changed of a webhook."""
    found = hooks.get(access, str(webhook_id))
    return _form(access, found, draft_of(found))


@page(f"{WEBHOOK}/edit", access=MaintainAccess, method="POST")
def save_webhook(access: MaintainAccess, webhook_id: UUID) -> Response:
    """Store what was changed, or show the form again with what is in the way."""
    hooks.lock(access, str(webhook_id))
    found = hooks.get(access, str(webhook_id))
    draft = sent_draft(keeping(), found)
    if draft.problems:
        return _form(access, found, draft, 409 if draft.conflicts else 400)
    hooks.change(access, keeping(), found.webhook_id, **draft.changes())
    return _see(access, found.webhook_id)


def _form(
    access: MaintainAccess, found: WebhookRecord | None, draft: Draft, status: int = 200
) -> Response:
    return render(
        access,
        "webhook_edit.html",
        status=status,
        title=f"Edit {found.name}" if found else "New webhook",
        assets=(*STYLES, "webhooks.css"),
        webhook=found,
        draft=draft,
        groups=_groups(),
        limits={
            "name": hooks.MAX_NAME,
            "url": addresses.MAX_URL,
            "description": hooks.MAX_DESCRIPTION,
            "secret": hooks.MAX_SECRET,
        },
        suggestion=token_urlsafe(32),
    )


def _groups() -> list[tuple[str, list[Event]]]:
    """The events under headings, in their order."""
    groups: dict[str, list[Event]] = {}
    for event in EVENTS.values():
        kind = event.entity.partition("_")[0]
        groups.setdefault(HEADINGS.get(kind, "Models"), []).append(event)
    return list(groups.items())


def _see(access: MaintainAccess, webhook_id: str) -> Response:
    url = Links.of(mounted().host, access.project).webhook(webhook_id)
    return redirect(url, 303)  # type: ignore[return-value]
