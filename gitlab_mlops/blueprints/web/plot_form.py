"""The controls of charts over candidates: what there is to choose, and what is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.blueprints.web.columns import ColumnName
from gitlab_mlops.blueprints.web.plots import ATTRIBUTES, Settings, label
from gitlab_mlops.services.plots import Names

MAX_LABEL = 60
"""Characters of a name to choose."""
BEST = {"max": "Highest", "min": "Lowest", "none": "None"}


class Option(NamedTuple):
    """One thing to choose."""

    value: str
    label: str
    is_chosen: bool


class Options(NamedTuple):
    """Things of one kind to choose from."""

    label: str
    options: list[Option]


def columns(names: Names, chosen: ColumnName | None) -> list[Options]:
    """Everything that an axis or the colour can be."""
    kinds = {"Metrics": _metrics(names.metrics), "Parameters": _params(names.params)}
    return _options(kinds, [chosen] if chosen else [])


def axes(names: Names, chosen: Settings) -> list[Options]:
    """Everything worth an axis of its own, in the order of the axes."""
    varying = [key for key in names.params if key in names.varying]
    return _options(
        {"Parameters": _params(varying), "Metrics": _metrics(names.metrics)}, chosen.axes
    )


def best(chosen: Settings) -> list[Option]:
    """What the line of the best so far can follow."""
    options = [Option(value, text, value == chosen.asked_best) for value, text in BEST.items()]
    if chosen.asked_best:
        return [Option("", "Auto", False), *options]
    automatic = BEST[chosen.best or "none"].lower()
    return [Option("", f"Auto: {automatic}", True), *options]


def _metrics(keys: Iterable[str]) -> list[ColumnName]:
    return [ColumnName("metric", key) for key in keys]


def _params(keys: Iterable[str]) -> list[ColumnName]:
    return [ColumnName("param", key) for key in keys]


def _options(kinds: dict[str, list[ColumnName]], chosen: Iterable[ColumnName]) -> list[Options]:
    known = {**kinds, "Attributes": [ColumnName("attribute", key) for key in ATTRIBUTES]}
    listed = {each for found in known.values() for each in found}
    # An address may name what is none of the newest candidates', or a tag.
    known["Others"] = [each for each in chosen if each not in listed]
    is_chosen = set(chosen).__contains__
    return [
        Options(kind, [_option(each, is_chosen) for each in found])
        for kind, found in known.items()
        if found
    ]


def _option(name: ColumnName, is_chosen: Callable[[ColumnName], bool]) -> Option:
    return Option(name.text, formats.shortened(label(name), MAX_LABEL), is_chosen(name))
