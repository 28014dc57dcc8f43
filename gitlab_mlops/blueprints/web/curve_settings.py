"""How the curves of metrics are drawn, as the query of a page says it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from gitlab_mlops.blueprints.web import state
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.curves import Axis, Ends
from gitlab_mlops.services.ranges import MAX_INT64, MIN_INT64

PARTS = ("chart", "overlay", "x", "scale", "smooth", "from", "to")
"""The names of these settings in the query of a page."""
AXES: tuple[Axis, ...] = ("step", "relative", "wall")
MAX_SMOOTH = 0.99
_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class CurveSettings:
    """Which metrics (none: the usual ones), over what, and how.

    `overlay` puts all of them into one chart, `between` is the part of the x axis that is wanted,
    `smooth` the weight of what came before, from 0 to `MAX_SMOOTH`.
    """

    metrics: tuple[str, ...]
    overlay: bool
    axis: Axis
    is_log: bool
    smooth: float
    between: Ends

    def query(self) -> list[tuple[str, str]]:
        """The query that says this, but for `between`."""
        given = {
            "overlay": "1" if self.overlay else "",
            "x": self.axis if self.axis != AXES[0] else "",
            "scale": "log" if self.is_log else "",
            "smooth": f"{self.smooth:g}" if self.smooth else "",
        }
        charts = [("chart", metric) for metric in self.metrics]
        return charts + [(name, value) for name, value in given.items() if value]


def curve_settings() -> CurveSettings:
    """The settings in this request; `Invalid` for what no link of ours leads to."""
    return CurveSettings(
        metrics=tuple(dict.fromkeys(state.texts("chart"))),
        overlay=state.choice("overlay", ("", "1")) == "1",
        axis=state.choice("x", AXES),
        is_log=state.choice("scale", ("linear", "log")) == "log",
        smooth=_smooth(),
        between=between(),
    )


def between() -> Ends:
    """The part of the x axis from `from` to `to`, as whole numbers that hold all of it."""
    low, high = _bound("from", math.floor), _bound("to", math.ceil)
    if low is not None and high is not None and low > high:
        raise Invalid("“from” in the address of this page is larger than “to”.")
    return low, high


def whole(name: str, allowed: range, default: int) -> int:
    """A whole number in the query."""
    given = state.text(name)
    number = int(given) if _WHOLE.fullmatch(given) else None
    if given and number not in allowed:
        raise Invalid(f"“{name}” is a whole number from {allowed[0]} to {allowed[-1]:,}.")
    return default if number is None else number


def _bound(name: str, rounded: Callable[[float], int]) -> int | None:
    given = state.text(name)
    if not given:
        return None
    number = _number(given)
    if number is None:
        raise Invalid(f"“{name}” in the address of this page is a step, or milliseconds.")
    # A float may be far beyond every step that there can be.
    return max(MIN_INT64, min(MAX_INT64, rounded(number)))


def _smooth() -> float:
    given = state.text("smooth")
    number = _number(given or "0")
    if number is None or not 0 <= number <= MAX_SMOOTH:
        raise Invalid(f"“smooth” in the address of this page is a number from 0 to {MAX_SMOOTH}.")
    return float(number)


def _number(given: str) -> int | float | None:
    if _WHOLE.fullmatch(given):
        return int(given)
    try:
        number = float(given)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
