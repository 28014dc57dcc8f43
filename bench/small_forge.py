"""A small forge, with the plugin and without, to see what mounting the plugin costs a worker.

It has what forges in Flask usually have loaded before: Flask-SQLAlchemy, Flask-Login, marshmallow
and psycopg. Nothing of the plugin is imported unless it is mounted.
"""

from __future__ import annotations

import json
import os
import tempfile
import urllib.request
from typing import Any

import flask_login
import marshmallow
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import create_engine, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

DATABASE, FOLDER = "BENCH_FORGE_DATABASE", "BENCH_FORGE_FOLDER"
"""The environment's variables with the URL of the database, and a folder for artifacts."""
API = "/api/v4/projects/1/ml/mlflow/api/2.0/mlflow"
PAGES = "/group/project/-/ml"
ASKED = 50


class Base(DeclarativeBase):
    """The base of the forge's own tables."""


class User(Base):
    """Somebody."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class UserSchema(marshmallow.Schema):
    """How the forge's own API shows somebody."""

    id = marshmallow.fields.Integer()
    name = marshmallow.fields.String()


db = SQLAlchemy(model_class=Base)


def without() -> Flask:
    """The forge alone, which answers at `/`."""
    folder = os.environ.get(FOLDER) or tempfile.gettempdir()
    app = Flask("small_forge", instance_path=folder, root_path=folder)
    app.config.update(SECRET_KEY="key", SQLALCHEMY_DATABASE_URI=os.environ[DATABASE])
    db.init_app(app)
    flask_login.LoginManager(app).user_loader(lambda _id: None)
    with app.app_context():
        db.engines  # noqa: B018 - loads SQLAlchemy's part for PostgreSQL, and the driver

    @app.get("/")
    def front() -> list[Any]:
        found: list[Any] = UserSchema(many=True).dump(db.session.scalars(db.select(User)))
        return found

    return app


def mounted() -> Flask:
    """The forge with the plugin."""
    from bench.small_adapter import make_host
    from gitlab_mlops import MLOps

    app = without()
    MLOps().init_app(app, host=make_host(app))
    return app


def prepare(url: str) -> None:
    """Make the tables of the forge and of the plugin in an empty database."""
    from gitlab_mlops import migrations

    engine = create_engine(url)
    Base.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO users (name) VALUES ('somebody')"))
    migrations.upgrade(engine)
    engine.dispose()


def use(origin: str, *, has_plugin: bool) -> None:
    """Ask for something of everything, so that whatever is loaded late is loaded."""
    for _ in range(ASKED):
        _get(f"{origin}/")
    if not has_plugin:
        return
    base = f"{origin}{API}"
    experiment = _post(f"{base}/experiments/create", {"name": "one"})["experiment_id"]
    body = {"experiment_id": experiment}
    runs = [_post(f"{base}/runs/create", body)["run"]["info"]["run_id"] for _ in range(ASKED)]
    for run in runs:
        metrics = [{"key": f"m{i % 5}", "value": i, "timestamp": i, "step": i} for i in range(500)]
        _post(f"{base}/runs/log-batch", {"run_id": run, "metrics": metrics})
        _post(f"{base}/runs/log-metric", {"run_id": run, **metrics[0], "step": 501})
        _get(f"{base}/runs/get?run_id={run}")
        _get(f"{base}/metrics/get-history?run_id={run}&metric_key=m0")
    search = {"experiment_ids": [experiment], "filter": "metrics.m1 > 1"}
    for _ in range(ASKED):
        _post(f"{base}/runs/search", search)
    for page in ("experiments", "experiments/1", "candidates/1", "candidates/1/charts", "models"):
        _get(f"{origin}{PAGES}/{page}")


def _get(url: str) -> bytes:
    return _ask(urllib.request.Request(url))


def _post(url: str, body: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/json"}
    data = json.dumps(body).encode()
    return json.loads(_ask(urllib.request.Request(url, data=data, headers=headers)))


def _ask(request: urllib.request.Request) -> bytes:
    request.add_header("Authorization", "Bearer secret")
    with urllib.request.urlopen(request, timeout=60) as response:
        content: bytes = response.read()
    return content
