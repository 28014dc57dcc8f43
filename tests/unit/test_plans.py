"""PostgreSQL answers the hottest requests from the indexes that were made for them.

The tables are filled in the database itself with just so many rows that reading all of them would
be dearer than an index. Nothing is timed: the plans say it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Connection, event

from gitlab_mlops import migrations
from gitlab_mlops.models import Param
from host_stub import create_app
from host_stub.database import db
from tests.browsing import Browser
from tests.factories import Api, Forge
from tests.postgresql import new_postgresql_database

CANDIDATES = 30_000
"""A third of them in the experiment that is asked for."""
LARGE = {f"mlops_{name}" for name in ("candidates", "params", "metric_series", "metric_points")} | {
    "mlops_candidate_tags"
}
NUMBERS = f"generate_series(1, {CANDIDATES}) n"

EID = "md5(n::text)"
EXPERIMENT = f"CASE WHEN n <= {CANDIDATES // 3} THEN {{experiment}} ELSE {{other}} END"
# With the column of the experiment, should parameters have one.
PARAMS = ", ".join(each.name for each in Param.__table__.columns)
VALUES = {"candidate_id": "n", "experiment_id": EXPERIMENT, "key": "'p' || k"}
PARAM_VALUES = ", ".join(
    VALUES.get(each.name, "mod(n, k * 10)::text") for each in Param.__table__.columns
)
FILL = (
    "INSERT INTO mlops_candidates (id, project_id, experiment_id, iid, eid, name, status, user_id,"
    " start_time, created_at, deleted_at)"
    f" SELECT n, {{project}}, {EXPERIMENT}, n, {EID}, 'run-' || n, 3, 'u', n, n,"
    f" CASE WHEN mod(n, 50) = 0 THEN n END FROM {NUMBERS}",
    f"INSERT INTO mlops_params ({PARAMS}) SELECT {PARAM_VALUES} FROM {NUMBERS},"
    " generate_series(1, 4) k",
    "INSERT INTO mlops_candidate_tags (candidate_id, key, value)"
    f" SELECT n, 't' || k, mod(n, 7) FROM {NUMBERS}, generate_series(1, 3) k",
    "INSERT INTO mlops_metric_keys (id, project_id, key)"
    " SELECT k, {project}, 'm' || k FROM generate_series(1, 2) k",
    "INSERT INTO mlops_metric_series (id, candidate_id, experiment_id, key_id, step, timestamp,"
    " value, lowest, highest)"
    f" SELECT n * 2 + k, n, {EXPERIMENT}, k, 4, 4, mod(n * 37, 1009), 0, 1009 FROM {NUMBERS},"
    " generate_series(1, 2) k",
    "INSERT INTO mlops_metric_points (series_id, timestamp, step, value)"
    f" SELECT n * 2 + k, step, step, mod(n * 37, 1009) FROM generate_series(1, 4) step, {NUMBERS},"
    " generate_series(1, 2) k",
    "SELECT setval(pg_get_serial_sequence('mlops_candidates', 'id'), 1000000),"
    " setval(pg_get_serial_sequence('mlops_metric_series', 'id'), 1000000),"
    " setval(pg_get_serial_sequence('mlops_metric_keys', 'id'), 1000000)",
    "UPDATE mlops_projects SET candidates = 1000000",
    "VACUUM ANALYZE",
)


@dataclass
class Plan:
    """What PostgreSQL would do for the statements of a request."""

    indexes: set[str] = field(default_factory=set)
    index_only: set[str] = field(default_factory=set)
    scanned: set[str] = field(default_factory=set)

    def add(self, node: dict[str, Any]) -> None:
        """Note a node and all below it."""
        if "Index Name" in node:
            self.indexes.add(node["Index Name"])
            if node["Node Type"] == "Index Only Scan":
                self.index_only.add(node["Index Name"])
        elif node["Node Type"] == "Seq Scan":
            self.scanned.add(node["Relation Name"])
        self.indexes.update(node.get("Conflict Arbiter Indexes", ()))
        for below in node.get("Plans", ()):
            self.add(below)


@dataclass
class Large:
    """A forge with an experiment of many candidates, and who asks."""

    app: Flask
    api: Api
    browser: Browser
    experiment: str
    run_id: str

    def ask(self, name: str) -> list[tuple[str, Any]]:
        """Send a request of `REQUESTS`; its statements with their parameters."""
        found: list[tuple[str, Any]] = []

        def note(*arguments: Any) -> None:
            if "mlops_" in arguments[2]:
                parameters = arguments[3]
                found.append((arguments[2], parameters[0] if arguments[5] else parameters))

        with self.app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            REQUESTS[name](self)
        finally:
            event.remove(engine, "before_cursor_execute", note)
        assert found
        return found

    def plan(self, connection: Connection, statements: list[tuple[str, Any]]) -> Plan:
        """The plans of these statements; nothing is executed."""
        plan = Plan()
        for statement, parameters in statements:
            found = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
            answer = found.scalar_one()
            explained = json.loads(answer) if isinstance(answer, str) else answer
            plan.add(explained[0]["Plan"])
        return plan


def _history(large: Large) -> None:
    query = {"run_id": large.run_id, "metric_key": "m1", "max_results": 100}
    assert len(large.api.get("metrics/get-history", **query)["metrics"]) >= 4


def _search(large: Large, **how: Any) -> None:
    body = {"experiment_ids": [large.experiment], "max_results": 100, **how}
    assert len(large.api.post("runs/search", **body)["runs"]) == 100


def _log_metric(large: Large) -> None:
    metric = {"key": "m1", "value": 1.5, "timestamp": 9, "step": 9}
    large.api.post("runs/log-metric", run_id=large.run_id, **metric)


def _page(large: Large, path: str) -> None:
    assert large.browser.raw(path.format(large.experiment)).status_code == 200


REQUESTS: dict[str, Any] = {
    "create": lambda large: large.api.create_run(large.experiment),
    "log a metric": _log_metric,
    "log a parameter": lambda large: large.api.post(
        "runs/log-parameter", run_id=large.run_id, key=f"p-{secrets.token_hex(4)}", value="1"
    ),
    "get": lambda large: large.api.get("runs/get", run_id=large.run_id),
    "history": _history,
    "newest first": _search,
    "best first": lambda large: _search(large, order_by=["metrics.m1 DESC"]),
    "good and best first": lambda large: _search(
        large, order_by=["metrics.m1 DESC"], filter="metrics.m2 > 500 and params.p1 = '3'"
    ),
    "card": lambda large: _page(large, "experiments/{}/card"),
    "list of experiments": lambda large: _page(large, "experiments"),
    "table": lambda large: _page(large, "experiments/{}"),
    "trash": lambda large: _page(large, "experiments/{}?view=deleted"),
    "candidate": lambda large: _page(large, "candidates/7"),
    "curves": lambda large: _page(large, "curves?candidates=7&metrics=m1"),
}

EID_INDEX, POINTS = "uq_mlops_candidates_eid", "pk_mlops_metric_points"
OWN_SERIES = "uq_mlops_metric_series_candidate_id_key_id"
BY_VALUE, BY_START = "ix_mlops_metric_series_value", "ix_mlops_candidates_experiment_start"
MEANT = [
    ("log a metric", EID_INDEX),
    ("log a metric", OWN_SERIES),
    ("log a parameter", EID_INDEX),
    ("get", EID_INDEX),
    ("get", OWN_SERIES),
    ("get", "pk_mlops_params"),
    ("get", "pk_mlops_candidate_tags"),
    ("history", POINTS),
    ("newest first", BY_START),
    ("best first", BY_VALUE),
    ("good and best first", BY_VALUE),
    ("card", "ix_mlops_candidates_active"),
    ("list of experiments", "ix_mlops_candidates_active"),
    ("table", "ix_mlops_candidates_trashed"),
    ("trash", "ix_mlops_candidates_trashed"),
    ("candidate", "uq_mlops_candidates_project_id_iid"),
    ("candidate", POINTS),
    ("curves", POINTS),
]


@pytest.fixture(scope="module")
def large(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Large]:
    """The forge on a PostgreSQL of its own, filled."""
    config = {
        "DATABASE_URL": new_postgresql_database(postgresql_url),
        "SECRET_KEY": secrets.token_hex(32),
        "INSTANCE_PATH": str(tmp_path_factory.mktemp("instance")),
        "MLOPS_WEBHOOKS_THREAD": False,
    }
    app = create_app(config)
    with app.app_context():
        db.create_all()
        migrations.upgrade(db.engine)
    forge = Forge(app)
    api = forge.developer()
    experiment = api.post("experiments/create", name="large")["experiment_id"]
    api.post("experiments/create", name="other")
    with app.app_context():
        engine = db.engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            ids = "SELECT id FROM mlops_experiments ORDER BY id"
            id, other = connection.exec_driver_sql(ids).scalars()
            names = {"project": api.project_id, "experiment": id, "other": other}
            for statement in FILL:
                connection.exec_driver_sql(statement.format(**names))
            eid = connection.exec_driver_sql("SELECT md5('7')").scalar_one()
    browser = Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))
    yield Large(app, api, browser, experiment, eid)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.mark.parametrize("request_name", REQUESTS)
def test_no_request_reads_a_whole_table(large: Large, request_name: str) -> None:
    statements = large.ask(request_name)
    with large.app.app_context(), db.engine.connect() as connection:
        plans = [(each[0], large.plan(connection, [each])) for each in statements]
    assert [statement for statement, plan in plans if plan.scanned & LARGE] == []


@pytest.mark.parametrize(("request_name", "index"), MEANT)
def test_a_request_uses_the_index_that_is_meant_for_it(
    large: Large, request_name: str, index: str
) -> None:
    statements = large.ask(request_name)
    with large.app.app_context(), db.engine.connect() as connection:
        assert index in large.plan(connection, statements).indexes


def test_points_and_counts_come_from_their_indexes_alone(large: Large) -> None:
    with large.app.app_context(), db.engine.connect() as connection:
        assert POINTS in large.plan(connection, large.ask("history")).index_only
        assert POINTS in large.plan(connection, large.ask("curves")).index_only
        counted = large.plan(connection, large.ask("card")).index_only
        assert "ix_mlops_candidates_active" in counted


@pytest.mark.parametrize(
    ("request_name", "drop"),
    [
        ("history", "ALTER TABLE mlops_metric_points DROP CONSTRAINT pk_mlops_metric_points"),
        ("best first", "DROP INDEX ix_mlops_metric_series_value"),
        ("get", f"ALTER TABLE mlops_candidates DROP CONSTRAINT {EID_INDEX}"),
        ("card", "DROP INDEX ix_mlops_candidates_active"),
    ],
)
def test_without_its_index_a_request_reads_a_whole_table(
    large: Large, request_name: str, drop: str
) -> None:
    """So that the tests above can fail."""
    statements = large.ask(request_name)
    with large.app.app_context(), db.engine.connect() as connection:
        connection.exec_driver_sql(drop)
        plan = large.plan(connection, statements)
        connection.rollback()
    assert plan.scanned & LARGE or not plan.indexes & {BY_VALUE, "ix_mlops_candidates_active"}
