"""What is sent: a body in MLflow's form, and headers that prove who sent it.

The same as MLflow sends, so that a receiver written for MLflow works; see `docs/webhooks.md`.
"""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gitlab_mlops.host import Project
from gitlab_mlops.services.webhooks.events import Event

ID, TIMESTAMP, SIGNATURE = "X-MLflow-Delivery-Id", "X-MLflow-Timestamp", "X-MLflow-Signature"
USER_AGENT = "gitlab-mlops"


def body_of(event: Event, project: Project, data: Mapping[str, Any]) -> str:
    """The body of a message; `project` is ours, and receivers of MLflow's pass over it."""
    return json.dumps(
        {
            "entity": event.entity,
            "action": event.action,
            "timestamp": datetime.now(UTC).isoformat(),
            "data": data,
            "project": {"id": project.id, "path": project.path},
        },
        allow_nan=False,
    )


def headers_of(delivery_id: str, body: str, secret: str | None) -> dict[str, str]:
    """The headers of one attempt, signed for now if there is a secret."""
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        ID: delivery_id,
        TIMESTAMP: timestamp,
    }
    if secret:
        headers[SIGNATURE] = signature_of(secret, delivery_id, timestamp, body)
    return headers


def signature_of(secret: str, delivery_id: str, timestamp: str, body: str) -> str:
    """MLflow's signature, version 1: HMAC-SHA256 over id, time and body."""
    signed = f"{delivery_id}.{timestamp}.{body}".encode()
    return f"v1,{base64.b64encode(hmac.digest(secret.encode(), signed, 'sha256')).decode()}"
