"""The installed MLflow client sees the same of stock and of us."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from .replay import Target

pytest.importorskip("mlflow")

from mlflow import MlflowClient

from .client_calls import CLIENT_CALLS, ClientCall


@pytest.mark.parametrize("client_call", CLIENT_CALLS, ids=lambda each: each.__name__)
def test_the_client_sees_the_same(
    client_call: ClientCall,
    stock_server: Target,
    live_project: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", live_project.token)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    name = f"client {uuid.uuid4().hex}"
    results: list[Any] = []
    for target in (stock_server, live_project):
        folder = tmp_path / str(len(results))
        folder.mkdir()
        results.append(client_call(MlflowClient(target.tracking_uri), name, folder))
    assert results[1] == results[0]
