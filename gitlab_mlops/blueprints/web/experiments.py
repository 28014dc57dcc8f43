"""The pages of a project's experiments, and of the candidates in one of them."""

from __future__ import annotations

import json

from flask import Response

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import state
from gitlab_mlops.blueprints.web.frames import may, render_experiment
from gitlab_mlops.blueprints.web.links import tracking_uri
from gitlab_mlops.blueprints.web.ordering import NEWEST_FIRST, Head, head
from gitlab_mlops.blueprints.web.page import EXPERIMENT, page
from gitlab_mlops.blueprints.web.rendering import people, render
from gitlab_mlops.blueprints.web.state import TableState
from gitlab_mlops.blueprints.web.table import Table, make_table
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services import overview, records
from gitlab_mlops.services.experiments import ExperimentRecord
from gitlab_mlops.services.overview import Position, Sort, View
from gitlab_mlops.services.search import Page, search_candidates
from gitlab_mlops.wire import paging
from gitlab_mlops.wire.filters import parse_candidate_filter

PER_PAGE = 50
SORTS: tuple[Sort, ...] = ("activity", "name", "candidates")
VIEWS: tuple[View, ...] = ("active", "deleted")
MAX_EXAMPLE = 80
"""Characters of each part of the example of a filter."""


@page("/experiments", access=ReadAccess)
def experiments(access: ReadAccess) -> Response:
    """The project's experiments, or how to log the first candidate."""
    name, view, sort = state.text("name"), state.choice("view", VIEWS), state.choice("sort", SORTS)
    found, after = overview.list_experiments(
        access, name=name, view=view, sort=sort, after=_position(), limit=PER_PAGE
    )
    counts = overview.count_experiments(access)
    # Nothing here has a candidate yet: time to say how they come.
    is_bare = view == "active" and not name and not any(each.candidates for each in found)
    return render(
        access,
        "experiments.html",
        title="Experiments",
        experiments=found,
        counts=counts,
        name=name,
        view=view,
        sort=sort,
        is_first_page=not state.text("after"),
        next_page=paging.encode({"after": after}) if after else "",
        people=people([each.actor_id for each in found]),
        snippet=_snippet(access, "first-steps") if is_bare else None,
    )


@page(EXPERIMENT, access=ReadAccess)
def experiment(access: ReadAccess, experiment_iid: int) -> Response:
    """The candidates of an experiment."""
    shown = state.table_state()
    found = overview.get_experiment(access, experiment_iid)
    counts = overview.count_candidates(access, found.id)
    result = _search(access, found, shown)
    table = make_table(records.load(access, result.rows, with_datasets=False), shown.order)
    is_empty = not counts.active and not counts.deleted
    return render_experiment(
        access,
        "experiment.html",
        found,
        counts,
        tab="trash" if shown.view == "deleted" else "candidates",
        authors=[record.actor_id for record, _ in table.rows],
        status=400 if shown.problem else 200,
        state=shown,
        table=table,
        heads=_heads(shown, table),
        newest_first=NEWEST_FIRST,
        example=_example(table),
        next_page=paging.search_token(result.after, shown.order) if result.after else "",
        snippet=_snippet(access, found.name) if is_empty else None,
    )


def _position() -> Position | None:
    token = state.text("after")
    if not token:
        return None
    position = paging.decode(token).get("after")
    if not isinstance(position, list):
        raise Invalid("This page does not exist: its address is not whole; start again.")
    return position


def _search(access: ReadAccess, experiment: ExperimentRecord, shown: TableState) -> Page:
    if shown.problem:
        return Page([], None)
    return search_candidates(
        access,
        [experiment.id],
        where=shown.where,
        order=shown.order,
        view="deleted" if shown.view == "deleted" else "active",
        limit=PER_PAGE,
        after=shown.position,
    )


def _heads(shown: TableState, table: Table) -> dict[str, Head]:
    """The heads that sort, by the name of what they sort by."""
    heads = {
        "status": head(shown.order, "attributes.status", "attribute", "status"),
        "name": head(shown.order, "attributes.run_name", "attribute", "name"),
        "created": head(shown.order, "attributes.start_time", "attribute", "start_time"),
    }
    columns = [*table.columns, *table.hidden, *(column for column, _ in table.constants)]
    return heads | {
        each.order_by: head(shown.order, each.order_by, each.entity, each.key)
        for each in columns
        if each.order_by
    }


def _example(table: Table) -> str:
    """A filter that finds something here, made of what the first candidate has."""
    cells = table.rows[0][1] if table.rows else []
    parts: dict[str, str] = {}
    for column, cell in zip(table.columns, cells, strict=True):
        if cell is None or column.entity in parts:
            continue
        is_metric = column.entity == "metric"
        part = f"{column.order_by} " + (f">= {cell.text}" if is_metric else f"= '{cell.text}'")
        if _is_filter(part):
            parts[column.entity] = part
    return " and ".join(parts.values()) or "metrics.accuracy > 0.9 and params.depth = '3'"


def _is_filter(text: str) -> bool:
    try:
        return len(text) <= MAX_EXAMPLE and parse_candidate_filter(text) is not None
    except Invalid:
        return False


def _snippet(access: ReadAccess, experiment_name: str) -> dict[str, object]:
    """What it takes to log the first candidate."""
    mount = mounted()
    return {
        # JSON's way to write a text is also Python's.
        "experiment": json.dumps(experiment_name, ensure_ascii=False),
        "signed_in": access.actor is not None,
        "tracking_uri": tracking_uri(mount.settings.api_prefix, access.project),
        "tokens_url": mount.host.chrome.tokens_url(),
        "scopes": mount.settings.write_scopes,
        "may_write": may(access, WriteAccess),
    }
