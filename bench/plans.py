"""Asks PostgreSQL how it runs each statement of the API and of the pages on what `scale` made.

`python -m bench.plans --candidates 1000000 --points 100000000` prints a line per request, and the
statements that read much; `--save` keeps the figures, `--against` compares them with others.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from flask import Flask
from sqlalchemy import event, select

from bench.scale import PROJECTS, Size, config_of, eid_of, prepare, server
from host_stub import create_app
from host_stub.database import db
from host_stub.tokens import create_token
from host_stub.users import User

LARGE = 100_000
"""Rows of a table that no request should read one after another."""
MANY = 20_000
"""Pages of 8 kB that no statement should read."""

FILTERS = {
    "metric, few match": "metrics.m3 > 0.9999",
    "metric, many match": "metrics.m3 > 0.1",
    "two metrics": "metrics.m3 > 0.99 and metrics.m4 < 0.01",
    "param, one matches": "params.p19 = '{number}'",
    "param, some match": "params.p18 = '12'",
    "param, many match": "params.p1 = '3'",
    "param, none match": "params.p5 = 'nothing'",
    "param LIKE": "params.p18 LIKE '12%'",
    "tag, few match": "tags.mlflow.source.git.commit = '{commit}'",
    "tag, many match": "tags.team = 'team3'",
    "tag, none match": "tags.team = 'nobody'",
    "tag ILIKE": "tags.`mlflow.user` ILIKE '%7'",
    "name": "attributes.run_name = 'run-{number}'",
    "name LIKE": "attributes.run_name LIKE '%99'",
    "name, none match": "attributes.run_name = 'nothing'",
    "status": "attributes.status = 'FAILED'",
    "status, none match": "attributes.status = 'RUNNING'",
    "start": "attributes.start_time > {start}",
    "user": "attributes.user_id = 'user3'",
    "parent": "tags.mlflow.parentRunId = '{eid}'",
    "metric and param": "metrics.m3 > 0.5 and params.p3 = '3'",
    "metric or param": "metrics.m3 > 0.9999 or params.p19 = '{number}'",
    "dataset": "datasets.name = 'nothing'",
}
ORDERS = {
    "metric": "metrics.m1 DESC",
    "metric upwards": "metrics.m1 ASC",
    "unknown metric": "metrics.nothing DESC",
    "param": "params.p18 ASC",
    "tag": "tags.team ASC",
    "name": "attributes.run_name ASC",
    "status": "attributes.status ASC",
    "end": "attributes.end_time DESC",
    "start upwards": "attributes.start_time ASC",
}


@dataclass(frozen=True)
class Asked:
    """A request: its name, and how to send it."""

    name: str
    method: str
    path: str
    body: dict[str, Any] | None = None


@dataclass
class Cost:
    """What the statements of a request took, by PostgreSQL's own account."""

    name: str
    status: int = 0
    statements: int = 0
    milliseconds: float = 0.0
    pages: int = 0
    worst: str = ""
    scanned: set[str] = field(default_factory=set)


def requests(size: Size, base: str, pages: str) -> Iterator[Asked]:
    """All that is asked; experiment 1 has half of the candidates, 2 a tenth, others 100."""
    api = f"{base}/api/2.0/mlflow"
    number, run = 10, eid_of(10)
    named = {
        "number": number, "eid": eid_of(5), "commit": f"{number // 200:040x}",
        "start": 1_750_000_000_000 + (size.candidates - 1000) * 1000,
    }  # fmt: skip
    for experiments, where in ((["1"], "half"), (["8"], "small"), (["1", "2", "8"], "three")):
        search = {"experiment_ids": experiments, "max_results": 100}
        yield Asked(f"search {where}", "POST", f"{api}/runs/search", search)
        for name, text in FILTERS.items():
            body = {**search, "filter": text.format(**named)}
            yield Asked(f"search {where}, {name}", "POST", f"{api}/runs/search", body)
        for name, text in ORDERS.items():
            body = {**search, "order_by": [text]}
            yield Asked(f"search {where} by {name}", "POST", f"{api}/runs/search", body)
        body = {**search, "filter": FILTERS["metric and param"], "order_by": [ORDERS["metric"]]}
        yield Asked(
            f"search {where}, metric and param by metric", "POST", f"{api}/runs/search", body
        )
        deleted = {**search, "run_view_type": "DELETED_ONLY"}
        yield Asked(f"search {where}, deleted", "POST", f"{api}/runs/search", deleted)
        yield Asked(f"search {where}, all", "POST", f"{api}/runs/search",
                    {**search, "run_view_type": "ALL"})  # fmt: skip
    yield from _reads(api, run)
    yield from _writes(api, eid_of(20))
    yield from _pages(pages, size, number)


def _reads(api: str, run: str) -> Iterator[Asked]:
    long = eid_of(0)
    for path in (
        f"runs/get?run_id={run}",
        f"metrics/get-history?run_id={run}&metric_key=m1",
        f"metrics/get-history?run_id={long}&metric_key=m10&max_results=10000",
        f"metrics/get-history-bulk?run_id={run}&run_id={eid_of(11)}&metric_key=m1",
        f"metrics/get-history-bulk-interval?run_ids={run}&run_ids={long}&metric_key=m10&max_results=320",
        "experiments/get?experiment_id=1",
        f"experiments/get-by-name?experiment_name={quote('experiment 8')}",
        "experiments/search?max_results=100",
        f"experiments/search?max_results=100&filter={quote('name LIKE ' + repr('%99%'))}",
        f"artifacts/list?run_id={run}",
    ):
        yield Asked(f"GET {path}", "GET", f"{api}/{path}")


def _writes(api: str, run: str) -> Iterator[Asked]:
    now = 1_900_000_000_000
    metrics = [{"key": f"m{key}", "value": 1.5, "timestamp": now, "step": 99} for key in range(10)]
    of_run = {"run_id": run}
    for path, body in (
        ("runs/create", {"experiment_id": "1", "start_time": now}),
        ("runs/log-metric", {**of_run, **metrics[0]}),
        ("runs/log-batch", {**of_run, "metrics": metrics}),
        ("runs/log-parameter", {**of_run, "key": f"new-{time.time_ns()}", "value": "1"}),
        ("runs/set-tag", {**of_run, "key": "team", "value": "team3"}),
        ("runs/delete-tag", {**of_run, "key": "team"}),
        ("runs/update", {**of_run, "status": "FINISHED", "end_time": now}),
        ("runs/delete", of_run),
        ("runs/restore", of_run),
        ("experiments/create", {"name": f"made {time.time_ns()}"}),
        ("experiments/delete", {"experiment_id": "8"}),
        ("experiments/restore", {"experiment_id": "8"}),
    ):
        yield Asked(f"POST {path}", "POST", f"{api}/{path}", body)


def _pages(pages: str, size: Size, number: int) -> Iterator[Asked]:
    iid, child = number + 1, 16
    metric = quote("metrics.m1 DESC")
    some = quote("metrics.m3 > 0.5 and params.p3 = '3'")
    few = ",".join(str(10 * each + 1) for each in range(10))
    for path in (
        "experiments", "experiments?sort=name", "experiments?sort=candidates",
        "experiments?name=9", "experiments?view=deleted",
        *(f"experiments/{each}{rest}" for each in (1, 2, 8) for rest in (
            "", f"?order_by={metric}", f"?filter={some}", f"?filter={some}&order_by={metric}",
            "?view=deleted", "?rows=flat", "?rows=tree", "/card", "/names", "/edit", "/delete",
            "/wide", "/rows.json", f"/rows.json?filter={some}&order_by={metric}", "/charts",
            "/points.json", f"/points.json?x={quote('params.p2')}&y={quote('metrics.m1')}",
            f"/compare?candidates={few}",
        )),
        "experiments/2?open=6&rows=tree",
        *(f"candidates/{each}{rest}" for each in (iid, child, 1) for rest in (
            "", "/charts", "/card", "/files", "/edit", "/delete",
        )),
        f"curves?candidates={few}&metrics=m1&metrics=m2&x=step&points=1000",
        "curves?candidates=1&metrics=m10&x=step&points=1000",
        "curves?candidates=1&metrics=m10&x=relative&points=1000",
        f"compare?candidates={few}", "models", "suggestions?kind=candidate&q=1",
        f"suggestions?kind=candidate&q=run-{number}", "suggestions?kind=experiment&q=9",
        f"runs/{eid_of(number)}",
    ):  # fmt: skip
        yield Asked(f"page {path}", "GET", f"{pages}/{path}")


class Watch:
    """Notes the statements of one request, and explains them afterwards."""

    def __init__(self, app: Flask, uri: str) -> None:
        """`uri` is PostgreSQL's own, of the same database."""
        self.app, self.noted = app, list[tuple[str, Any]]()
        self.connection = psycopg.connect(uri)
        self.rows = dict(
            self.connection.execute("SELECT relname, reltuples FROM pg_class").fetchall()
        )
        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", self._note)

    def _note(self, *arguments: Any) -> None:
        _connection, _cursor, statement, parameters, _context, many = arguments
        if "mlops_" in statement:
            one = isinstance(parameters, dict)
            self.noted.append((statement, parameters if one or not many else parameters[0]))

    def cost(self, asked: Asked, headers: dict[str, str], client: Any) -> Cost:
        """Send the request, and then run its statements again, each explained and rolled back."""
        self.noted.clear()
        answer = client.open(asked.path, method=asked.method, json=asked.body, headers=headers)
        answer.get_data()
        cost = Cost(asked.name, answer.status_code)
        for statement, parameters in list(self.noted):
            self._explain(cost, statement, parameters)
        return cost

    def _explain(self, cost: Cost, statement: str, parameters: Any) -> None:
        explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "
        if "INSERT INTO mlops_candidates" in statement:
            parameters = {**parameters, "eid": secrets.token_hex(16)}  # the first is there by now
        try:
            with self.connection.transaction(force_rollback=True):
                found = self.connection.execute(explain + statement, parameters)  # type: ignore[arg-type]
                (plan,) = found.fetchone()[0]
        except psycopg.Error as error:
            print(f"   cannot explain: {error}\n   {statement[:300]}")
            return
        pages = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
        cost.statements += 1
        cost.milliseconds += plan["Execution Time"] + plan["Planning Time"]
        scanned = set(self._scanned(plan["Plan"]))
        cost.scanned |= scanned
        if scanned or pages >= MANY:
            cost.worst += f"\n{pages} pages, {plan['Execution Time']:.0f} ms, scans {scanned}\n"
            cost.worst += f"{statement}\n{parameters}\n" + "\n".join(_lines(plan["Plan"]))
        cost.pages += pages

    def _scanned(self, plan: dict[str, Any]) -> Iterator[str]:
        if plan["Node Type"] == "Seq Scan" and self.rows.get(plan["Relation Name"], 0) >= LARGE:
            yield plan["Relation Name"]
        for part in plan.get("Plans", ()):
            yield from self._scanned(part)


def _lines(plan: dict[str, Any], depth: int = 0) -> Iterator[str]:
    """The plan, as EXPLAIN shows it, and no longer than needed."""
    where = " ".join(str(plan[key]) for key in ("Relation Name", "Index Name") if key in plan)
    rows = f"rows {plan['Actual Rows']} x {plan['Actual Loops']}"
    pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    removed = plan.get("Rows Removed by Filter", 0)
    yield (
        f"{'  ' * depth}{plan['Node Type']} {where} ({rows}, {pages} pages,"
        f" {plan['Actual Total Time']:.1f} ms, removed {removed})"
    )
    for part in plan.get("Plans", ()):
        yield from _lines(part, depth + 1)


def main() -> None:
    """Print what each request costs."""
    parser = argparse.ArgumentParser(prog="bench.plans", description=__doc__)
    parser.add_argument("--candidates", type=int, default=100_000)
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--only", default="", help="a pattern that the request's name matches")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--against", type=Path, help="what --save kept of a smaller database")
    chosen = parser.parse_args()
    size = Size(chosen.candidates, chosen.points)
    before = json.loads(chosen.against.read_text()) if chosen.against else {}
    found: dict[str, Any] = {}
    with server() as uri:
        url = prepare(uri, size)
        for cost in _costs(url, size, chosen.only):
            ratio = f"x{cost.pages / before[cost.name][0]:.1f}" if before.get(cost.name) else ""
            figures = f"{cost.statements:3} {cost.milliseconds:9.1f} ms {cost.pages:9} pages"
            scanned = ",".join(sorted(cost.scanned))
            print(f"{cost.status} {figures} {ratio:>6} {cost.name} {scanned}", flush=True)
            if cost.worst:
                print(re.sub(r"^", "        ", cost.worst, flags=re.M), flush=True)
            found[cost.name] = [max(1, cost.pages), cost.milliseconds]
    if chosen.save:
        chosen.save.write_text(json.dumps(found, indent=1))


def _costs(url: str, size: Size, only: str) -> Iterator[Cost]:
    app = create_app(config_of(url))
    with app.app_context():
        user = db.session.scalars(select(User).where(User.username == "developer")).one()
        user_id, token = user.id, create_token(user, "plans", ["api"])[1]
        db.session.commit()
    watch = Watch(app, url.replace("+psycopg", "", 1))
    browser = app.test_client()
    with browser.session_transaction() as session:
        session.update(_user_id=str(user_id), _fresh=True, csrf="x")
    base = "/api/v4/projects/1/ml/mlflow"
    assert PROJECTS >= 1
    for asked in requests(size, base, "/owner/scale-0/-/ml"):
        if re.search(only, asked.name) is None:
            continue
        is_page = asked.name.startswith("page")
        headers = {} if is_page else {"Authorization": f"Bearer {token}"}
        yield watch.cost(asked, headers, browser if is_page else app.test_client())


if __name__ == "__main__":
    main()
