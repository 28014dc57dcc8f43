"""The checks of `flask mlops doctor`: each gives findings, and those say what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Flask
from jinja2 import TemplateNotFound
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from gitlab_mlops import host_check, migrations
from gitlab_mlops.cli import sqlite
from gitlab_mlops.cli.findings import Finding, Level
from gitlab_mlops.errors import MLOpsError
from gitlab_mlops.host import Credential, Host
from gitlab_mlops.mount import Mount
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.webhooks import delivery

SHORTEST_SECRET = 16
"""Characters; shorter secret keys can be guessed."""

MAX_LATE = 15 * 60_000
"""Milliseconds; messages of webhooks that are late for longer are sent by nobody."""

WITHOUT = {
    "references": "candidates do not show where they are mentioned",
    "ci": "candidates do not show the job that made them",
    "notifications": "nobody is told of anything",
    "repository": "merge requests and commits show no candidates, and there is no gate",
    "admission": "each request to the API asks for token, project and role one after the other",
}
"""What is missing in a forge without each optional part."""


def examine(app: Flask, mount: Mount) -> Iterator[Finding]:
    """Look at everything that the plugin needs around it."""
    # An adapter may count on a request.
    with app.test_request_context("/"):
        yield from list(adapter(app, mount.host))
    for engine in mount.host.engines():
        yield from database(engine)
        yield from webhooks(engine)
    yield storage(mount)
    yield settings(app)
    yield secret_key(app)
    yield routes(app, mount)
    yield from optional_parts(mount.host)


def adapter(app: Flask, host: Host) -> Iterator[Finding]:
    """Ask the adapter for what cannot be there; that reaches the forge's own tables."""
    nobody = Credential("bearer", "mlops-doctor")
    yield _asked("host.projects", lambda: host.projects.by_id(0))
    yield _asked("host.identity", lambda: host.identity.authenticate(nobody))
    template = host.chrome.base_template()
    try:
        app.jinja_env.get_template(template)
    except TemplateNotFound:
        text = f"base_template() is {template!r}, which is not found: name one of the forge's"
        yield Finding(Level.FAILED, "host.chrome", text)
    else:
        yield Finding(Level.OK, "host.chrome", f"pages extend {template}")


def _asked(subject: str, question: Callable[[], object]) -> Finding:
    try:
        answer = question()
    except Exception as error:
        text = f"raises {_reason(error)}; it must answer None for what it does not know"
        return Finding(Level.FAILED, subject, text)
    if answer is not None:
        text = f"gives {answer!r} for what cannot be there: run the conformance suite"
        return Finding(Level.FAILED, subject, text)
    return Finding(Level.OK, subject, "answers")


def database(engine: Engine) -> Iterator[Finding]:
    """Whether the database answers and has the plugin's tables, as they must be."""
    subject = f"database {engine.url.render_as_string(hide_password=True)}"
    try:
        problems = migrations.check(engine)
    except SQLAlchemyError as error:
        text = f"does not answer ({_reason(error)}): start it, or correct its address"
        yield Finding(Level.FAILED, subject, text)
        return
    for problem in problems:
        yield Finding(Level.FAILED, subject, problem)
    if not problems:
        yield Finding(Level.OK, subject, f"is at revision {migrations.head()}, the newest")
        yield from sqlite.examine(engine)


def webhooks(engine: Engine) -> Iterator[Finding]:
    """Whether somebody sends the messages of webhooks."""
    try:
        due = delivery.next_due(engine)
    except SQLAlchemyError:
        return  # what is wrong with the database was said already
    late = 0 if due is None else now() - due
    if late > MAX_LATE:
        text = f"a message is {late // 60_000} minutes late: no process sends them; see"
        yield Finding(Level.WARNING, "webhooks", f"{text} docs/webhooks.md#for-operators")
    else:
        yield Finding(Level.OK, "webhooks", "no message is late")


def storage(mount: Mount) -> Finding:
    """Whether a small object can be stored, read and deleted."""
    where = repr(mount.storage)
    try:
        mount.storage.check()
    except (MLOpsError, OSError) as error:
        text = f"{where} does not work ({_reason(error.__cause__ or error)}): make it writable"
        return Finding(Level.FAILED, "artifacts", f"{text}, or correct MLOPS_ARTIFACTS_URL")
    return Finding(Level.OK, "artifacts", f"{where} stores, gives back and deletes")


def settings(app: Flask) -> Finding:
    """Which settings the operator gave; not what they say, for some are secrets."""
    given = sorted(key for key in app.config if key.startswith("MLOPS_"))
    return Finding(Level.OK, "settings", f"{', '.join(given) or 'none'} given, others as default")


def secret_key(app: Flask) -> Finding:
    """Sessions of the forge and upload addresses of the plugin are signed with it."""
    advice = "set it to a long random text, the same one in every process"
    if len(app.secret_key or "") < SHORTEST_SECRET:
        return Finding(Level.WARNING, "SECRET_KEY", f"is short and can be guessed: {advice}")
    return Finding(Level.OK, "SECRET_KEY", "is set")


def routes(app: Flask, mount: Mount) -> Finding:
    """Whether a route of the forge's catches what is meant for MLflow's API."""
    prefix = mount.settings.api_prefix.rstrip("/")
    urls = app.url_map.bind("localhost")
    for project in ("1", "group%2Fproject"):
        path = f"{prefix}/{project}/ml/mlflow/api/2.0/mlflow/runs/get"
        try:
            answerer = str(urls.match(path)[0])
        except HTTPException as error:
            answerer = str(error.code)
        if not answerer.startswith("mlops"):
            text = f"{path} is answered by {answerer} of the forge: set another MLOPS_API_PREFIX"
            return Finding(Level.FAILED, "routes", text)
    return Finding(Level.OK, "routes", f"tracking URIs are {prefix}/<project>/ml/mlflow")


def optional_parts(host: Host) -> Iterator[Finding]:
    """Which optional parts the forge has."""
    for name in host_check.OPTIONAL_PARTS:
        part = getattr(host, name)
        if part is None:
            yield Finding(Level.ABSENT, f"host.{name}", f"is not given: {WITHOUT[name]}")
        else:
            yield Finding(Level.OK, f"host.{name}", f"is given, by {type(part).__name__}")


def _reason(error: BaseException) -> str:
    """One line of an error; those of SQLAlchemy carry the driver's own inside."""
    cause = getattr(error, "orig", None) or error
    return f"{type(cause).__name__}: {next(iter(str(cause).splitlines()), '')}"
