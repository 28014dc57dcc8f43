"""`/mlflow/logged-models/...`: what MLflow 3 asks even when a project has no logged models.

Its client lists a run's folder only after searching for logged models. There are none yet: the
search finds nothing, and who makes one is told what to do instead.
"""

from __future__ import annotations

from typing import Any

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import endpoint
from gitlab_mlops.blueprints.mlflow.blueprint import api
from gitlab_mlops.errors import NotFound, NotSupported
from gitlab_mlops.wire import logged_models as wire

BASE = "/api/2.0/mlflow/logged-models"


@endpoint(api, "POST", BASE, access=WriteAccess, takes=wire.Create)
def create(access: WriteAccess, experiment_id: int) -> Any:
    """Make a logged model: not possible yet."""
    raise NotSupported(
        "This server does not keep logged models of MLflow 3 yet. Save the model with "
        "mlflow.<flavor>.save_model(model, path) and mlflow.log_artifacts(path, 'model') instead, "
        "or log it with MLflow 2; with autologging, pass log_models=False."
    )


@endpoint(api, "POST", f"{BASE}/search", access=ReadAccess, takes=wire.Search)
def search(access: ReadAccess, **query: Any) -> Any:
    """The logged models of some experiments: none."""
    return {}


@endpoint(api, "GET", f"{BASE}/<model_id>", access=ReadAccess)
def get(access: ReadAccess, model_id: str) -> Any:
    """One logged model: there is none."""
    raise NotFound(f"Logged model with ID '{model_id[:100]}' not found.")
