"""What webhooks are told about candidates, which are runs in MLflow's words."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.host import Actor
from gitlab_mlops.models import Experiment, Status
from gitlab_mlops.services import records
from gitlab_mlops.services.webhooks import outbox
from gitlab_mlops.services.webhooks.events import RUN_CREATED, RUN_FINISHED, Event

MAX_PAIRS = 100
"""Parameters and metrics of a message, the first ones by name; a client can ask for the others."""
MAX_VALUE = 500
"""Characters of a parameter's value."""

Url = Callable[[], str]


def created(access: ReadAccess, iid: int, actor: Actor | None, url: Url) -> None:
    """A candidate was started, by `actor`. `url` gives the address of its page."""
    _tell(access, RUN_CREATED, iid, actor, url)


def finished(access: ReadAccess, iid: int, actor: Actor | None, url: Url) -> None:
    """A candidate has finished, failed or was killed."""
    _tell(access, RUN_FINISHED, iid, actor, url)


def _tell(access: ReadAccess, event: Event, iid: int, actor: Actor | None, url: Url) -> None:
    outbox.record(access, event.name, lambda: _data(access, iid, actor, url))


def _data(access: ReadAccess, iid: int, actor: Actor | None, url: Url) -> dict[str, Any]:
    """As of now."""
    record = records.find(access, iid=iid)
    if record is None:  # deleted in the same transaction
        return {"iid": iid}
    name = select(Experiment.name).where(Experiment.id == record.experiment_id)
    return {
        "run_id": record.eid,
        "run_name": record.name,
        "iid": iid,
        "experiment_id": str(record.experiment_iid),
        "experiment_name": access.session.scalar(name),
        "status": Status(record.status).name,
        "start_time": record.start_time,
        "end_time": record.end_time,
        "user": actor.username if actor else None,
        "url": url(),
        "params": {key: value[:MAX_VALUE] for key, value in record.params[:MAX_PAIRS]},
        "metrics": {each.key: _number(each.value) for each in record.metrics[:MAX_PAIRS]},
    }


def _number(value: float) -> float | str:
    """A number of JSON, which has no NaN and no infinities: MLflow's API writes those as texts."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
