"""Fixtures for tests of services: a session on either database, rolled back after the test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from gitlab_mlops.models import Base
from tests.postgresql import new_postgresql_database


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A database with the plugin's tables and nothing in them: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('unit') / 'mlops.sqlite3'}"
    else:
        url = new_postgresql_database(request.getfixturevalue("postgresql_url"))
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose changes are gone after the test, also what it committed."""
    with engine.connect() as connection, connection.begin() as transaction:
        with Session(connection, join_transaction_mode="rollback_only") as session:
            yield session
        transaction.rollback()
