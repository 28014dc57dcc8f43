"""What the requests that come most cost the database: a change that adds a statement fails here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from host_stub.database import db
from tests.browsing import counted_statements
from tests.factories import Api, Forge

METRICS = [{"key": f"b{i}", "value": i / 7, "timestamp": 1, "step": i} for i in range(5)]
PARAMS = [{"key": f"b{i}", "value": "v"} for i in range(5)]


@dataclass(frozen=True)
class Hot:
    """A request, and how many of our statements it takes on each database."""

    method: str
    path: str
    body: dict[str, Any]
    postgresql: int
    sqlite: int
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, api: Api, run_id: str) -> int:
        """Send it for a run; the status."""
        body = {**self.body, "run_id": run_id}
        if self.path in ("runs/create", "runs/search"):
            del body["run_id"]
        options = {"json": body} if self.method == "POST" else {"query_string": body}
        return api.call(self.method, self.path, **options).status_code


SEARCH = {
    "experiment_ids": ["0"],
    "filter": "metrics.m >= 0 and params.p = 'v'",
    "order_by": ["metrics.m DESC"],
}
HOT = {
    "log-metric": Hot(
        "POST", "runs/log-metric", {"key": "m", "value": 1, "timestamp": 2, "step": 2}, 1, 2
    ),
    "log-parameter": Hot("POST", "runs/log-parameter", {"key": "p", "value": "v"}, 1, 1),
    "log-batch of metrics": Hot("POST", "runs/log-batch", {"metrics": METRICS}, 1, 2),
    "log-batch of params": Hot("POST", "runs/log-batch", {"params": PARAMS}, 1, 1),
    "log-batch of all": Hot(
        "POST", "runs/log-batch", {"metrics": METRICS, "params": PARAMS, "tags": PARAMS}, 3, 4
    ),
    "set-tag": Hot("POST", "runs/set-tag", {"key": "t", "value": "v"}, 1, 1),
    "create": Hot("POST", "runs/create", {"experiment_id": "0", "start_time": 1}, 1, 3),
    "update": Hot("POST", "runs/update", {"status": "FINISHED", "end_time": 2}, 1, 1),
    "get": Hot("GET", "runs/get", {}, 1, 4),
    "search": Hot("POST", "runs/search", SEARCH, 6, 8),
    "get-history": Hot("GET", "metrics/get-history", {"metric_key": "m"}, 1, 1),
}


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


@pytest.fixture
def run_id(api: Api) -> str:
    """A run that has something of everything, so that nothing is new to the project."""
    run_id = api.create_run()
    api.post("runs/log-batch", run_id=run_id, metrics=METRICS, params=PARAMS, tags=PARAMS)
    api.post("runs/log-metric", run_id=run_id, key="m", value=1, timestamp=1, step=1)
    api.post("runs/log-parameter", run_id=run_id, key="p", value="v")
    api.post("runs/set-tag", run_id=run_id, key="t", value="v")
    return run_id


@pytest.fixture
def ours(app: Flask) -> Callable[[Callable[[], Any]], list[str]]:
    """Does something; the statements that it sent to tables of the plugin."""

    def watch(act: Callable[[], Any]) -> list[str]:
        with counted_statements(app) as found:
            act()
        return [statement for statement in found if "mlops_" in statement]

    return watch


@pytest.mark.parametrize("name", HOT)
def test_a_hot_request_takes_few_statements(
    app: Flask, api: Api, run_id: str, ours: Callable[..., list[str]], name: str
) -> None:
    hot = HOT[name]
    with app.app_context():
        expected = getattr(hot, db.engine.dialect.name)
    found = ours(lambda: hot.send(api, run_id))
    assert len(found) == expected, "\n---\n".join(found)


@pytest.mark.parametrize("name", HOT)
@pytest.mark.parametrize("secret", [None, "glpat-unknown"])
def test_who_is_nobody_reaches_no_table_of_ours(
    api: Api, run_id: str, ours: Callable[..., list[str]], name: str, secret: str | None
) -> None:
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    nobody = Api(api.app, api.project_id, headers)
    answers: list[int] = []
    assert ours(lambda: answers.append(HOT[name].send(nobody, run_id))) == []
    assert answers == [401]


@pytest.mark.parametrize("count", [2, 50])
def test_a_batch_takes_no_statement_per_item(
    api: Api, run_id: str, ours: Callable[..., list[str]], count: int
) -> None:
    batch = {
        "metrics": [{"key": "b0", "value": i, "timestamp": i, "step": i} for i in range(count)],
        "params": [{"key": f"fresh{i}", "value": "v"} for i in range(count)],
        "tags": [{"key": f"fresh{i}", "value": "v"} for i in range(count)],
    }
    found = ours(lambda: api.post("runs/log-batch", run_id=run_id, **batch))
    assert len(found) <= 5, found
