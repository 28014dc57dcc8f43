"""What an SQLite database needs, so that several processes can write without refusing each other.

The forge owns the engine, so the doctor says what to set there; docs/operations.md has it all.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing

from sqlalchemy import Connection, Engine

from gitlab_mlops.cli.findings import Finding, Level

SHORTEST_TIMEOUT = 5000
"""Milliseconds for which a writer should wait for the others."""
ADVICE = "see docs/operations.md#sqlite"
HINDERS = (
    "a SELECT begins a transaction, which cannot write any more once somebody else has: 'database "
    "is locked' at once, whatever the timeout; leave BEGIN to the driver, or use BEGIN IMMEDIATE"
)
BLOCKS = (
    "a SELECT takes the lock of who writes, so one request is served at a time; leave BEGIN to "
    "the driver"
)


def examine(engine: Engine) -> Iterator[Finding]:
    """Look at the connections that the forge's engine makes to a file of SQLite."""
    path = engine.url.database or ""
    if engine.dialect.name != "sqlite" or path in ("", ":memory:") or path.startswith("file:"):
        return
    with engine.connect() as connection:
        problems = [*_pragmas(connection), *_transactions(connection, path)]
    for problem in problems:
        yield Finding(Level.WARNING, "sqlite", f"{problem}; {ADVICE}")
    if not problems:
        yield Finding(Level.OK, "sqlite", "readers and writers do not refuse each other")


def _pragmas(connection: Connection) -> Iterator[str]:
    mode = _pragma(connection, "journal_mode")
    if mode != "wal":
        yield f"journal_mode is {mode}, so readers and writers wait for each other: set WAL"
    timeout = int(_pragma(connection, "busy_timeout"))
    if timeout < SHORTEST_TIMEOUT:
        yield f"busy_timeout is {timeout} ms, so writers soon give up waiting: set 10000"
    if _pragma(connection, "foreign_keys") != "1":
        yield "foreign_keys is off, so nothing finds rows that lead nowhere: set ON"


def _pragma(connection: Connection, name: str) -> str:
    return str(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())


def _transactions(connection: Connection, path: str) -> Iterator[str]:
    """Read something, and see whether that began a transaction, and whether others may write."""
    connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar_one()
    driver = connection.connection.driver_connection
    if driver is not None and driver.in_transaction:
        yield HINDERS if _may_write(path) else BLOCKS


def _may_write(path: str) -> bool:
    with closing(sqlite3.connect(path, timeout=1, isolation_level=None)) as other:
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        other.execute("ROLLBACK")
    return True
