"""How candidates of a merge request stand against the target branch, metric by metric."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.blueprints.web.differences import MINUS, Delta, Differences, Numbers, Row
from gitlab_mlops.services.objectives import by_interest, greater_is_better
from gitlab_mlops.services.proposals.survey import Group
from gitlab_mlops.services.records import CandidateRecord

MAX_COLUMNS = 6
"""Metrics that show at once."""
MAX_FOLDED = 24
"""Metrics that fold out below them; the comparison has all."""
MAX_BRANCH = 20
"""Characters of a branch's name in a cell."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A candidate of the target branch.

    `label` is the head of its row; values are said to be better `than` it, in `short` vs. it.
    """

    label: str
    short: str
    than: str
    record: CandidateRecord


@dataclass(frozen=True, slots=True)
class Against:
    """A value against that of a baseline: signed, and in words for who sees no sign or colour."""

    text: str
    percent: str
    short: str
    words: str
    is_better: bool | None


@dataclass(frozen=True, slots=True)
class Value:
    """A metric's value; `exact` has all its digits, if `text` has not."""

    text: str
    exact: str
    is_best: bool
    against: list[Against]


@dataclass(frozen=True, slots=True)
class Column:
    """A metric: the values of the group's entries, and of its baselines; None where one has none.

    `is_judged`: the gate has a rule about it.
    """

    key: str
    greater_is_better: bool | None
    is_main: bool
    is_judged: bool
    values: list[Value | None]
    baselines: list[Value | None]


@dataclass(frozen=True, slots=True)
class Table:
    """The columns that show, those that fold out, and how many there is no room for."""

    baselines: list[Baseline]
    columns: list[Column]
    folded: list[Column]
    hidden: int


def table_of(group: Group, branch: str, judged: Collection[str]) -> Table:
    """The candidates of a group against the best and the newest of the target branch.

    The main metric comes first, then what the gate judges.
    """
    baselines = _baselines_of(group, branch)
    keys = by_interest(group.metrics, group.objective)
    main = None if group.objective is None else group.objective.key
    keys.sort(key=lambda key: (key != main, key not in judged))
    columns = [
        _column(key, group, baselines, is_main=key == main, is_judged=key in judged)
        for key in keys[: MAX_COLUMNS + MAX_FOLDED]
    ]
    return Table(
        baselines, columns[:MAX_COLUMNS], columns[MAX_COLUMNS:], max(0, len(keys) - len(columns))
    )


def _baselines_of(group: Group, branch: str) -> list[Baseline]:
    best, newest = group.best, group.newest
    if best is not None and newest is not None and best.id == newest.id:
        short = formats.shortened(branch, MAX_BRANCH)
        return [Baseline(f"Best and newest on {branch}", short, branch, best)]
    return [
        Baseline(f"{word.capitalize()} on {branch}", word, f"the {word} on {branch}", record)
        for word, record in (("best", best), ("newest", newest))
        if record is not None
    ]


def _column(
    key: str, group: Group, baselines: Sequence[Baseline], *, is_main: bool, is_judged: bool
) -> Column:
    direction = greater_is_better(key, group.tags)
    values = [_value_of(each.record, key) for each in group.entries]
    bases = [_value_of(each.record, key) for each in baselines]
    measured = [_against(base, values, key, direction) for base in bases]
    # What nobody checked is compared, but is not the best of them.
    facts = [
        None if each.stamp is None else value
        for each, value in zip(group.entries, values, strict=True)
    ]
    best = [cell is not None and cell.is_best for cell in _row(key, facts, direction).cells]
    shown = [
        None
        if cell is None
        else Value(
            cell.text,
            cell.exact,
            best[place],
            [
                _in_words(delta, baseline)
                for deltas, baseline in zip(measured, baselines, strict=True)
                if (delta := deltas[place]) is not None
            ],
        )
        for place, cell in enumerate(_row(key, values, direction).cells)
    ]
    of_bases = [
        None if cell is None else Value(cell.text, cell.exact, is_best=False, against=[])
        for cell in _row(key, bases, direction).cells
    ]
    return Column(key, direction, is_main, is_judged, shown, of_bases)


def _value_of(record: CandidateRecord, key: str) -> float | None:
    return next((point.value for point in record.metrics if point.key == key), None)


def _row(key: str, values: Sequence[float | None], direction: bool | None) -> Row:
    return Differences(baseline=None, shows_all=True).number_row(
        Numbers(key, "", values), direction
    )


def _against(
    base: float | None, values: Sequence[float | None], key: str, direction: bool | None
) -> list[Delta | None]:
    """The difference of each value from that of a baseline."""
    numbers = Numbers(key, "", [base, *values])
    row = Differences(baseline=0, shows_all=True).number_row(numbers, direction)
    return [None if cell is None else cell.delta for cell in row.cells[1:]]


def _in_words(delta: Delta, baseline: Baseline) -> Against:
    size = delta.text.lstrip(f"+{MINUS}±")
    if delta.text.startswith("±"):
        words = f"the same as {baseline.than}"
    elif delta.is_better is not None:
        words = f"{size} {'better' if delta.is_better else 'worse'} than {baseline.than}"
    else:
        words = f"{size} {'less' if delta.text.startswith(MINUS) else 'more'} than {baseline.than}"
    return Against(delta.text, delta.percent, baseline.short, words, delta.is_better)
