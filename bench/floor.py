"""The floor: what Flask alone, and Flask with one statement, answer under the same gunicorn."""

from __future__ import annotations

import os
import threading
from typing import Any

import psycopg
from flask import Flask, request

TABLE = """
    CREATE TABLE points (
        run text NOT NULL, key text NOT NULL, value double precision NOT NULL,
        timestamp bigint NOT NULL, step bigint NOT NULL
    )
"""
INSERT = """
    INSERT INTO points (run, key, value, timestamp, step)
    VALUES (%(run_id)s, %(key)s, %(value)s, %(timestamp)s, %(step)s)
"""
DATABASE = "BENCH_FLOOR_DATABASE"
"""The environment's variable with the address of the database."""


def create_app() -> Flask:
    """An application that stores a metric point with one statement, and one that does nothing.

    Nobody is asked for a token, nothing is checked, there is no index. Each thread keeps its
    connection, which costs less than any pool.
    """
    app = Flask("floor")
    kept = threading.local()

    def connection() -> psycopg.Connection[Any]:
        if not hasattr(kept, "connection"):
            kept.connection = psycopg.connect(os.environ[DATABASE])
        found: psycopg.Connection[Any] = kept.connection
        return found

    @app.post("/api/2.0/mlflow/runs/log-metric")
    def log_metric() -> dict[str, str]:
        body = request.get_json()
        mine = connection()
        mine.execute(INSERT, body)
        mine.commit()
        return {}

    @app.get("/api/2.0/mlflow/runs/get")
    def empty() -> dict[str, str]:
        return {}

    return app
