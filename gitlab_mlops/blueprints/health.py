"""What load balancers and orchestrators ask: is the process alive, and can it serve?

Anybody may ask; they learn which part is not well, and not why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Blueprint, Flask, Response, current_app
from sqlalchemy import Engine

from gitlab_mlops.blueprints.endpoint import json_response
from gitlab_mlops.mount import Mount
from gitlab_mlops.services.readiness import DEGRADED, FAILED, OK, Readiness

READINESS = "mlops_readiness"
"""Where an application keeps what it knows of its parts, in its `extensions`."""

health = Blueprint("mlops_health", __name__, url_prefix="/-/mlops")


def connect(app: Flask, mount: Mount) -> None:
    """Add the two addresses to `app`."""

    def engines() -> Sequence[Engine]:
        with app.app_context():
            return mount.host.engines()

    app.extensions[READINESS] = Readiness(engines, mount.storage)
    app.register_blueprint(health)


@health.get("/liveness")
def liveness() -> Response:
    """Say that the process answers; nothing else is asked, so nothing else can fail it."""
    return _answer(OK, {})


@health.get("/readiness")
def readiness() -> Response:
    """Say whether the databases, their tables and the artifact store are well: 200 or 503.

    With several databases, 200 also while some of them answer.
    """
    known: Readiness = current_app.extensions[READINESS]
    states = known.states()
    worst = next((each for each in (FAILED, DEGRADED) if each in states.values()), OK)
    return _answer(worst, states)


def _answer(status: str, parts: Mapping[str, str]) -> Response:
    response = json_response({"status": status, **parts}, 503 if status == FAILED else 200)
    response.headers["Cache-Control"] = "no-store"
    return response
