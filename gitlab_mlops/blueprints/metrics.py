"""Figures for Prometheus, if the operator gave `MLOPS_METRICS_TOKEN`. Without it, this is nothing:
no route, no hook in any request, and the Prometheus client is not imported.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy import Engine

from gitlab_mlops.blueprints.credentials import credential_of
from gitlab_mlops.mount import Mount

METER = "mlops_meter"
"""Where an application keeps what it measures, in its `extensions`."""
MISSING = (
    "MLOPS_METRICS_TOKEN needs the Prometheus client: pip install 'gitlab-mlops-plugin[metrics]'"
)

metrics = Blueprint("mlops_metrics", __name__, url_prefix="/-/mlops")


def connect(app: Flask, mount: Mount) -> None:
    """Measure the requests of `app`, and add the address where they are read."""
    if not mount.settings.metrics_token:
        return
    try:
        from gitlab_mlops.blueprints.meter import Meter
    except ModuleNotFoundError as error:
        if error.name != "prometheus_client":
            raise
        raise ValueError(MISSING) from error

    def engines() -> Sequence[Engine]:
        with app.app_context():
            return mount.host.engines()

    app.extensions[METER] = Meter(app, engines)
    app.register_blueprint(metrics)


@metrics.get("/metrics")
def show() -> Response:
    """Everything that was measured, in all processes of this machine, as Prometheus reads it."""
    mount: Mount = current_app.extensions["mlops"]
    credential = credential_of(request)
    given = credential.secret if credential is not None and credential.scheme == "bearer" else ""
    if not hmac.compare_digest(given.encode(), mount.settings.metrics_token.encode()):
        return Response(
            "The token of MLOPS_METRICS_TOKEN is needed.\n",
            401,
            {"WWW-Authenticate": 'Bearer realm="metrics"', "Cache-Control": "no-store"},
            mimetype="text/plain",
        )
    body, content_type = current_app.extensions[METER].read()
    return Response(body, content_type=content_type, headers={"Cache-Control": "no-store"})
