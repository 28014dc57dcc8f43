"""Webhooks on the wire: `mlflow.protos.webhooks_pb2` and its requests.

MLflow's client fails on an event that it does not know, so ours stand in a field of their own,
which it passes over.
"""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from gitlab_mlops.services.webhooks.events import EVENTS, Event
from gitlab_mlops.services.webhooks.hooks import WebhookRecord
from gitlab_mlops.services.webhooks.transport import Answer
from gitlab_mlops.wire import paging
from gitlab_mlops.wire.fields import Repeated, Value
from gitlab_mlops.wire.schema import Request
from gitlab_mlops.wire.values import invalid, to_int64, to_object, to_text

DEFAULT_RESULTS, MAX_RESULTS = 100, 1000
ENTITIES = (
    "registered_model", "model_version", "model_version_tag", "model_version_alias", "prompt",
    "prompt_version", "prompt_tag", "prompt_version_tag", "prompt_alias", "budget_policy",
)  # fmt: skip
"""MLflow's WebhookEntity by number, from 1."""
ACTIONS = ("created", "updated", "deleted", "set", "exceeded")
"""MLflow's WebhookAction by number, from 1."""
STATUSES = {"ACTIVE": True, "DISABLED": False, 1: True, 2: False}
OURS = "run_events"
"""The field of the events that MLflow does not know."""


def to_event(item: Any, path: str) -> str:
    """The name of an event, of `{"entity": "MODEL_VERSION", "action": "CREATED"}`."""
    given = to_object(item, path)
    entity = _word(given.get("entity"), ENTITIES, f"{path}.entity")
    action = _word(given.get("action"), ACTIONS, f"{path}.action")
    if (name := f"{entity}.{action}") in EVENTS:
        return name
    if known := sorted(each.action for each in EVENTS.values() if each.entity == entity):
        raise ValidationError(
            f"Invalid action '{action[:50]}' for entity '{entity}'. Valid actions are: {known}"
        )
    raise invalid(f"{path}.entity", given.get("entity"), "Nothing of that kind happens here.")


def _word(value: Any, words: tuple[str, ...], path: str) -> str:
    """An enum as its name in small letters, from its name or its number."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= len(words):
        return words[value - 1]
    return to_text("" if value is None else value, path).lower()


def to_status(value: Any, path: str) -> bool:
    """Whether a webhook is active."""
    if isinstance(value, (str, int)) and not isinstance(value, bool) and value in STATUSES:
        return STATUSES[value]
    raise invalid(path, value, "It must be ACTIVE or DISABLED.")


def to_size(value: Any, path: str) -> int:
    """How many webhooks a page has; MLflow takes 0 for its default."""
    size = to_int64(value, path) or DEFAULT_RESULTS
    if not 0 < size <= MAX_RESULTS:
        raise ValidationError(f"max_results must be between 1 and {MAX_RESULTS}.")
    return size


def to_position(value: Any, path: str) -> int | None:
    """The internal id after which a page begins; None for the first one."""
    token = to_text(value, path)
    if not token:
        return None
    after = paging.decode(token).get("after")
    if isinstance(after, bool) or not isinstance(after, int) or not 0 < after < 2**63:
        raise ValidationError("Invalid page token: send a next_page_token as it was received.")
    return after


class Create(Request):
    """webhooks (POST)."""

    name = Value(to_text, required=True)
    url = Value(to_text, required=True)
    events = Repeated(to_event, required=True, filled=True, limit=len(EVENTS))
    description = Value(to_text, load_default="")
    secret = Value(to_text, load_default="")
    is_active = Value(to_status, data_key="status", load_default=True)


class Update(Request):
    """webhooks/<id> (PATCH); what is not there stays."""

    name = Value(to_text)
    url = Value(to_text)
    events = Repeated(to_event, limit=len(EVENTS))
    description = Value(to_text)
    secret = Value(to_text)
    is_active = Value(to_status, data_key="status")


class List(Request):
    """webhooks (GET). `run_events`: also those that only want events MLflow does not know."""

    limit = Value(to_size, data_key="max_results", load_default=DEFAULT_RESULTS)
    after = Value(to_position, data_key="page_token", load_default=None)
    with_ours = Value(lambda value, path: value == "true", data_key=OURS, load_default=False)


class Test(Request):
    """webhooks/<id>/test."""

    event = Value(to_event, load_default="")


def changes(given: dict[str, Any]) -> dict[str, Any]:
    """What an update really changes: MLflow takes an empty name, URL or list for none."""
    return {
        key: value
        for key, value in given.items()
        if value not in ("", []) or key in ("description", "secret")
    }


def webhook(record: WebhookRecord) -> dict[str, Any]:
    """MLflow's Webhook. The secret is never shown."""
    events = [EVENTS[name] for name in record.events]
    answer = {
        "webhook_id": record.webhook_id,
        "name": record.name,
        "url": record.url,
        "events": [_event(each) for each in events if each.is_mlflows],
        "status": "ACTIVE" if record.is_active else "DISABLED",
        "creation_timestamp": record.created_at,
        "last_updated_timestamp": record.updated_at,
    }
    if record.description:
        answer["description"] = record.description
    if ours := [_event(each) for each in events if not each.is_mlflows]:
        answer[OURS] = ours
    return answer


def _event(event: Event) -> dict[str, str]:
    return {"entity": event.entity.upper(), "action": event.action.upper()}


def is_mlflows(record: WebhookRecord) -> bool:
    """Whether MLflow's client can read a webhook: it fails on one without an event it knows."""
    return any(EVENTS[name].is_mlflows for name in record.events)


def page(records: list[WebhookRecord], limit: int) -> dict[str, Any]:
    """The first `limit` of some webhooks, and how to get at the others."""
    answer: dict[str, Any] = {}
    if shown := records[:limit]:
        answer["webhooks"] = [webhook(record) for record in shown]
    if len(records) > limit:
        answer["next_page_token"] = paging.encode({"after": shown[-1].id})
    return answer


def test_result(answer: Answer) -> dict[str, Any]:
    """MLflow's WebhookTestResult."""
    result: dict[str, Any] = {"success": answer.is_good}
    if answer.status is not None:
        result["response_status"] = answer.status
    if answer.body:
        result["response_body"] = answer.body
    if answer.reason:
        result["error_message"] = answer.reason
    return result
