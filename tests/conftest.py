"""Fixtures for all tests: two databases, a forge in process, and the same forge served."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from flask import Flask

from host_stub import users
from tests.factories import Forge
from tests.postgresql import new_postgresql_database, postgresql_server
from tests.serving import made, served


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """How the tests are shared out, if there are several workers."""
    from tests.workers import ByDatabase

    return ByDatabase(config, log)


@pytest.fixture(scope="session", autouse=True)
def _quick_passwords() -> Iterator[None]:
    """The passwords of tests are not worth the tenth of a second that a good hash takes."""
    quick = partial(users.generate_password_hash, method="pbkdf2:sha256:1000")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "generate_password_hash", quick)
        yield


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """URL of a real PostgreSQL of this test session (or worker), without a database name."""
    with postgresql_server() as url:
        yield url


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """URL of an empty database: once SQLite, once PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'forge.sqlite3'}"
    return new_postgresql_database(request.getfixturevalue("postgresql_url"))


@pytest.fixture(scope="session")
def config(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Configuration of the forge; in process and served, it is the same forge."""
    return {
        "DATABASE_URL": database_url,
        "SECRET_KEY": secrets.token_hex(32),
        "INSTANCE_PATH": str(tmp_path_factory.mktemp("instance")),
        "MLOPS_ARTIFACTS_URL": str(tmp_path_factory.mktemp("artifacts")),
        # Tests that count statements must not count those of a thread.
        "MLOPS_WEBHOOKS_THREAD": False,
    }


@pytest.fixture(scope="session")
def app(config: dict[str, Any]) -> Iterator[Flask]:
    """The forge with the plugin, its tables made."""
    with made(config) as forge:
        yield forge.app


@pytest.fixture
def forge(app: Flask) -> Forge:
    """Short ways to people the forge; everything they make has a random name."""
    return Forge(app)


@pytest.fixture(scope="session")
def live_url(
    app: Flask, config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """URL of the forge under gunicorn, two workers of four threads."""
    # gunicorn's own time for a connection that is kept open, as an operator's would be.
    with served(config, tmp_path_factory.mktemp("gunicorn"), keep_alive=2) as url:
        yield url
