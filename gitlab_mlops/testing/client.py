"""What MLflow's client sends, without MLflow."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, urlsplit

from flask import Flask
from werkzeug.test import TestResponse

from gitlab_mlops.host import Credential


class Client:
    """Sends what MLflow's client sends. `project` is the id, or the path, in the URL."""

    def __init__(self, app: Flask, project: str, credential: Credential | None) -> None:
        """Without a credential, the client is nobody."""
        self._http = app.test_client()
        prefix = app.extensions["mlops"].settings.api_prefix.rstrip("/")
        self.uri = f"{prefix}/{quote(project, safe='')}/ml/mlflow"
        self._headers = {} if credential is None else headers(credential)

    def send(self, method: str, path: str, /, **more: Any) -> TestResponse:
        """Send a request to a path below the tracking URI."""
        given = {**self._headers, **more.pop("headers", {})}
        return self._http.open(f"{self.uri}{path}", method=method, headers=given, **more)

    def call(self, method: str, name: str, /, **body: Any) -> TestResponse:
        """Call an endpoint of MLflow's REST API."""
        values = {"query_string": body} if method == "GET" else {"json": body}
        return self.send(method, f"/api/2.0/mlflow/{name}", **values)

    def get(self, name: str, /, **query: Any) -> dict[str, Any]:
        """The answer of an endpoint; asserts that it is 200."""
        return _good(self.call("GET", name, **query))

    def post(self, name: str, /, **body: Any) -> dict[str, Any]:
        """The answer of an endpoint; asserts that it is 200."""
        return _good(self.call("POST", name, **body))

    def start_run(self, **more: Any) -> dict[str, Any]:
        """Start a run in the experiment `Default`; gives its `info`."""
        run = self.post("runs/create", **{"experiment_id": "0", "start_time": 1, **more})["run"]
        info: dict[str, Any] = run["info"]
        return info

    def artifact(self, run: dict[str, Any], name: str) -> str:
        """Path of an artifact of a run, below the tracking URI, as MLflow's client makes it."""
        folder = urlsplit(run["artifact_uri"]).path.lstrip("/")
        return f"/api/2.0/mlflow-artifacts/artifacts/{folder}/{name}"


def headers(credential: Credential) -> dict[str, str]:
    """The header that carries a credential."""
    if credential.scheme == "bearer":
        return {"Authorization": f"Bearer {credential.secret}"}
    if credential.scheme == "basic":
        both = f"{credential.username}:{credential.secret}".encode()
        return {"Authorization": f"Basic {base64.b64encode(both).decode()}"}
    return {credential.scheme.upper(): credential.secret}


def _good(response: TestResponse) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.get_json()
    return answer
