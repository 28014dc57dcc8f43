"""The wide mode of an experiment's table: a thousand candidates with all that they logged.

The page is a frame only; its script draws the rows, which it gets as JSON, column by column.
"""

from __future__ import annotations

from flask import Response

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import json_response
from gitlab_mlops.blueprints.web import formats, state, wide_columns
from gitlab_mlops.blueprints.web.frames import render_experiment
from gitlab_mlops.blueprints.web.page import EXPERIMENT, page
from gitlab_mlops.blueprints.web.state import TableState
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services import overview
from gitlab_mlops.services.experiment_records import ExperimentRecord
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.search import Page, search_candidates
from gitlab_mlops.wire import paging

MAX_ROWS = 1000
# Our script is first, so that it asks for the rows while the library is loading.
ASSETS = (
    "table.css",
    "vendor/tabulator/tabulator.min.css",
    "wide.css",
    "wide.js",
    "table.js",
    "completion.js",
    "vendor/tabulator/tabulator.min.js",
)


@page(f"{EXPERIMENT}/wide", access=ReadAccess)
def wide(access: ReadAccess, experiment_iid: int) -> Response:
    """The frame of the wide table."""
    shown = state.table_state()
    found = overview.get_experiment(access, experiment_iid)
    return render_experiment(
        access,
        "experiment_wide.html",
        found,
        overview.count_candidates(access, found.id),
        tab="trash" if shown.view == "deleted" else "candidates",
        assets=ASSETS,
        status=400 if shown.problem else 200,
        state=shown,
        carried={**shown.found(), "view": ""},
        heat=state.choice("heat", ("", "1")),
        max_rows=MAX_ROWS,
    )


@page(f"{EXPERIMENT}/rows.json", access=ReadAccess)
def rows(access: ReadAccess, experiment_iid: int) -> Response:
    """The rows of the wide table, column by column."""
    shown = state.table_state()
    if shown.problem:
        raise Invalid(shown.problem.message)
    experiment = overview.get_experiment(access, experiment_iid)
    found = _find(access, experiment, shown)
    candidates = [CandidateRecord(*row) for row in found.rows]
    columns = wide_columns.read(access, experiment.id, shown, candidates)
    return json_response(
        {
            "iids": [each.iid for each in candidates],
            "names": [formats.named(each.name) for each in candidates],
            **columns,
            "total": _total(access, experiment, shown, found),
            "next": paging.search_token(found.after, shown.order) if found.after else "",
        }
    )


def _find(access: ReadAccess, experiment: ExperimentRecord, shown: TableState) -> Page:
    return search_candidates(
        access,
        [experiment.id],
        where=shown.where,
        order=shown.order,
        view="deleted" if shown.view == "deleted" else "active",
        limit=MAX_ROWS,
        after=shown.position,
    )


def _total(
    access: ReadAccess, experiment: ExperimentRecord, shown: TableState, found: Page
) -> int | None:
    """How many candidates there are; None where only reading all of them would tell."""
    if not shown.filter:
        counts = overview.count_candidates(access, experiment.id)
        return counts.deleted if shown.view == "deleted" else counts.active
    return None if found.after or shown.page_token else len(found.rows)
