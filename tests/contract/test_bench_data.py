"""What `make bench` writes by SQL is what the API would have stored."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from flask import Flask

from bench.bulk import Batch, add_candidates, add_history
from bench.forge import Forge as BenchForge
from bench.postgresql import SCHEME, Database
from bench.servers import Server
from host_stub.database import db
from tests.factories import Api, Forge


@pytest.fixture
def database(app: Flask) -> Database:
    with app.app_context():
        if db.engine.dialect.name != "postgresql":
            pytest.skip("the benchmark runs on PostgreSQL")
        url = db.engine.url.render_as_string(hide_password=False)
    return Database(url.replace("postgresql+psycopg://", SCHEME, 1))


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


@pytest.fixture
def server(database: Database, api: Api) -> Server:
    forge = BenchForge({}, api.project_id, "", "1", "", "")
    return Server("ours", "", database, 0, {}, forge)


def data_of(api: Api, eid: str) -> dict[str, Any]:
    """Metrics, parameters and tags of a candidate, by their names."""
    data = api.get("runs/get", run_id=eid)["run"]["data"]
    return {kind: {each["key"]: each for each in data[kind]} for kind in data}


def test_candidates_have_what_the_search_of_the_benchmark_looks_for(
    api: Api, server: Server
) -> None:
    experiment = api.post("experiments/create", name="bulk")["experiment_id"]
    batch = Batch(f"bulk-{secrets.token_hex(4)}", experiment, 16)
    add_candidates(server, batch)
    found = api.post(
        "runs/search",
        experiment_ids=[experiment],
        filter="metrics.m3 > 0.01 and params.p3 = '3'",
        order_by=["metrics.m1 DESC"],
    )["runs"]
    assert [run["info"]["run_id"] for run in found] == [batch.eid(n) for n in (15, 11, 7, 3)]
    data = data_of(api, batch.eid(7))
    assert (len(data["metrics"]), len(data["params"]), len(data["tags"])) == (10, 20, 6)
    assert data["metrics"]["m1"]["value"] == 14 / 997
    history = api.get("metrics/get-history", run_id=batch.eid(7), metric_key="m1")["metrics"]
    assert [point["step"] for point in history] == [1, 2, 3]
    assert history[-1] == data["metrics"]["m1"]


def test_the_next_candidate_gets_a_number_that_is_free(api: Api, server: Server) -> None:
    experiment = api.post("experiments/create", name="bulk")["experiment_id"]
    add_candidates(server, Batch(f"bulk-{secrets.token_hex(4)}", experiment, 3))
    api.create_run(experiment)
    query = "SELECT array_agg(iid ORDER BY id) FROM mlops_candidates WHERE project_id = %s"
    assert server.database.value(query, api.project_id) == [1, 2, 3, 4]


def test_a_history_goes_on_where_the_statements_ended(api: Api, server: Server) -> None:
    experiment = api.post("experiments/create", name="bulk")["experiment_id"]
    run = api.create_run(experiment)
    add_history(server, run, "curve", 5)
    api.post("runs/log-metric", run_id=run, key="curve", value=0.5, timestamp=9, step=6)
    points = api.get("metrics/get-history", run_id=run, metric_key="curve")["metrics"]
    assert sorted(point["step"] for point in points) == [1, 2, 3, 4, 5, 6]
    assert data_of(api, run)["metrics"]["curve"]["step"] == 6
