"""The table of an experiment's candidates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask import Response

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import chooser, examples, selection, state
from gitlab_mlops.blueprints.web.attributes import Attributes, attributes_of
from gitlab_mlops.blueprints.web.badge import badges_of
from gitlab_mlops.blueprints.web.frames import render_experiment
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.ordering import Head, head
from gitlab_mlops.blueprints.web.page import EXPERIMENT, page
from gitlab_mlops.blueprints.web.rendering import HTMX
from gitlab_mlops.blueprints.web.rows import MAX_DEPTH, Rows, read_rows
from gitlab_mlops.blueprints.web.snippet import first_steps
from gitlab_mlops.blueprints.web.source import SOURCE
from gitlab_mlops.blueprints.web.state import TableState
from gitlab_mlops.blueprints.web.table import Column, Table, make_table
from gitlab_mlops.blueprints.web.table_cells import cells_html, kind_of
from gitlab_mlops.blueprints.web.table_links import TableLinks
from gitlab_mlops.services import overview
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.experiment_records import ExperimentRecord
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.stamps import stamps_of
from gitlab_mlops.wire import paging

ASSETS = ("table.css", *HTMX, "table.js", "completion.js")


@page(EXPERIMENT, access=ReadAccess)
def experiment(access: ReadAccess, experiment_iid: int) -> Response:
    """The candidates of an experiment."""
    shown = state.table_state()
    found = overview.get_experiment(access, experiment_iid)
    counts = overview.count_candidates(access, found.id)
    listed = read_rows(access, found.id, shown)
    return render_experiment(
        access,
        "experiment.html",
        found,
        counts,
        tab="trash" if shown.view == "deleted" else "candidates",
        assets=ASSETS,
        authors=[row.record.actor_id for row in listed.rows],
        carried={**shown.found(), "view": ""},
        status=400 if shown.problem else 200,
        snippet=None if counts.active or counts.deleted else first_steps(access, found.name),
        **_table(access, found, shown, listed),
        **_around(access, experiment_iid, shown, listed),
    )


def _table(
    access: ReadAccess, found: ExperimentRecord, shown: TableState, listed: Rows
) -> dict[str, Any]:
    """The columns and cells, and what can be done with columns."""
    records = [row.record for row in listed.rows]
    table = make_table(records, shown.order, chosen=shown.columns, tags=dict(found.tags))
    attributes = _attributes(access, records, shown)
    ticked = [*attributes.names, *(column.name for column in table.columns)]
    return {
        "table": table,
        "attributes": attributes,
        "heads": _heads(shown, table),
        "spans": _spans(table.columns),
        "classes": _classes(table.columns),
        "groups": chooser.groups_of(table.known, ticked, records),
        "example": examples.example_of(table),
        "cells_html": cells_html,
        "zip": zip,
    }


def _attributes(
    access: ReadAccess, records: Sequence[CandidateRecord], shown: TableState
) -> Attributes:
    """Where candidates come from is looked up if it may become a column."""
    if shown.columns and SOURCE not in shown.columns:
        return attributes_of(records, shown.columns)
    stamps = stamps_of(access, [record.id for record in records])
    return attributes_of(records, shown.columns, stamps, badges_of(access, records, stamps))


def _around(
    access: ReadAccess, experiment_iid: int, shown: TableState, listed: Rows
) -> dict[str, Any]:
    """The state of the table, and where its links and forms lead."""
    links = TableLinks(Links.of(mounted().host, access.project), experiment_iid, shown)
    here = {row.record.iid for row in listed.rows}
    return {
        "state": shown,
        "listed": listed,
        "in_trash": shown.view == "deleted",
        "url": links.url,
        "fold_url": links.fold_url,
        "children_url": links.children_url,
        "hidden": links.hidden,
        "back": links.back(),
        "next_page": paging.search_token(listed.after, shown.order) if listed.after else "",
        "elsewhere": [iid for iid in shown.selected if iid not in here],
        "notice": selection.notice(),
        "patterns": examples.patterns(now()),
        "max_depth": MAX_DEPTH,
    }


def _heads(shown: TableState, table: Table) -> dict[str, Head]:
    """The heads that sort, by the name of what they sort by."""
    heads = {
        "status": head(shown.order, "attributes.status", "attribute", "status"),
        "name": head(shown.order, "attributes.run_name", "attribute", "name"),
        "created": head(shown.order, "attributes.start_time", "attribute", "start_time"),
    }
    return heads | {
        each.order_by: head(shown.order, each.order_by, each.entity, each.key)
        for each in (*table.columns, *table.hidden)
        if each.order_by
    }


def _spans(columns: Sequence[Column]) -> list[tuple[str, int]]:
    """The labels above the columns, each with the number of columns below it."""
    labels = {"metric": "Metrics", "param": "Parameters", "tag": "Tags"}
    counts: Counter[str] = Counter(each.entity for each in columns)
    return [(label, counts[entity]) for entity, label in labels.items() if counts[entity]]


def _classes(columns: Sequence[Column]) -> list[str]:
    """The classes of each column's head: where a group begins there is a line."""
    befores = [None, *(column.entity for column in columns)]
    return [
        kind_of(column) + ("" if column.entity == before else " mlops-group")
        for column, before in zip(columns, befores, strict=False)
    ]
