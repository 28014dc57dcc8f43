"""Fills tables by SQL: the same candidates, with the same ids, in each server's own schema.

Over HTTP a hundred thousand candidates would take hours. The statements in `bench/sql` write what
each server writes itself; before the servers are driven, their answers about it are compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import md5
from pathlib import Path
from typing import Any

import psycopg

from bench.servers import Server

FOLDER = Path(__file__).with_name("sql")
START = 1_700_000_000_000  # milliseconds since 1970


@dataclass(frozen=True)
class Batch:
    """Candidates `1` to `count` of an experiment, which the server knows by this id.

    Each has 10 metrics, 20 parameters and 6 tags, and `steps` points of each metric. The points
    come step after step from so many candidates `at_once`, then from the next ones.
    """

    name: str
    experiment: str
    count: int
    steps: int = 3
    at_once: int = 8

    def eid(self, number: int) -> str:
        """The id of a candidate; the same on every server."""
        return md5(f"{self.name}-{number}".encode(), usedforsecurity=False).hexdigest()


def add_candidates(server: Server, batch: Batch) -> None:
    """Write the candidates of a batch into the server's tables."""
    values = {
        "name": batch.name, "experiment": int(batch.experiment), "count": batch.count,
        "steps": batch.steps, "at_once": batch.at_once,
    }  # fmt: skip
    _execute(server, "candidates", values)


def add_history(server: Server, eid: str, key: str, count: int) -> None:
    """Write `count` points of one metric, step after step, into a candidate without that metric."""
    _execute(server, "history", {"eid": eid, "key": key, "count": count})


def _execute(server: Server, what: str, values: dict[str, Any]) -> None:
    """Run the server's own file of statements as one transaction, and what autovacuum would do."""
    statements = (FOLDER / f"{server.name}_{what}.sql").read_bytes()
    if server.forge is not None:
        values |= {"project": server.forge.project_id, "actor": server.forge.actor_id}
    factory = psycopg.ClientCursor[Any]  # the one that takes several statements with values
    with psycopg.connect(server.database.dsn, cursor_factory=factory) as connection:
        # The rows that are referred to are there; to look a million up would take minutes.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET work_mem = '256MB'")
        connection.execute(statements, {"start": START, **values})
    server.database.tidy()
