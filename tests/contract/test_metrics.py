"""Figures for Prometheus: off unless wanted, for the token only, and without anybody's text."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families as families
from werkzeug.test import TestResponse

from gitlab_mlops.blueprints.metrics import METER
from gitlab_mlops.services import figures
from host_stub import create_app
from host_stub.database import db
from tests.browsing import Browser, log, upload
from tests.factories import Api, Forge

TOKEN = "a token that only Prometheus has"
Samples = dict[tuple[str, tuple[str, ...]], float]


@pytest.fixture
def measured(app: Flask, config: dict[str, Any]) -> Iterator[Forge]:
    """The same forge once more, with metrics."""
    forge = Forge(create_app({**config, "MLOPS_METRICS_TOKEN": TOKEN}))
    yield forge
    with forge.app.app_context():
        db.session.remove()
        db.engine.dispose()


def scrape(forge: Forge, authorization: str = f"Bearer {TOKEN}") -> TestResponse:
    headers = {"Authorization": authorization} if authorization else {}
    return forge.app.test_client().get("/-/mlops/metrics", headers=headers)


def samples(forge: Forge) -> Samples:
    """What is measured, by name and the values of the labels."""
    response = scrape(forge)
    assert response.status_code == 200
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in families(response.text)
        for sample in family.samples
    }


def developer(forge: Forge) -> Api:
    project = forge.project()
    return forge.api(project, forge.token(forge.member(project, "developer")))


def test_without_the_setting_there_is_nothing(app: Flask) -> None:
    assert app.test_client().get("/-/mlops/metrics").status_code == 404
    assert METER not in app.extensions


def test_a_forge_without_metrics_does_not_import_the_client() -> None:
    code = "import sys, host_stub; print('prometheus_client' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert found.stdout == "False\n"


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer x", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer é"]
)
def test_whoever_has_not_the_token_reads_nothing(measured: Forge, authorization: str) -> None:
    response = scrape(measured, authorization)
    assert response.status_code == 401
    assert "mlops_" not in response.text


def test_requests_are_counted_by_route_method_and_status(measured: Forge) -> None:
    api = developer(measured)
    run_id = log(api)
    api.get("runs/get", run_id=run_id)
    api.refused("GET", "runs/get?run_id=nothing")
    api.refused("PATCH", "/api/2.0/mlflow/nothing")
    found = samples(measured)
    create, get = "/api/2.0/mlflow/runs/create", "/api/2.0/mlflow/runs/get"
    assert found["mlops_requests_total", ("POST", create, "200")] == 1
    assert found["mlops_requests_total", ("GET", get, "200")] == 1
    (refused,) = {
        found.get(("mlops_requests_total", ("GET", get, str(s))), 0) for s in (400, 404)
    } - {0}
    assert refused == 1
    assert found["mlops_requests_total", ("PATCH", "other", "404")] == 1
    assert found["mlops_request_seconds_count", ("GET", get)] == 2
    assert ("mlops_database_connections_in_use", ()) in found


def test_pages_are_counted_and_the_forges_own_are_not(measured: Forge) -> None:
    api = developer(measured)
    log(api)
    browser = Browser.open(measured, api.project_id, measured.member(api.project_id, "owner"))
    assert browser.get("candidates/1").status == 200
    assert measured.app.test_client().get("/users/sign_in").status_code == 200
    routes = {labels[1] for name, labels in samples(measured) if name == "mlops_requests_total"}
    assert "/candidates/<int(max=2147483647):candidate_iid>" in routes
    assert not any("sign_in" in route for route in routes)


def test_nothing_that_a_client_says_becomes_a_label(measured: Forge) -> None:
    api = developer(measured)
    path = measured.path(api.project_id)
    for name in ("oak", "elm"):
        run_id = log(api, f"{name}-run", metrics={f"{name}-metric": 1.0})
        upload(api, run_id, f"{name}-file.txt")
        api.call("GET", f"/api/2.0/mlflow/{name}-path")
    text = scrape(measured).text
    for word in ("oak", "elm", path, run_id):
        assert word not in text


def test_bytes_of_artifacts_are_counted(measured: Forge) -> None:
    api = developer(measured)
    run_id = log(api)
    upload(api, run_id, "a.bin", b"x" * 1000)
    path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/a.bin"
    assert len(api.call("GET", path).get_data()) == 1000
    assert len(api.call("GET", path, headers={"Range": "bytes=0-99"}).get_data()) == 100
    found = samples(measured)
    assert found["mlops_artifact_bytes_total", ("in",)] == 1000
    assert found["mlops_artifact_bytes_total", ("out",)] == 1100


def test_the_database_tells_of_its_tables_and_of_the_queue(measured: Forge) -> None:
    api = developer(measured)
    log(api, metrics={"loss": 1.0})
    maintainer = measured.member(api.project_id, "maintainer")
    owner = measured.api(api.project_id, measured.token(maintainer))
    events = [{"entity": "RUN", "action": "CREATED"}]
    owner.post("webhooks", name="ci", url="https://ci.example.org/", events=events)
    log(api)
    found = samples(measured)
    assert found["mlops_database_up", ("0",)] == 1
    assert found["mlops_webhook_messages_waiting", ("0", "0")] >= 1
    assert found["mlops_webhook_late_seconds", ("0",)] >= 0
    with measured.app.app_context():
        is_postgresql = db.engine.dialect.name == "postgresql"
    size = found.get(("mlops_table_bytes", ("0", "mlops_metric_points")), 0)
    assert (size > 0) == is_postgresql


def test_a_database_that_is_away_is_told_not_raised(config: dict[str, Any]) -> None:
    url = "postgresql+psycopg://someone@127.0.0.1:1/nothing"
    forge = Forge(create_app({**config, "DATABASE_URL": url, "MLOPS_METRICS_TOKEN": TOKEN}))
    found = samples(forge)
    assert found["mlops_database_up", ("0",)] == 0
    assert not any(name.startswith("mlops_webhook") for name, _ in found)


def test_a_token_that_can_be_guessed_is_refused(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="MLOPS_METRICS_TOKEN has 6 characters"):
        create_app({**config, "MLOPS_METRICS_TOKEN": "secret"})


def test_without_the_client_the_start_says_what_to_install(
    config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "gitlab_mlops.blueprints.meter", raising=False)
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ValueError, match=r"pip install 'gitlab-mlops-plugin\[metrics\]'"):
        create_app({**config, "MLOPS_METRICS_TOKEN": TOKEN})


def test_partitions_count_for_their_table() -> None:
    relations = {
        "mlops_metric_points": "mlops_metric_points",
        "mlops_metric_points_3": "mlops_metric_points",
        "mlops_candidates": "mlops_candidates",
        "mlops_candidate_tags": "mlops_candidate_tags",
    }
    assert {each: figures.table_of(each) for each in relations} == relations
    assert figures.table_of("mlops_somebody_elses") is None
