"""Gives locks back before the disk has answered, and lets nobody answer before it has.

PostgreSQL holds the locks of a transaction until its commit is on the disk. Where many wait for
one row, such as the numbers of a project, they wait for one disk write after the other. With
`synchronous_commit` off the commit returns at once and the next one may go on; a second, empty
commit then waits for the disk, and one write serves all who wait. Nothing is lost: whoever got an
answer is on the disk, and whoever built on rows that are not has a commit behind theirs. Only who
reads may, for a moment, see what a crash of the server would still undo.
"""

from __future__ import annotations

import sys
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, SessionTransaction

from gitlab_mlops.errors import Unavailable

RELEASE = "CASE WHEN %(early)s THEN set_config('synchronous_commit', 'off', true) END"
"""SQL for a statement that releases early if `early` is what `releases_early` said."""
_OPEN = "mlops_not_on_disk"
"""Where a session keeps the connection whose commit the disk has still to confirm."""
_LOST = "mlops_not_confirmed"
# The one thing that anybody may write without a table; PostgreSQL 9.6 and later have it.
_WRITE = "SELECT pg_logical_emit_message(true, '', '')"
_ROWS = 2  # libpq's PGRES_TUPLES_OK
_MAY_WRITE = (
    "SELECT EXISTS (SELECT FROM pg_catalog.pg_proc WHERE proname = 'pg_logical_emit_message' "
    "AND has_function_privilege(oid, 'execute'))"
)
_may_write: WeakKeyDictionary[Engine, bool] = WeakKeyDictionary()


def releases_early(session: Session) -> bool:
    """Whether a statement of this transaction may turn `synchronous_commit` off, until commit.

    If so, who commits the session waits for the disk afterwards. Where the database cannot do
    that, the locks are held as always.
    """
    if isinstance(session.get_bind(), Connection):
        return False  # part of somebody else's transaction, whose end it does not see
    connection = session.connection()
    if connection.dialect.name != "postgresql" or not _can_flush(connection):
        return False
    session.info[_OPEN] = connection
    return True


def _can_flush(connection: Connection) -> bool:
    engine = connection.engine
    if engine not in _may_write:
        _may_write[engine] = bool(connection.exec_driver_sql(_MAY_WRITE).scalar_one())
    return _may_write[engine]


def _write(raw: Any) -> None:
    """Commit something synchronously, on a driver's connection between two transactions."""
    libpq = getattr(raw, "pgconn", None)
    if libpq is None or "gevent" in sys.modules:  # whose threads wait in Python, or all wait
        before, raw.autocommit = raw.autocommit, True
        try:
            raw.cursor().execute(_WRITE)
        finally:
            raw.autocommit = before
        return
    # psycopg 3: a fourth of what a cursor costs, and other threads go on.
    result = libpq.exec_(_WRITE.encode())
    if result.status != _ROWS:
        raise ConnectionError(result.error_message)


# For all sessions, because a listener of its own for each would cost more than the rest.
@event.listens_for(Session, "after_commit")
def _flush(session: Session) -> None:
    if _OPEN not in session.info or session.in_nested_transaction():
        return
    try:
        _write(session.info.pop(_OPEN).connection.dbapi_connection)
    except Exception:  # whichever class the driver has for a server that is gone
        # Raised here, it would leave the session half closed.
        session.info[_LOST] = True


@event.listens_for(Session, "after_transaction_end")
def _end(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None and session.info:
        session.info.pop(_OPEN, None)
        if session.info.pop(_LOST, False):
            raise Unavailable("The database was lost while it stored this; look, and try again.")
