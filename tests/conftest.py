"""Fixtures for all tests: two databases, a forge in process, and the same forge served."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from gitlab_mlops import migrations
from host_stub import create_app, users
from host_stub.database import db
from tests.factories import Forge
from tests.ports import free_port
from tests.postgresql import new_postgresql_database, postgresql_server


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
    app = create_app(config)
    with app.app_context():
        db.create_all()
        migrations.upgrade(db.engine)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def forge(app: Flask) -> Forge:
    """Short ways to people the forge; everything they make has a random name."""
    return Forge(app)


@pytest.fixture(scope="session")
def live_url(
    app: Flask, config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """URL of the forge under gunicorn, two workers of four threads."""
    port, log = free_port(), tmp_path_factory.mktemp("gunicorn") / "log"
    command = [
        sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2",
        "--threads", "4", "--timeout", "120", "--graceful-timeout", "3",
        "--limit-request-line", "8190",
        "host_stub:create_app()",
    ]  # fmt: skip
    # As `host_stub` reads them: texts as they are, everything else as JSON.
    environment = {
        f"HOST_STUB_{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
    }
    with log.open("wb") as output:
        server = subprocess.Popen(
            command,
            env={**environment, "PATH": "/usr/bin:/bin"},
            cwd=Path(__file__).parents[1],
            stdout=output,
            stderr=output,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_up(f"{url}/users/sign_in", log)
        yield url
    finally:
        server.terminate()
        server.wait(30)


def wait_until_up(url: str, log: Path) -> None:
    """Wait until a server answers; fail with its log after a minute."""
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"{url} did not answer; its log:\n{log.read_text()[-4000:]}")
