"""What clients ask a server about itself."""

from flask import Response

from gitlab_mlops.blueprints.endpoint import endpoint
from gitlab_mlops.blueprints.mlflow.blueprint import api

# The newest MLflow whose tracking API we answer without traces. The client sends spans to
# /v1/traces from 3.4 on, and stores them as artifacts for servers that say less.
API_VERSION = "3.3.2"


@endpoint(api, "GET", "/health", access=None)
def health() -> Response:
    """Say that the server is up, in the stock server's words."""
    return Response("OK", mimetype="text/plain")


@endpoint(api, "GET", "/version", access=None)
def version() -> Response:
    """Say which MLflow's API this is."""
    return Response(API_VERSION, mimetype="text/plain")
