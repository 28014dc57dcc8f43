"""The curves of metrics: the page of a candidate, and the points that the charts ask for."""

from __future__ import annotations

import math
from hashlib import sha256
from typing import Any

from flask import Response, request

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import json_response, mounted
from gitlab_mlops.blueprints.web import curve_settings, formats, state
from gitlab_mlops.blueprints.web.curve_panel import (
    ASSETS,
    MAX_CANDIDATES,
    MAX_METRICS,
    CurvePanel,
    panel,
)
from gitlab_mlops.blueprints.web.frames import render_candidate
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import CANDIDATE, page
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services import candidates
from gitlab_mlops.services.curves import Curve, count_metrics, find_series, read, state_of

__all__ = ["ASSETS", "CurvePanel", "panel"]

LIMITS = range(2, 5001)
"""How many points of a curve one can ask for."""
USUAL_LIMIT = 1000


@page(f"{CANDIDATE}/charts", access=ReadAccess)
def candidate_charts(access: ReadAccess, candidate_iid: int) -> Response:
    """The curves of a candidate's metrics."""
    record = candidates.get_by_iid(access, candidate_iid)
    base = Links.of(mounted().host, access.project).candidate_charts(candidate_iid)
    return render_candidate(
        access,
        "candidate_charts.html",
        record,
        tab="charts",
        assets=ASSETS,
        curves=panel(access, [record], base=base),
    )


@page("/curves", access=ReadAccess)
def curves(access: ReadAccess) -> Response:
    """The points of the curves of some metrics of some candidates, as JSON.

    Candidates and metrics that the project has not are left out. What is wrong with a request
    stands in `error`. A chart of a running candidate asks again and again, and says with
    `If-None-Match` what it has.
    """
    try:
        return _curves(access)
    except Invalid as error:
        return json_response({"error": str(error)}, 400)


def _curves(access: ReadAccess) -> Response:
    iids = state.numbers("candidates", MAX_CANDIDATES)
    metrics = tuple(dict.fromkeys(state.texts("metrics")))
    if len(metrics) > MAX_METRICS:
        raise Invalid(f"“metrics” names {len(metrics):,} metrics; at most {MAX_METRICS} will do.")
    axis = state.choice("x", curve_settings.AXES)
    between = curve_settings.between()
    limit = curve_settings.whole("points", LIMITS, USUAL_LIMIT)
    series = find_series(access, iids, metrics)
    count = count_metrics(access, iids)
    known = f"{request.query_string.decode('latin-1')} {count} {state_of(series)}"
    etag = sha256(known.encode()).hexdigest()[:32]
    if request.if_none_match.contains(etag):
        response = Response(status=304)
    else:
        found = read(access, series, axis, between=between, limit=limit)
        answer = {"x": axis, "metrics": count, "curves": [_written(curve) for curve in found]}
        response = json_response(answer)
    response.set_etag(etag)
    return response


def _written(curve: Curve) -> dict[str, Any]:
    """A curve as the script reads it; JSON has no NaN, so `marks` say which and where."""
    y = [row.value for row in curve.rows]
    return {
        "candidate": curve.series.candidate,
        "name": curve.series.name,
        "metric": curve.series.metric,
        "is_running": curve.series.is_running,
        "total": curve.total,
        "shown": len(y),
        "sampled": len(y) < curve.total,
        "x": curve.x,
        "y": [value if math.isfinite(value) else None for value in y],
        "peaks": curve.peaks,
        "marks": [
            [place, formats.number(value)]
            for place, value in enumerate(y)
            if not math.isfinite(value)
        ],
    }
