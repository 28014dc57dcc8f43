"""A panel of curves: a chart per metric, for any list of candidates, and a table for each chart.

The script of the page draws the charts from the points that it gets as JSON (`curves.py`); the
tables are for readers without it, and hold few points.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.blueprints.web.curve_settings import CurveSettings, curve_settings
from gitlab_mlops.blueprints.web.facts import OF_THE_MACHINE
from gitlab_mlops.models import Status
from gitlab_mlops.services import curves
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.curves import Axis, Curve
from gitlab_mlops.services.objectives import objective_of
from gitlab_mlops.services.records import CandidateRecord

ASSETS = (
    "vendor/uplot/uPlot.min.css",
    "charts.css",
    "vendor/uplot/uPlot.iife.min.js",
    "curve_data.js",
    "curve_chart.js",
    "charts.js",
)
"""What a page with a panel loads besides."""
MAX_CANDIDATES = 50
MAX_METRICS = 50
"""Of one chart."""
USUAL = 30
"""Metrics of each group that are shown if none are chosen."""
OFFERED = 1000
"""Metrics that one can choose from."""
ROWS = 1200
"""Rows of all tables; each curve gets its share."""
MAX_ROWS = 50
COUNTED = 1000
"""A table says of how many points it shows a part, up to this number."""
AXIS_NAMES: dict[Axis, str] = {
    "step": "Step",
    "relative": "Relative time",
    "wall": "Wall time (UTC)",
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of some metrics, and the few points of its curves that stand in its table."""

    metrics: tuple[str, ...]
    curves: list[Curve]
    is_exact: bool

    @property
    def title(self) -> str:
        """The name of the metric, or how many there are."""
        return self.metrics[0] if len(self.metrics) == 1 else f"{len(self.metrics)} metrics"

    @property
    def key(self) -> str:
        """The metrics as the script reads them."""
        return json.dumps(self.metrics, ensure_ascii=False)

    @property
    def is_single(self) -> bool:
        """Whether no curve has more than one point, so that numbers say more than a chart."""
        return all(curve.total <= 1 for curve in self.curves)

    @property
    def shown(self) -> str:
        """How many points are in the table, and of how many."""
        count = sum(len(curve.rows) for curve in self.curves)
        total = sum(min(curve.total, COUNTED) for curve in self.curves)
        if self.is_exact:
            total = sum(curve.total for curve in self.curves)
        if count == total:
            return formats.plural(count, "point")
        has_more = not self.is_exact and any(curve.total > COUNTED for curve in self.curves)
        return f"{count:,} of {'more than ' if has_more else ''}{formats.plural(total, 'point')}"


@dataclass(frozen=True, slots=True)
class Group:
    """Metrics of one kind: all that there are, those that are chosen, and their charts."""

    name: str
    label: str
    offered: list[str]
    usual: frozenset[str]
    chosen: frozenset[str]
    charts: list[Chart]
    is_folded: bool

    @property
    def picked(self) -> int:
        """How many are chosen."""
        return len(self.chosen)


@dataclass(frozen=True, slots=True)
class CurvePanel:
    """Everything that `mlops/curve_panel.html` shows."""

    candidates: list[tuple[int, str]]
    settings: CurveSettings
    groups: list[Group]
    metrics: int
    is_running: bool
    action: str
    hidden: list[tuple[str, str]]

    @property
    def whole(self) -> str:
        """Where the same charts are without a part of the x axis chosen."""
        query = urlencode([*self.hidden, *self.settings.query()])
        return f"{self.action}?{query}" if query else self.action

    @property
    def zoom(self) -> dict[str, int] | None:
        """The part of the x axis that is chosen, as the script wants it; None: all of it."""
        low, high = self.settings.between
        return None if low is None or high is None else {"from": low, "to": high}

    @property
    def axis_name(self) -> str:
        """What the x axis is called."""
        return AXIS_NAMES[self.settings.axis]

    def x(self, value: int) -> str:
        """A value on the x axis as text."""
        return write_x(self.settings.axis, value)


def panel(access: ReadAccess, records: Sequence[CandidateRecord], *, base: str) -> CurvePanel:
    """The curves of these candidates, at most `MAX_CANDIDATES`, as this request asks for them.

    `base` is the address of the page without the settings of the curves.
    """
    settings = curve_settings()
    keys = sorted({point.key for record in records for point in record.metrics})
    own = _main_first([key for key in keys if not key.startswith(OF_THE_MACHINE)])
    of_machine = [key for key in keys if key.startswith(OF_THE_MACHINE)]
    chosen = set(settings.metrics) & set(keys) or {*own[:USUAL], *of_machine[:USUAL]}
    known = _curves(access, [record.iid for record in records], sorted(chosen), settings)
    groups = [("metrics", "Metrics", own), ("machine", "System metrics", of_machine)]
    return CurvePanel(
        candidates=[(record.iid, record.name) for record in records],
        settings=settings,
        groups=[_group(*group, chosen, known, settings) for group in groups if group[2]],
        metrics=len(keys),
        is_running=any(record.status in (Status.RUNNING, Status.SCHEDULED) for record in records),
        action=urlsplit(base).path,
        hidden=parse_qsl(urlsplit(base).query),
    )


def write_x(axis: Axis, value: int) -> str:
    """A value on the x axis as text."""
    if axis == "step":
        return f"{value:,}"
    if axis == "relative":
        return _elapsed(value)
    moment = formats.moment(value, now())
    return moment.iso[:19].replace("T", " ") if moment.iso else moment.text


def _elapsed(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    if seconds < 60:
        return f"{milliseconds / 1000:g} s"
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _main_first(keys: list[str]) -> list[str]:
    """The metric that the training is probably about, then the others as they are."""
    main = objective_of({}, keys)
    return sorted(keys, key=lambda key: main is None or key != main.key)


def _curves(
    access: ReadAccess, iids: Sequence[int], metrics: Sequence[str], settings: CurveSettings
) -> dict[str, list[Curve]]:
    """The points for the tables by metric: of a part of the x axis exactly, else what is cheap."""
    series = curves.find_series(access, iids, metrics)
    rows = max(2, min(MAX_ROWS, ROWS // max(1, len(series))))
    if settings.between == (None, None):
        found = curves.skim(access, series, settings.axis, limit=rows, counted=COUNTED + 1)
    else:
        found = curves.read(access, series, settings.axis, between=settings.between, limit=rows)
    by_metric: dict[str, list[Curve]] = {metric: [] for metric in metrics}
    for curve in found:
        by_metric[curve.series.metric].append(curve)
    return by_metric


def _group(
    name: str,
    label: str,
    offered: Sequence[str],
    chosen: Iterable[str],
    known: Mapping[str, list[Curve]],
    settings: CurveSettings,
) -> Group:
    shown = [key for key in offered if key in chosen]
    together = [tuple(shown[:MAX_METRICS])] if settings.overlay and shown else []
    is_exact = settings.between != (None, None)
    return Group(
        name,
        label,
        offered=list(dict.fromkeys([*offered[:OFFERED], *shown])),
        usual=frozenset(offered[:USUAL]),
        chosen=frozenset(shown),
        charts=[
            Chart(metrics, [curve for metric in metrics for curve in known[metric]], is_exact)
            for metrics in together or [(key,) for key in shown]
        ],
        is_folded=name == "machine" and not settings.metrics,
    )
