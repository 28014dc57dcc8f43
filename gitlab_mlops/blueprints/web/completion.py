"""What the filter box completes: the names that an experiment has, and what compares with them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from flask import Response

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.web.columns import ColumnEntity
from gitlab_mlops.blueprints.web.ordering import order_name
from gitlab_mlops.blueprints.web.page import EXPERIMENT, page
from gitlab_mlops.models import Status
from gitlab_mlops.services import cells, overview
from gitlab_mlops.services.search import search_candidates
from gitlab_mlops.wire import json
from gitlab_mlops.wire.grammar import CANDIDATES

LOOKED_AT = 200
"""The newest candidates, whose parameters and tags are offered."""
MAX_NAMES = 1000
"""Names of each kind."""

ATTRIBUTES = ("status", "start_time", "end_time", "run_name", "user_id", "run_id")
"""Those of MLflow's words that a person asks for; the others are synonyms."""
CLIENT_TAGS = (
    "mlflow.source.git.branch",
    "mlflow.source.git.commit",
    "mlflow.source.name",
    "mlflow.user",
)
"""Tags that MLflow's clients mostly set."""


@page(f"{EXPERIMENT}/names", access=ReadAccess)
def names(access: ReadAccess, experiment_iid: int) -> Response:
    """The names to complete in a filter, as JSON.

    All metrics of the experiment are looked for, one after the other; parameters and tags only in
    the `LOOKED_AT` newest candidates, because to go through all of them takes too long. Names
    that the language cannot express are left out.
    """
    experiment = overview.get_experiment(access, experiment_iid)
    newest = search_candidates(access, [experiment.id], view="all", limit=LOOKED_AT)
    keys = cells.list_keys(access, experiment.id, [row[0] for row in newest.rows])
    by_entity = {
        "metric": _named("metric", keys),
        "param": _named("param", keys),
        "attribute": [f"attributes.{key}" for key in ATTRIBUTES],
        "tag": _named("tag", [*keys, *(("tag", key) for key in CLIENT_TAGS)]),
    }
    answer = {
        "names": by_entity,
        "operators": {entity: rule.operators for entity, rule in CANDIDATES.rules.items()}
        | {f"attributes.{key}": CANDIDATES.attributes[key].rule.operators for key in ATTRIBUTES},
        "values": {"attributes.status": [f"'{status.name}'" for status in Status]},
    }
    return Response(json.dumps(answer), mimetype="application/json")


def _named(entity: ColumnEntity, keys: Iterable[cells.Key]) -> list[str]:
    every = (order_name(entity, key) for each, key in keys if each == entity)
    return list(islice((name for name in every if name), MAX_NAMES))
