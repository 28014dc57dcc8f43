"""Charts over the candidates of an experiment, and the data that they draw."""

from __future__ import annotations

from flask import Response

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import plot_form, plots, state
from gitlab_mlops.blueprints.web.address import Address
from gitlab_mlops.blueprints.web.columns import ColumnName
from gitlab_mlops.blueprints.web.frames import render_experiment
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import EXPERIMENT, page
from gitlab_mlops.blueprints.web.rendering import HTMX
from gitlab_mlops.blueprints.web.state import TableState
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services import overview
from gitlab_mlops.services.experiment_records import ExperimentRecord
from gitlab_mlops.services.objectives import objective_of
from gitlab_mlops.services.plots import MAX_POINTS, Column, Dots, find_dots, find_names
from gitlab_mlops.services.search import View
from gitlab_mlops.wire import json

PARTS = ("filter", "view", "x", "y", "color", "log", "best", "axes", "axes_color")
MAX_COLUMNS = 20
MAX_TABLE = 200
"""Candidates in the table of what the charts show."""


@page(f"{EXPERIMENT}/charts", access=ReadAccess)
def experiment_charts(access: ReadAccess, experiment_iid: int) -> Response:
    """A metric over time or against a parameter, and all candidates in parallel coordinates."""
    shown = state.table_state()
    found = overview.get_experiment(access, experiment_iid)
    links = Links.of(mounted().host, access.project)
    return render_experiment(
        access,
        "experiment_charts.html",
        found,
        overview.count_candidates(access, found.id),
        tab="charts",
        assets=(*HTMX, *plots.ASSETS),
        status=400 if shown.problem else 200,
        state=shown,
        address=Address.of(links.experiment_charts(experiment_iid), PARTS),
        kept_by_form=plots.PICK,
        compare_url=links.compare(experiment_iid, ()),
        plot=_plot(access, found, shown, links),
        plots=plots,
        plot_form=plot_form,
        max_points=MAX_POINTS,
    )


@page(f"{EXPERIMENT}/points.json", access=ReadAccess)
def experiment_points(access: ReadAccess, experiment_iid: int) -> Response:
    """The values of `columns` of the candidates that `filter` finds, as `plots.js` draws them."""
    shown = state.table_state()
    if shown.problem:
        raise Invalid(shown.problem.message)
    if len(shown.columns) > MAX_COLUMNS:
        raise Invalid(f"Ask for at most {MAX_COLUMNS} columns.")
    found = overview.get_experiment(access, experiment_iid)
    columns = [Column(*plots.drawn(each)) for each in shown.columns]
    dots = _dots(access, found, columns, shown, MAX_POINTS)
    body = json.dumps(plots.as_json(columns, dots))
    return Response(body, mimetype="application/json")


def _plot(
    access: ReadAccess, found: ExperimentRecord, shown: TableState, links: Links
) -> plots.Plot:
    names, tags = find_names(access, found.id), dict(found.tags)
    objective = objective_of(tags, names.metrics)
    chosen = plots.settings(names, objective, tags, x=ColumnName("attribute", "created"))
    dots = _dots(access, found, chosen.columns, shown, MAX_TABLE)
    url = links.experiment_action(
        found.iid,
        "points.json",
        filter=shown.filter,
        view=shown.view if shown.view != "active" else "",
        columns=tuple(ColumnName(*each).text for each in chosen.columns),
    )
    return plots.Plot("", chosen, names, dots, url=url)


def _dots(
    access: ReadAccess,
    found: ExperimentRecord,
    columns: list[Column],
    shown: TableState,
    limit: int,
) -> Dots:
    if shown.problem:
        return Dots([], 0)
    view: View = "deleted" if shown.view == "deleted" else "active"
    return find_dots(access, found.id, columns, where=shown.where, view=view, limit=limit)
