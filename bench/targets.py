"""What was promised, and whether this run kept it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from bench import names
from bench.results import Results


@dataclass(frozen=True)
class Verdict:
    """A target, what was found, and whether it is met; None if it was not measured."""

    target: str
    found: str = "not measured"
    is_met: bool | None = None


def verdicts(results: Results) -> list[Verdict]:
    """All targets, judged by the figures as they were measured, not as they are printed."""
    return [
        _all(results, "stock", 10),
        _all(results, "fasttrackml", 1, but={names.GET}),
        _row(results, names.GET, "fasttrackml", 0.5),
        _row(results, names.LOG_METRIC, "floor", 0.4),
        *(_figure(results, *limit) for limit in LIMITS),
        _bytes_per_point(results),
    ]


def _all(
    results: Results, other: str, least: float, but: Collection[str] = ()
) -> Verdict:  # fmt: skip
    """The worst of all operations decides."""
    label = names.SERVERS[other]
    end = f", but for {' and '.join(but)}" if but else ""
    target = f"every operation at least {least:g} times {label}{end}"
    wanted = [name for name in results.operations if name not in but]
    ratios = {
        name: ratio
        for name in wanted
        if (row := results.row(name)) and (ratio := row.ratio(other)) is not None
    }
    if not ratios:
        return Verdict(target)
    worst = min(ratios, key=ratios.__getitem__)
    found = f"{sum(ratio >= least for ratio in ratios.values())} of {len(wanted)} operations"
    kept = all(ratio >= least for ratio in ratios.values())
    # What was not measured proves nothing, but what was may disprove.
    is_met = kept if len(ratios) == len(wanted) or not kept else None
    return Verdict(target, f"{found}; the least is {ratios[worst]:.2f} for {worst}", is_met)


def _row(results: Results, name: str, other: str, least: float) -> Verdict:
    target = f"{name} at least {least:.0%} of {names.SERVERS[other]}"
    row = results.row(name)
    ratio = None if row is None else row.ratio(other)
    if ratio is None:
        return Verdict(target)
    return Verdict(target, f"{ratio:.0%}", ratio >= least)


def _figure(
    results: Results, figure: str, target: str, most: float, shown: Callable[[float], str]
) -> Verdict:
    value = results.figures.get(figure)
    return Verdict(target) if value is None else Verdict(target, shown(value), value <= most)


def _bytes_per_point(results: Results) -> Verdict:
    target = "at most 120 bytes per metric point, indexes included"
    row = results.row(names.BYTES_PER_POINT)
    value = None if row is None else row.values.get("ours")
    return Verdict(target) if value is None else Verdict(target, f"{value:.0f}", value <= 120)


def _times(value: float) -> str:
    return f"{value:.2f} times"


LIMITS: list[tuple[str, str, float, Callable[[float], str]]] = [
    (
        names.SEARCH_FLATNESS,
        "median of a search in the large experiment at most 2 times that in 1,000",
        2,
        _times,
    ),
    (
        names.LOG_FLATNESS,
        "log-metric into the longest history at most 1.3 times that into an empty one",
        1.3,
        _times,
    ),
    (
        names.CURVE_SLOWNESS,
        "a curve of the longest history in under 5 times the time of one of 10,000 points",
        5,
        _times,
    ),
    (
        names.CURVE_GROWTH,
        "a curve of the longest history at most twice the bytes of one of 10,000 points",
        2,
        _times,
    ),
    (
        names.MEMORY_ADDED,
        "mounting the plugin adds at most 60 MB to a worker",
        60,
        lambda value: f"{value:.1f} MB",
    ),
    (
        names.START_ADDED,
        "mounting the plugin adds at most 0.5 s to the start",
        0.5,
        lambda value: f"{value:.2f} s",
    ),
]
