"""The comparison of candidates, of one experiment or of several."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, request

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import curves, formats, plot_form, plots, state
from gitlab_mlops.blueprints.web.address import Address
from gitlab_mlops.blueprints.web.columns import ColumnName
from gitlab_mlops.blueprints.web.curve_settings import PARTS as CURVE_PARTS
from gitlab_mlops.blueprints.web.differences import Differences, Group
from gitlab_mlops.blueprints.web.gallery import gallery
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import EXPERIMENT, page
from gitlab_mlops.blueprints.web.rendering import HTMX, people, render
from gitlab_mlops.blueprints.web.side_by_side import groups_of
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services import comparison, overview
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.experiment_records import ExperimentRecord
from gitlab_mlops.services.objectives import objective_of
from gitlab_mlops.services.plots import Names, dots_of, names_of
from gitlab_mlops.services.records import CandidateRecord

MAX_CANDIDATES = 20
PARTS = ("candidates", "baseline", "show", "extremes", "images", "image")
"""Of the query: with `show=all` rows in which all agree show, too, with `extremes` the lowest and
highest value of metrics, and with `images` what to choose an image from.
"""
PLOT = "plot_"
"""What the names of the scatter plot's settings begin with; `x` is that of the curves."""
PLOT_PARTS = (
    *(f"{PLOT}{name}" for name in ("x", "y", "color", "log", "best")),
    "axes",
    "axes_color",
)


@page(f"{EXPERIMENT}/compare", access=ReadAccess)
def compare_in_experiment(access: ReadAccess, experiment_iid: int) -> Response:
    """Candidates of an experiment side by side; others lead to the comparison across them."""
    found = overview.get_experiment(access, experiment_iid)
    compared = _compared(access)
    if any(each.experiment_id != found.id for each in compared):
        path = Links.of(mounted().host, access.project).compare(None, ())
        query = urlencode(list(request.args.items(multi=True)))
        return redirect(f"{path}?{query}", 303)  # type: ignore[return-value]
    return _compare(access, compared, found)


@page("/compare", access=ReadAccess)
def compare(access: ReadAccess) -> Response:
    """Candidates of any experiments of the project side by side."""
    return _compare(access, _compared(access), None)


def _compared(access: ReadAccess) -> list[CandidateRecord]:
    """The candidates that the query names; the baseline comes first."""
    iids = state.numbers("candidates", MAX_CANDIDATES)
    pinned = state.numbers("baseline", 1)
    if not set(pinned) <= set(iids):
        raise Invalid("The baseline has to be one of the candidates that are compared.")
    ordered = dict.fromkeys((*pinned, *iids))
    return comparison.find(access, list(ordered)) if ordered else []


def _compare(
    access: ReadAccess, compared: list[CandidateRecord], experiment: ExperimentRecord | None
) -> Response:
    links = Links.of(mounted().host, access.project)
    path = links.compare(experiment.iid if experiment else None, ())
    parts = (*PARTS, *CURVE_PARTS, *PLOT_PARTS)
    address = Address.of(path, parts, candidates=_iids(compared))
    found = comparison.experiments_of(access, compared)
    return render(
        access,
        "compare.html",
        title=f"Compare {formats.plural(len(compared), 'candidate')}" if compared else "Compare",
        assets=(*HTMX, *curves.ASSETS, *plots.ASSETS),
        address=address,
        compare_url=path,
        experiment=experiment,
        experiments=found,
        compared=compared,
        max_candidates=MAX_CANDIDATES,
        people=people([each.actor_id for each in compared]),
        without=lambda iid: _iids(each for each in compared if each.iid != iid),
        ordered=lambda ranking: _iids(compared[place] for place in ranking),
        **(_contents(access, compared, found, address) if len(compared) > 1 else {}),
    )


def _iids(compared: Iterable[CandidateRecord]) -> str:
    return state.numbers_text(each.iid for each in compared)


def _contents(
    access: ReadAccess,
    compared: list[CandidateRecord],
    found: Mapping[int, ExperimentRecord],
    address: Address,
) -> dict[str, Any]:
    single = next(iter(found.values())) if len(found) == 1 else None
    return {
        "shows_all": _shows_all(),
        "shows_extremes": bool(state.text("extremes")),
        "baseline": compared[0] if _is_pinned() else None,
        "groups": _groups(access, compared, list(found.values())),
        "plot": _plot(compared, names_of(compared), dict(single.tags) if single else {}),
        "plots": plots,
        "plot_form": plot_form,
        "curves": curves.panel(
            access, compared, base=address.url(**dict.fromkeys(CURVE_PARTS, ""))
        ),
        "kept_by_links": " ".join((*CURVE_PARTS, *PLOT_PARTS, plots.PICK)),
        "kept_by_form": " ".join((*CURVE_PARTS, plots.PICK)),
        "gallery": gallery(access, compared),
    }


def _is_pinned() -> bool:
    """Whether the first candidate is the baseline of the others."""
    return bool(state.numbers("baseline", 1))


def _shows_all() -> bool:
    return state.choice("show", ("differences", "all")) == "all"


def _groups(
    access: ReadAccess, compared: list[CandidateRecord], found: Sequence[ExperimentRecord]
) -> list[Group]:
    baseline = 0 if _is_pinned() else None
    moment = now()
    return groups_of(
        Differences(baseline=baseline, shows_all=_shows_all()),
        compared,
        direction=lambda key: comparison.direction(key, found),
        extremes=comparison.extremes_of(access, compared) if state.text("extremes") else None,
        digests=comparison.digests_of(access, compared),
        write_time=lambda milliseconds: formats.moment(milliseconds, moment).text,
    )


def _plot(compared: Sequence[CandidateRecord], names: Names, tags: Mapping[str, str]) -> plots.Plot:
    objective = objective_of(tags, names.metrics)
    chosen = plots.settings(names, objective, tags, x=_usual_x(compared, names), prefix=PLOT)
    dots = dots_of(compared, chosen.columns)
    return plots.Plot(PLOT, chosen, names, dots, plots.as_text(chosen.columns, dots))


def _usual_x(compared: Sequence[CandidateRecord], names: Names) -> ColumnName:
    """A parameter that varies, of numbers if there is one; or else the time."""
    params = [dict(each.params) for each in compared]
    varying = [key for key in names.params if key in names.varying]
    numbers = [
        key for key in varying if all(formats.is_number(each.get(key, "0")) for each in params)
    ]
    for key in numbers or varying:
        return ColumnName("param", key)
    return ColumnName("attribute", "created")
