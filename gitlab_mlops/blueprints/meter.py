"""Counts and times requests for Prometheus. Imported only where the operator wants metrics.

No label is anybody's text: routes are our own rules, and nothing names a project or a person.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any

from flask import Flask, Response, request, request_finished, request_started
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import Engine

from gitlab_mlops.blueprints import bodies
from gitlab_mlops.services import figures
from gitlab_mlops.services.figures import Figures

STARTED = "mlops.started"
PLACES = (("/ml/mlflow", "mlops_api."), ("/-/ml", "mlops"))
"""What ends the part of a rule that names the project, and how our endpoints begin there."""
BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
"""Seconds."""

Engines = Callable[[], Sequence[Engine]]


class Meter:
    """What one application measures. In several processes, they share a folder for it."""

    def __init__(self, app: Flask, engines: Engines) -> None:
        self._engines = engines
        self._pooled: Sequence[Engine] = ()
        self._registry = registry = CollectorRegistry()
        self._requests = Counter(
            "mlops_requests",
            "Requests to the tracking API and the pages.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._seconds = Histogram(
            "mlops_request_seconds",
            "Seconds until the answer begins.",
            ["method", "route"],
            buckets=BUCKETS,
            registry=registry,
        )
        self._bytes = Counter(
            "mlops_artifact_bytes",
            "Bytes of artifacts, as their senders announced them.",
            ["direction"],
            registry=registry,
        )
        self._in_use = Gauge(
            "mlops_database_connections_in_use",
            "Connections in use when the last request of each process ended.",
            multiprocess_mode="livesum",
            registry=registry,
        )
        self._routes = _routes(app)
        self._children: dict[tuple[str, str, int], tuple[Any, Any]] = {}
        self._queried = CollectorRegistry()
        self._queried.register(_Queried(engines))
        # Signals hold their receivers weakly; the application holds this.
        request_started.connect(self._start, sender=app)
        request_finished.connect(self._finish, sender=app)

    def read(self) -> tuple[bytes, str]:
        """All figures as text, and its content type."""
        registry = self._registry
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(self._queried), CONTENT_TYPE_LATEST

    def _start(self, _app: Flask, **_more: object) -> None:
        request.environ[STARTED] = perf_counter()

    def _finish(self, _app: Flask, *, response: Response, **_more: object) -> None:
        route = self._routes.get(request.endpoint or "")
        if route is None:
            return
        key = (request.method, route, response.status_code)
        if key not in self._children:
            method, _, status = key
            self._children[key] = (
                self._requests.labels(method, route, str(status)),
                self._seconds.labels(method, route),
            )
        requests, seconds = self._children[key]
        requests.inc()
        seconds.observe(perf_counter() - request.environ[STARTED])
        if not self._pooled:
            self._pooled = self._engines()
        self._in_use.set(sum(map(_in_use, self._pooled)))
        self._count_bytes(response)

    def _count_bytes(self, response: Response) -> None:
        if request.method == "PUT" and response.status_code == 200:
            length = request.environ.get(bodies.LENGTH, "")
            self._bytes.labels("in").inc(int(length) if length.isdecimal() else 0)
        elif request.method == "GET" and "Content-Disposition" in response.headers:
            self._bytes.labels("out").inc(response.content_length or 0)


class _Queried:
    """What the databases are asked for when somebody reads the figures."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        found = figures.of(self._engines())
        for make, name, text, labels, values in _FAMILIES:
            family = make(f"mlops_{name}", text, labels=["database", *labels])
            for number, each in enumerate(found):
                for label, value in values(each):
                    family.add_metric([str(number), *map(str, label)], value)
            yield family


Values = Iterable[tuple[tuple[object, ...], float]]
Family = tuple[type[Any], str, str, list[str], Callable[[Figures], Values]]
_FAMILIES: tuple[Family, ...] = (
    (
        GaugeMetricFamily,
        "database_up",
        "Whether the database of this number, as the forge lists them, answers.",
        [],
        lambda found: [((), float(found.is_up))],
    ),
    (
        GaugeMetricFamily,
        "webhook_messages_waiting",
        "Messages of webhooks that are to be sent, by the attempts so far.",
        ["attempts"],
        lambda found: [((attempts,), count) for attempts, count in found.waiting.items()],
    ),
    (
        GaugeMetricFamily,
        "webhook_late_seconds",
        "How long ago the message was due that waits for longest.",
        [],
        lambda found: [((), found.late)] if found.is_up else [],
    ),
    (
        CounterMetricFamily,
        "rows_inserted",
        "Rows that PostgreSQL has inserted: of mlops_candidates, mlops_metric_points, ...",
        ["table"],
        lambda found: [((table,), count) for table, count in found.inserted.items()],
    ),
    (
        GaugeMetricFamily,
        "table_bytes",
        "Bytes of a table in PostgreSQL, indexes included.",
        ["table"],
        lambda found: [((table,), size) for table, size in found.size.items()],
    ),
)


def _routes(app: Flask) -> dict[str, str]:
    """Our endpoints with what their rules say below the project; what nobody declared is one."""
    routes: dict[str, str] = {}
    for rule in app.url_map.iter_rules():
        for mark, endpoint in PLACES:
            _, found, route = rule.rule.partition(mark)
            if found and rule.endpoint.startswith(endpoint):
                routes[rule.endpoint] = "other" if rule.endpoint.endswith(".not_found") else route
                break
    return routes


def _in_use(engine: Engine) -> int:
    count: Callable[[], int] | None = getattr(engine.pool, "checkedout", None)
    return count() if count is not None else 0
