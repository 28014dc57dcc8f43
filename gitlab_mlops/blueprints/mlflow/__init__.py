"""MLflow's REST API below a project: a module per resource, and a catch-all at the end."""

from gitlab_mlops.blueprints.mlflow import (  # noqa: F401 - importing declares the routes
    artifacts,
    experiments,
    inputs,
    logged_models,
    logging,
    metrics,
    model_versions,
    probes,
    registered_models,
    runs,
    uploads,
    webhooks,
)
from gitlab_mlops.blueprints.mlflow.blueprint import api

__all__ = ["api"]
