"""How long Hypothesis tries, and the stock client without a network in between."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from flask import Flask
from hypothesis import HealthCheck, Phase, settings

# Before MLflow is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")

# A fixture's forge serves all examples of a test; each example makes a project of its own.
ALWAYS: dict[str, Any] = {
    "database": None,
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    # What it would explain of a failure takes minutes.
    "phases": [phase for phase in Phase if phase is not Phase.explain],
}
# The same examples each time: a failure is one of the change that is tested. Two databases:
# 2 x 110 x 48 steps of the stateful test.
settings.register_profile(
    "ci", derandomize=True, max_examples=110, stateful_step_count=50, **ALWAYS
)
# Other examples each time, for as long as an operator of the tests likes to wait.
settings.register_profile("soak", max_examples=2000, stateful_step_count=100, **ALWAYS)
settings.load_profile("ci")


class InProcess(requests.adapters.BaseAdapter):
    """Hands the requests of the client to an application of this process."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app = app

    def send(self, request: requests.PreparedRequest, *_: Any, **_options: Any) -> Any:
        """Send one request; the answer, with its whole body."""
        assert request.method
        assert request.url
        answer = self.app.test_client().open(
            request.url, method=request.method, headers=dict(request.headers), data=request.body
        )
        response = requests.Response()
        response.status_code = answer.status_code
        response.reason = answer.status.partition(" ")[2]
        response.headers = requests.structures.CaseInsensitiveDict(answer.headers.items())
        response.url, response.request = request.url, request
        response.encoding = requests.utils.get_encoding_from_headers(response.headers)
        response._content = answer.data
        response._content_consumed = True  # type: ignore[attr-defined]
        return response

    def close(self) -> None:
        """There is nothing to close."""


@pytest.fixture
def tracking(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address that the installed MLflow client reaches the forge by, without its projects."""
    from mlflow.utils import request_utils

    session = requests.Session()
    session.trust_env = False
    session.mount("http://", InProcess(app))
    monkeypatch.setattr(request_utils, "_get_request_session", lambda *_, **__: session)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "")
    yield "http://forge.test"
    session.close()
