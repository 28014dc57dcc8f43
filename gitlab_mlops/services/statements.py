"""Statements that SQLite and PostgreSQL share and SQLAlchemy keeps in their dialects."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, CursorResult, Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session

from gitlab_mlops.errors import Invalid

# Below SQLite's and PostgreSQL's limits of bound parameters (32,766 and 65,535).
MAX_PARAMETERS = 20_000

T = TypeVar("T")
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")


Values = Mapping[str, Any]


class Hot:
    """A statement that runs all day, in the drivers' own words: nothing is built or compiled.

    Written with psycopg's placeholders, `%(name)s`, once for both databases if one text serves
    both. On PostgreSQL the driver's cursor runs it, in the session's transaction: SQLAlchemy's
    bookkeeping costs twice what the driver does. But whoever listens to the connection's events,
    or lets it log, hears of it; and what the driver raises is still SQLAlchemy's `DBAPIError`.
    """

    __slots__ = ("_portable", "_texts")

    def __init__(self, postgresql: str, sqlite: str = "") -> None:
        self._texts = {
            "postgresql": postgresql,
            "sqlite": _PLACEHOLDER.sub(r":\1", sqlite or postgresql),
        }
        # For drivers of PostgreSQL with placeholders of their own, such as pg8000. With a space,
        # because SQLAlchemy takes no name before the colons of a cast.
        self._portable = text(_PLACEHOLDER.sub(r":\1 ", postgresql))

    def rows(self, session: Session, values: Values) -> Sequence[tuple[Any, ...]]:
        """Execute it; all rows that it gives."""
        connection = session.connection()
        if _is_direct(connection):
            found: list[tuple[Any, ...]] = _direct(
                connection, self._texts["postgresql"], values
            ).fetchall()
            return found
        return self._run(connection, values).all()

    def row(self, session: Session, values: Values) -> tuple[Any, ...] | None:
        """Execute it; the first row that it gives, or None."""
        rows = self.rows(session, values)
        return rows[0] if rows else None

    def count(self, session: Session, values: Values | Sequence[Values]) -> int:
        """Execute it, once for each of several values; how many rows it wrote."""
        connection = session.connection()
        if isinstance(values, Mapping) and _is_direct(connection):
            return int(_direct(connection, self._texts["postgresql"], values).rowcount)
        return self._run(connection, values).rowcount

    def _run(
        self, connection: Connection, values: Values | Sequence[Values]
    ) -> CursorResult[*tuple[Any, ...]]:
        dialect = connection.dialect
        if dialect.name == "postgresql" and dialect.paramstyle != "pyformat":
            return connection.execute(self._portable, values)
        return connection.exec_driver_sql(self._texts[dialect.name], values)


def _is_direct(connection: Connection) -> bool:
    """Whether the driver may run a statement itself: its words are ours, and nobody listens."""
    dialect = connection.dialect
    return (
        dialect.name == "postgresql"
        and dialect.paramstyle == "pyformat"
        and not getattr(connection, "_echo", True)
        and not any(
            # No public name tells; were it gone, everything would go through SQLAlchemy again.
            getattr(each, "_has_events", True)
            for each in (connection, connection.engine, dialect)
        )
    )


def _direct(connection: Connection, text: str, values: Values) -> Any:
    """The driver's cursor after the statement; raises `DBAPIError` as SQLAlchemy does."""
    raw = connection.connection
    cursor = raw.cursor()
    dialect: Any = connection.dialect
    kind = dialect.loaded_dbapi.Error
    try:
        cursor.execute(text, values)
    except kind as error:
        is_lost = dialect.is_disconnect(error, raw.dbapi_connection, cursor)
        if is_lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            text, None, error, kind, connection_invalidated=is_lost, dialect=dialect
        ) from error
    return cursor


def upsert(session: Session, model: type[DeclarativeBase]) -> Any:
    """An INSERT into the model's table that can say ON CONFLICT, in the session's dialect.

    Conflicts are told to the database instead of caught, because an IntegrityError would end the
    transaction, and savepoints do not work under pysqlite's defaults.
    """
    return insert_for(dialect(session), model)


def dialect(session: Session) -> str:
    """The name of the session's dialect; statements for the hot path are cached by it."""
    return session.get_bind().dialect.name


def insert_for(dialect: str, model: type[DeclarativeBase]) -> Any:
    """As `upsert`, for statements that are built once per dialect."""
    table = cast(Table, model.__table__)
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def store_tags(
    session: Session, model: type[DeclarativeBase], owner: str, id: int, tags: Mapping[str, str]
) -> None:
    """Set tags of the row `id`, to which the column `owner` of the tags' table leads.

    In the order of keys, so that two requests at once wait for each other and never deadlock.
    """
    if not tags:
        return
    statement = upsert(session, model)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[owner, "key"], set_={"value": statement.excluded.value}
        ),
        [{owner: id, "key": key, "value": tags[key]} for key in sorted(tags)],
    )


def chunks(items: Sequence[T], size: int) -> Iterable[Sequence[T]]:
    """The items in slices of at most `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))


def array(items: Iterable[str]) -> str:
    """Numbers as PostgreSQL reads an array; a driver's own lists cost a call per item."""
    return "{" + ",".join(items) + "}"


def text_array(items: Sequence[str]) -> str:
    """Texts as PostgreSQL reads an array, at least one. Raises `Invalid` for a NUL in them."""
    joined = "\0".join(items)
    if joined.count("\0") != len(items) - 1:
        raise Invalid("Text must not contain NUL characters (\\u0000).")
    escaped = joined.replace("\\", r"\\").replace('"', r"\"")
    return '{"' + escaped.replace("\0", '","') + '"}'
