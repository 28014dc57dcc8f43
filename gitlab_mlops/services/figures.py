"""What a database knows about the plugin's load without being searched: queues, sizes, inserts."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import SQLAlchemyError

from gitlab_mlops.models import IS_WAITING, Base, WebhookDelivery
from gitlab_mlops.services.clock import now

logger = logging.getLogger(__name__)

SECOND = 1000
PATIENCE = 2000
"""Milliseconds that PostgreSQL has for one statement."""

_QUEUE = (
    select(WebhookDelivery.attempts, func.count(), func.min(WebhookDelivery.due_at))
    .where(IS_WAITING)
    .group_by(WebhookDelivery.attempts)
)
_TABLES = text(
    "SELECT relname, n_tup_ins, pg_total_relation_size(relid) FROM pg_stat_user_tables"
    " WHERE relname LIKE 'mlops\\_%' AND schemaname = current_schema()"
)
# The longest first, so that a partition counts for the table whose name its own begins with.
_NAMES = sorted(Base.metadata.tables, key=len, reverse=True)


@dataclass
class Figures:
    """Of one database. Tables are counted by PostgreSQL only, partitions with their table."""

    is_up: bool = True
    waiting: dict[int, int] = field(default_factory=dict)
    """Messages of webhooks that are to be sent, by the number of attempts so far."""
    late: float = 0
    """Seconds since when the one that is due for longest is due."""
    inserted: Counter[str] = field(default_factory=Counter)
    """Rows ever inserted, by table."""
    size: Counter[str] = field(default_factory=Counter)
    """Bytes on the disk, indexes included, by table."""


def of(engines: Sequence[Engine]) -> list[Figures]:
    """The figures of each database; one that does not answer has none."""
    return [_figures(engine) for engine in engines]


def _figures(engine: Engine) -> Figures:
    found = Figures()
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql(f"SET LOCAL statement_timeout = {PATIENCE}")
                _count_tables(connection, found)
            _look_at_queue(connection, found)
    except SQLAlchemyError as error:
        logger.warning("No figures of the database: %s", error)
        return Figures(is_up=False)
    return found


def _look_at_queue(connection: Connection, found: Figures) -> None:
    for attempts, count, due_at in connection.execute(_QUEUE):
        found.waiting[attempts] = count
        found.late = max(found.late, (now() - (due_at or now())) / SECOND)


def _count_tables(connection: Connection, found: Figures) -> None:
    for relation, inserted, size in connection.execute(_TABLES):
        if name := table_of(relation):
            found.inserted[name] += inserted
            found.size[name] += size


def table_of(relation: str) -> str | None:
    """The table of ours that this is, or is a partition of."""
    names = (name for name in _NAMES if relation == name or relation.startswith(f"{name}_"))
    return next(names, None)
