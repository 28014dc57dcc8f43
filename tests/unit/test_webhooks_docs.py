"""`docs/webhooks.md` names every event, and its example of a receiver is right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from gitlab_mlops.host import Project
from gitlab_mlops.services.webhooks.events import EVENTS, Event
from gitlab_mlops.services.webhooks.messages import ID, SIGNATURE, TIMESTAMP, body_of, headers_of

DOCUMENT = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


def test_every_event_is_in_the_table() -> None:
    assert re.findall(r"^\| `([\w.]+)` \| (?!the)", DOCUMENT, re.MULTILINE) == list(EVENTS)


def test_every_header_is_in_the_table() -> None:
    assert set(re.findall(r"^\| `(X-[\w-]+)` \|", DOCUMENT, re.MULTILINE)) == {
        ID,
        TIMESTAMP,
        SIGNATURE,
    }


def test_the_example_of_a_message_has_what_a_message_has() -> None:
    (text,) = re.findall(r"^```json\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    shown, event = json.loads(text), EVENTS["run.finished"]
    made = json.loads(body_of(event, Project(7, "group/project"), event.example))
    assert shown.keys() == made.keys()
    assert shown["data"].keys() == made["data"].keys()


def test_the_example_of_a_receiver_believes_us_and_nobody_else() -> None:
    (code,) = re.findall(r"^```python\n(import base64.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    body = body_of(EVENTS["run.created"], Project(1, "a/ä"), {"a": "ä"})
    headers = headers_of("an-id", body, "s3cret")
    believes = names["is_genuine"]
    assert believes(headers, body.encode(), "s3cret")
    assert not believes(headers, body.encode() + b" ", "s3cret")
    assert not believes(headers, body.encode(), "other")
    assert not believes({**headers, ID: "another"}, body.encode(), "s3cret")
    assert not believes({**headers, TIMESTAMP: "1700000000"}, body.encode(), "s3cret")


def test_the_examples_are_mlflows() -> None:
    from mlflow.entities.webhook import WebhookEvent
    from mlflow.webhooks.types import get_example_payload_for_event

    mlflows: list[Event] = [each for each in EVENTS.values() if each.is_mlflows]
    assert len(mlflows) == 14
    for event in mlflows:
        assert event.example == get_example_payload_for_event(WebhookEvent.from_str(event.name))  # type: ignore[arg-type]
