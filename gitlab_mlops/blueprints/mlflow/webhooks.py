"""`/mlflow/webhooks...`: who is told what happens in the project. For its maintainers only."""

from __future__ import annotations

from typing import Any

from gitlab_mlops.access import MaintainAccess
from gitlab_mlops.blueprints.endpoint import endpoint
from gitlab_mlops.blueprints.mlflow.blueprint import api
from gitlab_mlops.blueprints.sending import keeping, try_out
from gitlab_mlops.services.webhooks import hooks
from gitlab_mlops.wire import webhooks as wire

BASE = "/api/2.0/mlflow/webhooks"


@endpoint(api, "POST", BASE, access=MaintainAccess, takes=wire.Create)
def create(access: MaintainAccess, **given: Any) -> Any:
    """Make a webhook."""
    return {"webhook": wire.webhook(hooks.create(access, keeping(), **given))}


@endpoint(api, "GET", BASE, access=MaintainAccess, takes=wire.List)
def list_webhooks(access: MaintainAccess, limit: int, after: int | None, with_ours: bool) -> Any:
    """The project's webhooks, the newest first."""
    # A project has few, so those that MLflow's client cannot read are left out here.
    found = hooks.list_webhooks(access, after=after)
    return wire.page([each for each in found if with_ours or wire.is_mlflows(each)], limit)


@endpoint(api, "GET", f"{BASE}/<webhook_id>", access=MaintainAccess)
def get(access: MaintainAccess, webhook_id: str) -> Any:
    """One webhook."""
    return {"webhook": wire.webhook(hooks.get(access, webhook_id))}


@endpoint(api, "PATCH", f"{BASE}/<webhook_id>", access=MaintainAccess, takes=wire.Update)
def update(access: MaintainAccess, webhook_id: str, **given: Any) -> Any:
    """Change a webhook."""
    changed = hooks.change(access, keeping(), webhook_id, **wire.changes(given))
    return {"webhook": wire.webhook(changed)}


@endpoint(api, "DELETE", f"{BASE}/<webhook_id>", access=MaintainAccess)
def delete(access: MaintainAccess, webhook_id: str) -> Any:
    """Delete a webhook and its log."""
    hooks.delete(access, webhook_id)
    return {}


@endpoint(api, "POST", f"{BASE}/<webhook_id>/test", access=MaintainAccess, takes=wire.Test)
def test(access: MaintainAccess, webhook_id: str, event: str) -> Any:
    """Send an example of an event, and tell what was answered."""
    answer, _line = try_out(access, hooks.get(access, webhook_id), event)
    return {"result": wire.test_result(answer)}
