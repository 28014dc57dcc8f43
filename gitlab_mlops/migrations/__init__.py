"""The schema of the plugin's tables: upgrade, downgrade, and what a database looks like now.

The plugin has an Alembic environment and a version table of its own, so its history never meets
the forge's. Alembic is imported inside the functions: a process that serves requests never needs
it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection, Engine

VERSION_TABLE = "alembic_version_mlops"
TABLE_PREFIX = "mlops_"

# Any 64-bit number that nobody else takes for an advisory lock: "mlops" in ASCII.
_POSTGRESQL_LOCK = int.from_bytes(b"mlops")


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Bring the plugin's tables in this database up to `revision`, in one transaction.

    An upgrade that fails or is killed leaves the database as it was, and runs again. A second
    process that upgrades at the same time waits, and then finds nothing to do.

    Raises `ValueError` for a database that is neither SQLite nor PostgreSQL.
    """
    from alembic import command

    _alter(engine, command.upgrade, revision)


def downgrade(engine: Engine, revision: str) -> None:
    """Take the plugin's tables back to `revision`; "base" drops them with all they hold."""
    from alembic import command

    _alter(engine, command.downgrade, revision)


def current(engine: Engine) -> str | None:
    """The revision that this database is at, or None if the plugin's tables are not there."""
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE}
        return MigrationContext.configure(connection, opts=options).get_current_revision()


def head() -> str | None:
    """The revision that this version of the plugin wants."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(config()).get_current_head()


@cache
def revisions() -> tuple[str, ...]:
    """Every revision that this version of the plugin knows, the newest last.

    Read from the names of files, because a process that serves must not load Alembic.
    """
    names = (each.name for each in files(f"{__name__}.versions").iterdir())
    return tuple(sorted(name.partition("_")[0] for name in names if name[0].isdecimal()))


def check(engine: Engine) -> list[str]:
    """What keeps this database from being used, in sentences; empty when all is well.

    The revision must be the plugin's, and tables, columns, types and indexes must be as the
    models say, so that a table changed by hand is found too.
    """
    if not is_supported(engine):
        return [f"{engine.dialect.name} is not supported: use PostgreSQL or SQLite."]
    found, wanted = current(engine), head()
    if found != wanted:
        state = f"at revision {found}" if found else "without the plugin's tables"
        return [f"The database is {state}, and {wanted} is wanted: run `flask mlops db upgrade`."]
    return [f"The schema differs from the models: {change}." for change in differences(engine)]


def differences(engine: Engine) -> list[Any]:
    """What Alembic would change so that the plugin's tables match the models."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=comparison_options())
        return list(compare_metadata(context, _metadata()))


def is_supported(engine: Engine) -> bool:
    """Whether the plugin works on this kind of database."""
    return engine.dialect.name in ("sqlite", "postgresql")


def comparison_options() -> dict[str, Any]:
    """Options of an Alembic context; `env.py` uses the same ones."""
    return {
        "version_table": VERSION_TABLE,
        "target_metadata": _metadata(),
        "include_name": include_name,
        "compare_type": True,
        "compare_server_default": True,
    }


def include_name(name: str | None, kind: str, parents: Any) -> bool:
    """Whether autogenerate looks at a name in the database: never at the forge's tables.

    Without this it would propose to drop every table that is not in the plugin's metadata.
    """
    if kind == "table":
        return name is not None and name.startswith(TABLE_PREFIX)
    return True


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; there is no `alembic.ini`."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", "gitlab_mlops:migrations")
    made.attributes["connection"] = connection
    return made


def _metadata() -> Any:
    from gitlab_mlops.models import Base

    return Base.metadata


def _alter(engine: Engine, command: Callable[[Config, str], None], revision: str) -> None:
    if not is_supported(engine):
        raise ValueError(f"{engine.dialect.name} is not supported: use PostgreSQL or SQLite")
    with engine.connect() as connection, _foreign_keys_off(connection), connection.begin():
        _wait_for_other_nodes(connection)
        command(config(connection), revision)


def _wait_for_other_nodes(connection: Connection) -> None:
    """Take a lock that ends with the transaction."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_POSTGRESQL_LOCK})")
    elif not _sqlite(connection).in_transaction:
        # The driver begins a transaction only before INSERT, UPDATE and DELETE, so without this
        # each CREATE TABLE would be committed by itself.
        connection.exec_driver_sql("BEGIN IMMEDIATE")


@contextmanager
def _foreign_keys_off(connection: Connection) -> Iterator[None]:
    """On SQLite, altering means copying and dropping a table, which must not cascade."""
    if connection.dialect.name != "sqlite":
        yield
        return
    # Past SQLAlchemy, which would begin a transaction, in which the pragma does nothing.
    driver = _sqlite(connection)
    (before,) = driver.execute("PRAGMA foreign_keys").fetchone()
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA foreign_keys = {before}")


def _sqlite(connection: Connection) -> Any:
    return connection.connection.driver_connection
