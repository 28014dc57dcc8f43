"""The forge's database: one declarative base, one Flask-SQLAlchemy, SQLite's settings."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData, event, inspect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.schema import CreateColumn

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

DAY = 86_400  # seconds
MAX_ID = 2**31 - 1

# Two gunicorn workers may write at once; SQLite lets the second wait this long for the first.
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA busy_timeout=10000",
    "PRAGMA foreign_keys=ON",
)


class Base(DeclarativeBase):
    """Base of the forge's own tables; those of the plugin are in a metadata of its own."""

    metadata = MetaData(naming_convention=NAMING)


db = SQLAlchemy(metadata=Base.metadata)


def init_app(app: Flask) -> None:
    """Bind `db` to the application, and set up each connection if the database is SQLite."""
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _set_up_sqlite)


def now() -> int:
    """The time in seconds since 1970, as every table of the forge stores it."""
    return int(time.time())


def id_of(text: str) -> int | None:
    """The id that a text writes, if a table could have given it out; else None."""
    if not (text.isascii() and text.isdigit()):
        return None
    number = int(text[:20])
    return number if 0 < number <= MAX_ID else None


def create_tables() -> None:
    """Make the tables, columns and indexes that are missing, also those of an earlier version.

    The forge has no migrations: a column that comes later must be nullable, or have a default of
    the server's.
    """
    db.create_all()
    known = inspect(db.engine)
    with db.engine.begin() as connection:
        for table in Base.metadata.sorted_tables:
            there = {column["name"] for column in known.get_columns(table.name)}
            for column in table.columns:
                if column.name not in there:
                    definition = CreateColumn(column).compile(dialect=db.engine.dialect)
                    connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {definition}")
            for index in table.indexes:
                index.create(connection, checkfirst=True)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in SQLITE_PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
