"""Bad input gets a 400 or 404 in MLflow's words on every route, never a 5xx, and stores nothing."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

import pytest

from gitlab_mlops.blueprints.endpoint import ROUTES, Route
from tests.contract.test_permissions import path_of
from tests.factories import Forge

WITH_BODY = [
    route
    for route in ROUTES
    if route.access is not None and route.method != "GET" and "mlflow-artifacts" not in route.rule
]
# All that these say is in their path; no form can send DELETE.
WITHOUT_BODY = [
    route
    for route in WITH_BODY
    if route.method == "DELETE" and ("logged-models" in route.rule or "webhooks" in route.rule)
]
QUERIES = [route for route in ROUTES if route.access is not None and route.method == "GET"]

BODIES = {
    "nothing": b"",
    "half an object": b'{"run_id": ',
    "a list": b"[]",
    "a number": b"5",
    "null": b"null",
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "a lone surrogate": b'{"name": "\\ud800", "run_id": "\\ud800", "key": "\\udfff"}',
    "NUL": b'{"name": "a\\u0000b", "run_id": "a\\u0000b", "experiment_ids": ["\\u0000"]}',
    "nesting that the parser takes": b'{"experiment_id": '
    + b"[" * 1000
    + b"]" * 1000
    + b', "run_id": "\\u0000"}',
    "a value that is deep": b'{"run_id": "a", "key": "k", "name": {"a": '
    + b"[" * 990
    + b"]" * 990
    + b'}, "value": '
    + b"[" * 1000
    + b"]" * 1000
    + b"}",
    "deep nesting": b'{"tags": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "a NaN literal": b'{"run_id": "a", "key": "m", "value": NaN, "timestamp": 1}',
    "an infinite literal": b'{"run_id": "a", "key": "m", "value": 1e400, "timestamp": 1}',
    "a huge integer": b'{"max_results": '
    + b"9" * 500
    + b', "experiment_id": "'
    + b"9" * 500
    + b'"}',
    "objects for strings": b'{"run_id": {}, "experiment_id": {}, "name": [], "key": {"a": 1}}',
    "lists of wrong things": b'{"run_id": "a", "metrics": [1], "params": [null], "tags": [[]], '
    b'"datasets": [5], "models": ["m"], "experiment_ids": [{}], "order_by": [1]}',
    "wrong things of models": b'{"name": "churn", "source": {}, "version": [], "alias": {"a": 1}, '
    b'"stages": "x", "stage": 5, "new_name": [], "archive_existing_versions": "x", "tags": [5], '
    b'"experiment_ids": 5}',
    "strings for lists": b'{"run_id": "a", "metrics": "m", "params": "p", "datasets": "d", '
    b'"experiment_ids": "0", "order_by": "x", "models": "m", "tags": "t"}',
}

NO_CONDITION = [
    ("/api/2.0/mlflow/runs/search", BODIES["nothing"]),
    ("/api/2.0/mlflow/runs/search", BODIES["objects for strings"]),
    ("/api/2.0/mlflow/runs/search", BODIES["a value that is deep"]),
]

ODD = [
    "\x00",
    "\ud7ff",
    "9" * 400,
    "-1",
    "NaN",
    "' OR 1=1 --",
    "../..",
    "%",
    "\N{GRINNING FACE}" * 50,
]
NAMES = [
    "run_id", "run_uuid", "run_ids", "experiment_id", "experiment_name", "metric_key", "path",
    "max_results", "page_token", "start_step", "end_step", "filter", "order_by", "view_type",
    "allow_deleted", "artifact_directory_path", "name", "alias", "version", "stages",
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_bad_body_is_refused_on_every_route(forge: Forge, body: bytes) -> None:
    api = forge.maintainer()
    for route in WITH_BODY:
        response = api.call(
            route.method, path_of(route), data=body, content_type="application/json"
        )
        if response.status_code == 200:  # a search without any condition is none that is wrong
            assert (route.rule, body) in NO_CONDITION
            continue
        assert response.status_code in (400, 404), (route, response.get_data())
        assert response.get_json()["error_code"]


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_another_content_type_is_refused_on_every_route(forge: Forge, kind: str) -> None:
    """A form is what a foreign page can send without asking."""
    api = forge.maintainer()
    for route in WITH_BODY:
        if "mpu" not in route.rule and route not in WITHOUT_BODY:
            wanted = (400, "INVALID_PARAMETER_VALUE")
            headers = {"Content-Type": kind} if kind else {}
            answer = api.refused(route.method, path_of(route), data=b"{}", headers=headers)
            assert (route, answer) == (route, wanted)


@pytest.mark.parametrize("route", QUERIES, ids=lambda route: route.rule)
def test_odd_arguments_never_fail_the_server(forge: Forge, route: Route) -> None:
    api = forge.maintainer()
    run_id = api.create_run()
    good = {"run_id": run_id, "run_ids": run_id, "metric_key": "m", "max_results": "5"}
    for name in NAMES:
        for value in ODD:
            response = api.call("GET", path_of(route), query_string={**good, name: value})
            status = response.status_code
            assert status < 500 or status == 501, (name, value, response.get_data())


def test_a_body_over_the_limit_is_too_large(forge: Forge) -> None:
    limit = forge.app.extensions["mlops"].settings.max_body_bytes
    answer = forge.developer().refused(
        "POST", "experiments/create", data=b" " * (limit + 1), content_type="application/json"
    )
    assert answer == (413, "INVALID_PARAMETER_VALUE")


def test_a_body_over_the_forges_own_limit_is_fine(forge: Forge) -> None:
    """host_stub refuses forms of more than 4 MB; MLflow's batches may be larger."""
    api = forge.developer()
    answer = api.call(
        "POST",
        "experiments/create",
        data=b'{"name": "padded"}' + b" " * 6_000_000,
        content_type="application/json",
    )
    assert answer.status_code == 200


@pytest.mark.parametrize("body", [b"zz\r\n{}\r\n0\r\n\r\n", b"5\r\n{}"])
def test_a_broken_chunked_body_is_refused(live_url: str, forge: Forge, body: bytes) -> None:
    api = forge.developer()
    where = urlsplit(live_url)
    head = (
        f"POST {api.base}/api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: x\r\n"
        f"Authorization: {api.headers['Authorization']}\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection((where.hostname, where.port), timeout=30) as connection:
        connection.sendall(head.encode() + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert answer.split()[1] == b"400", answer


def test_a_path_of_the_forges_own_api_keeps_its_body(forge: Forge) -> None:
    """`ml/mlflow` may be a folder of somebody's repository."""
    api = forge.developer()
    path = f"/api/v4/projects/{api.project_id}/repository/files/ml/mlflow/conf.py"
    response = api.app.test_client().put(path, data=b"x", headers=api.headers)
    assert "error_code" not in response.get_data(as_text=True)
