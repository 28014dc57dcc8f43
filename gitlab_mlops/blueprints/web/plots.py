"""Charts over candidates as an address describes them: a scatter plot, parallel coordinates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from gitlab_mlops.blueprints.web import formats, state
from gitlab_mlops.blueprints.web.columns import ColumnName, parse_columns
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.objectives import Objective, greater_is_better
from gitlab_mlops.services.plots import MAX_LENGTH, Column, Dots, Names, Value
from gitlab_mlops.wire import json

ASSETS = ("compare.css", "plots.js")
"""What a page with such charts loads besides; ECharts only comes when one is seen."""
PICK = "pick"
"""The part of the query in which `plots.js` keeps what is brushed."""
MAX_AXES = 12
"""Axes of parallel coordinates, beyond which lines are a tangle."""
PARAMS, METRICS = 6, 2
"""Axes that a chart begins with."""
LEVELS = 8
"""Texts that have a colour of their own, or one less and one colour for all others."""
SPREAD = 100
MAX_MOMENT = 8_640_000_000_000_000
"""The last millisecond that is a date in a browser."""
ATTRIBUTES = {"created": "Created", "duration": "Duration"}

Best = Literal["", "max", "min", "none"]
Kind = Literal["number", "text", "time", "duration"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the charts of a page show. `best` is what the line of the best so far follows.

    `axes` are those of the parallel coordinates, `axes_color` what their lines are coloured by.
    """

    x: ColumnName
    y: ColumnName
    color: ColumnName | None
    log: tuple[str, ...]
    asked_best: Best
    best: Literal["", "max", "min"]
    axes: tuple[ColumnName, ...]
    axes_color: ColumnName | None

    @property
    def columns(self) -> list[Column]:
        """Everything that has to be known of each candidate, once."""
        wanted = (self.y, self.x, self.color, self.axes_color, *self.axes)
        return [Column(*each) for each in dict.fromkeys(wanted) if each]


class Series(NamedTuple):
    """A column of values; those of the kind `text` are cut to what fits."""

    name: ColumnName
    kind: Kind
    values: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Plot:
    """The charts of a page. `prefix` is that of their settings in the query.

    What they draw is `data`, in JSON, or at the address `url`; the table shows the `dots`.
    """

    prefix: str
    settings: Settings
    names: Names
    dots: Dots
    data: str = ""
    url: str = ""

    @property
    def series(self) -> list[Series]:
        """The columns of the table."""
        return series_of(self.settings.columns, self.dots)

    @property
    def scatter(self) -> dict[str, Any]:
        """What `plots.js` has to know of the scatter plot."""
        chosen = self.settings
        return {
            "x": chosen.x.text,
            "y": chosen.y.text,
            "color": chosen.color.text if chosen.color else "",
            "log": chosen.log,
            "best": chosen.best,
        }

    @property
    def parallel(self) -> dict[str, Any]:
        """What `plots.js` has to know of the parallel coordinates."""
        color = self.settings.axes_color
        return {
            "axes": [each.text for each in self.settings.axes],
            "color": color.text if color else "",
        }


def settings(
    names: Names,
    objective: Objective | None,
    tags: Mapping[str, str],
    *,
    x: ColumnName,
    prefix: str = "",
) -> Settings:
    """The settings in this request's query; `Invalid` for what no link of ours leads to.

    `objective` is the main metric, and `x` what is drawn against unless the query says another.
    The names of the scatter plot's settings begin with `prefix`.
    """
    main = _main(names, objective)
    x = _column(f"{prefix}x") or x
    y = _column(f"{prefix}y") or main or ColumnName("attribute", "duration")
    asked: Best = state.choice(f"{prefix}best", ("", "max", "min", "none"))
    axes = parse_columns(state.texts("axes")) or _usual_axes(names, main)
    if len(axes) > MAX_AXES:
        raise Invalid(f"Choose at most {MAX_AXES} axes; the address of this page has {len(axes)}.")
    for each in axes:
        drawn(each)
    return Settings(
        x=x,
        y=y,
        color=_column(f"{prefix}color"),
        log=tuple(each for each in ("x", "y") if each in state.texts(f"{prefix}log")),
        asked_best=asked,
        best=_best(asked, x, y, tags),
        axes=axes,
        axes_color=_column("axes_color") or main,
    )


def _main(names: Names, objective: Objective | None) -> ColumnName | None:
    """The metric that matters, or else the first."""
    if objective and objective.key in names.metrics:
        return ColumnName("metric", objective.key)
    first = sorted(names.metrics, key=lambda key: (key.startswith("system/"), key))[:1]
    return ColumnName("metric", first[0]) if first else None


def _usual_axes(names: Names, main: ColumnName | None) -> tuple[ColumnName, ...]:
    """What varies, and what came of it."""
    params = [ColumnName("param", key) for key in names.params if key in names.varying]
    metrics = [ColumnName("metric", key) for key in names.metrics if not key.startswith("system/")]
    others = [each for each in metrics if each != main][: METRICS - 1]
    return (*params[:PARAMS], *others, *([main] if main else []))


def _column(name: str) -> ColumnName | None:
    given = state.raw(name)
    if not given:
        return None
    (column,) = parse_columns([given])
    return drawn(column)


def drawn(column: ColumnName) -> ColumnName:
    """The column, if a chart can show it; raise `Invalid`."""
    if column.entity == "attribute" and column.key not in ATTRIBUTES:
        raise Invalid(f"A chart cannot show “{column.key}”; choose another.")
    return column


def _best(
    asked: Best, x: ColumnName, y: ColumnName, tags: Mapping[str, str]
) -> Literal["", "max", "min"]:
    if x != ColumnName("attribute", "created") or asked == "none":
        return ""
    if asked:
        return asked
    direction = greater_is_better(y.key, tags) if y.entity == "metric" else None
    return "" if direction is None else "max" if direction else "min"


def series_of(columns: Iterable[Column], dots: Dots) -> list[Series]:
    """The values by column. Texts that are numbers in all candidates become numbers."""
    found = []
    for place, column in enumerate(columns):
        values = [dot.values[place] for dot in dots.dots]
        found.append(_series(ColumnName(*column), values))
    return found


def _series(name: ColumnName, values: Sequence[Value]) -> Series:
    if name == ColumnName("attribute", "created"):
        return Series(name, "time", [value if _is_date(value) else None for value in values])
    if name.entity == "attribute":
        return Series(name, "duration", values)
    if name.entity == "metric":
        return Series(name, "number", values)
    texts = [value for value in values if isinstance(value, str)]
    if texts and all(map(formats.is_number, texts)):
        return Series(name, "number", [float(v) if isinstance(v, str) else None for v in values])
    cut = [formats.shortened(v, MAX_LENGTH) if isinstance(v, str) else None for v in values]
    return Series(name, "text", cut)


def _is_date(value: Value) -> bool:
    return isinstance(value, int) and abs(value) <= MAX_MOMENT


def as_json(columns: Sequence[Column], dots: Dots) -> dict[str, Any]:
    """What `plots.js` draws. NaN and the infinities become null."""
    return {
        "total": dots.total,
        "more": dots.has_more,
        "iids": [each.iid for each in dots.dots],
        "names": [formats.shortened(formats.named(each.name), MAX_LENGTH) for each in dots.dots],
        "columns": {each.name.text: _column_json(each) for each in series_of(columns, dots)},
    }


def _column_json(series: Series) -> dict[str, Any]:
    """A column; `levels` are the texts that get a colour of their own, the others share one.

    `spreads`: a parameter was tried over so wide a range that its axis should be logarithmic.
    """
    found: dict[str, Any] = {
        "label": label(series.name),
        "kind": series.kind,
        "values": series.values,
    }
    known = [value for value in series.values if value is not None]
    if series.kind == "text":
        counted = [value for value, _ in Counter(known).most_common(LEVELS + 1)]
        found["levels"] = counted if len(counted) <= LEVELS else counted[: LEVELS - 1]
    elif series.kind == "number" and series.name.entity != "metric" and known:
        numbers = [float(value) for value in known]
        found["spreads"] = min(numbers) > 0 and max(numbers) >= SPREAD * min(numbers)
    return found


def as_text(columns: Sequence[Column], dots: Dots) -> str:
    """`as_json` for an attribute of an element."""
    return json.dumps(as_json(columns, dots)).decode()


def label(name: ColumnName) -> str:
    """What an axis is called."""
    return ATTRIBUTES[name.key] if name.entity == "attribute" else name.key


def cell(value: Value, kind: Kind) -> str:
    """A value in the table of what a chart shows."""
    if value is None or isinstance(value, str):
        return value or ""
    if kind == "time":
        return formats.moment(int(value), 0).text
    return formats.duration(int(value)) if kind == "duration" else formats.number(value)
