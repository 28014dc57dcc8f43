"""Statements that SQLite and PostgreSQL share and SQLAlchemy keeps in their dialects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session

# Below SQLite's and PostgreSQL's limits of bound parameters (32,766 and 65,535).
MAX_PARAMETERS = 20_000

T = TypeVar("T")


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
