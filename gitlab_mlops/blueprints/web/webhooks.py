"""The webhooks of a project, and what was sent to them. For its maintainers."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import Response, redirect

from gitlab_mlops.access import MaintainAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.sending import try_out
from gitlab_mlops.blueprints.web import formats, state
from gitlab_mlops.blueprints.web.forms import typed
from gitlab_mlops.blueprints.web.frames import STYLES
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import WEBHOOK, page
from gitlab_mlops.blueprints.web.rendering import people, render
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.webhooks import addresses, delivery, hooks, log
from gitlab_mlops.services.webhooks.events import EVENTS
from gitlab_mlops.services.webhooks.log import Line, State

LINE = f"{WEBHOOK}/deliveries/<int(max=9223372036854775807):line_id>"
PER_PAGE = 50
STATES: tuple[State, ...] = ("", "waiting", "failed")


@page("/webhooks", access=MaintainAccess)
def webhooks(access: MaintainAccess) -> Response:
    """The project's webhooks."""
    found = hooks.list_webhooks(access)
    return _render(
        access,
        "webhooks.html",
        "Webhooks",
        webhooks=found,
        hosts={each.id: addresses.parse(each.url).place for each in found},
        lines=log.last_lines(access, found),
        removed=state.text("removed"),
        is_full=len(found) >= hooks.MAX_WEBHOOKS,
    )


@page(WEBHOOK, access=MaintainAccess)
def webhook(access: MaintainAccess, webhook_id: UUID) -> Response:
    """A webhook with its log."""
    found = hooks.get(access, str(webhook_id))
    which = state.choice("state", STATES)
    lines = log.list_lines(access, found, state=which, before=_before(), limit=PER_PAGE + 1)
    return _render(
        access,
        "webhook.html",
        found.name,
        webhook=found,
        author=people([found.actor_id]).get(found.actor_id or ""),
        events=[EVENTS[name] for name in found.events],
        state=which,
        lines=lines[:PER_PAGE],
        is_first_page=not state.text("before"),
        next_page=str(lines[PER_PAGE - 1].id) if len(lines) > PER_PAGE else "",
    )


@page(f"{WEBHOOK}/test", access=MaintainAccess, method="POST")
def test_webhook(access: MaintainAccess, webhook_id: UUID) -> Response:
    """Send an example of an event, and show what came of it."""
    found = hooks.get(access, str(webhook_id))
    _answer, line = try_out(access, found, typed("event"))
    return _see(_links(access).webhook_delivery(found.webhook_id, line))


@page(LINE, access=MaintainAccess)
def webhook_delivery(access: MaintainAccess, webhook_id: UUID, line_id: int) -> Response:
    """A message: what was sent, and what came of it."""
    found = hooks.get(access, str(webhook_id))
    line = log.get_line(access, found, line_id)
    return _render(
        access,
        "webhook_delivery.html",
        f"{line.event} to {found.name}",
        webhook=found,
        line=line,
        body=_indented(line),
        max_attempts=delivery.ATTEMPTS,
    )


@page(f"{LINE}/again", access=MaintainAccess, method="POST")
def send_again(access: MaintainAccess, webhook_id: UUID, line_id: int) -> Response:
    """Send a message once more."""
    found = hooks.get(access, str(webhook_id))
    line = log.send_again(access, found, line_id)
    return _see(_links(access).webhook_delivery(found.webhook_id, line))


@page(f"{WEBHOOK}/remove", access=MaintainAccess)
def ask_to_remove_webhook(access: MaintainAccess, webhook_id: UUID) -> Response:
    """Ask whether to delete a webhook with its log."""
    found = hooks.get(access, str(webhook_id))
    return _render(access, "webhook_remove.html", f"Remove {found.name}", webhook=found)


@page(f"{WEBHOOK}/remove", access=MaintainAccess, method="POST")
def remove_webhook(access: MaintainAccess, webhook_id: UUID) -> Response:
    """Delete a webhook with its log."""
    found = hooks.get(access, str(webhook_id))
    hooks.delete(access, found.webhook_id)
    return _see(_links(access).webhooks(removed=found.name))


def _before() -> int | None:
    given = state.text("before")
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise Invalid("This page does not exist: its address is not whole; start again.")
    return int(given)


def _indented(line: Line) -> str:
    """What was sent, for people. Signed are the bytes without these spaces."""
    return json.dumps(json.loads(line.body), indent=2, ensure_ascii=False)


def _due(line: Line) -> str:
    """When the next attempt is, in words."""
    left = (line.due_at or 0) - now()
    return "in less than a minute" if left < 60_000 else formats.age(-left)


def _render(access: MaintainAccess, template: str, title: str, **shown: Any) -> Response:
    assets = (*STYLES, "webhooks.css")
    return render(access, template, title=title, assets=assets, due=_due, **shown)


def _links(access: MaintainAccess) -> Links:
    return Links.of(mounted().host, access.project)


def _see(url: str) -> Response:
    return redirect(url, 303)  # type: ignore[return-value]
