"""How values of a merge request stand against the target branch, in signs and in words."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.web.standing import MAX_COLUMNS, MAX_FOLDED, Table, Value, table_of
from gitlab_mlops.host import Project
from gitlab_mlops.services.objectives import objective_of
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.proposals.survey import Entry, Group
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.stamps import Stamp

ACCESS: Any = ReadAccess(None, Project(1, "group/one"), None)  # type: ignore[arg-type]


def record(iid: int, **metrics: float) -> CandidateRecord:
    points = [Point(key, value, 0, 0) for key, value in sorted(metrics.items())]
    return CandidateRecord(
        iid, 1, 1, iid, "e", "a try", 3, "", None, None, None, 0, None, metrics=points
    )


def entry(iid: int, *, is_claimed: bool = False, **metrics: float) -> Entry:
    stamp = None if is_claimed else Stamp(iid, "1", "1", "a", "feature", "", "", is_from_fork=False)
    return Entry(ACCESS, record(iid, **metrics), "a", stamp)


def table(
    *entries: Entry, judged: tuple[str, ...] = (), branch: str = "main", **more: Any
) -> Table:
    group = Group("digits", 1, 1, {}, list(entries), **more)
    group.objective = objective_of({}, group.metrics)
    return table_of(group, branch, judged)


def words(value: Value | None) -> list[tuple[str, str, bool | None]]:
    assert value is not None
    return [(each.text, each.words, each.is_better) for each in value.against]


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("accuracy", 0.95, ("+0.05", "0.05 better than the best on main", True)),
        ("accuracy", 0.85, ("−0.05", "0.05 worse than the best on main", False)),
        ("loss", 0.85, ("−0.05", "0.05 better than the best on main", True)),
        ("loss", 0.95, ("+0.05", "0.05 worse than the best on main", False)),
        ("zeal", 0.95, ("+0.05", "0.05 more than the best on main", None)),
        ("zeal", 0.85, ("−0.05", "0.05 less than the best on main", None)),
        ("loss", 0.9, ("±0", "the same as the best on main", None)),
    ],
)
def test_difference_has_a_sign_and_words(
    key: str, value: float, expected: tuple[str, str, bool | None]
) -> None:
    made = table(entry(3, **{key: value}), best=record(1, **{key: 0.9}), newest=record(2))
    (column,) = made.columns
    assert words(column.values[0]) == [expected]


def test_best_and_newest_are_rows_of_their_own() -> None:
    made = table(
        entry(3, accuracy=0.8),
        best=record(1, accuracy=0.9),
        newest=record(2, accuracy=0.7),
    )
    assert [each.label for each in made.baselines] == ["Best on main", "Newest on main"]
    (column,) = made.columns
    assert [each and each.text for each in column.baselines] == ["0.9", "0.7"]
    assert [each[1] for each in words(column.values[0])] == [
        "0.1 worse than the best on main",
        "0.1 better than the newest on main",
    ]


def test_newest_that_is_also_the_best_is_told_once() -> None:
    one = record(1, accuracy=0.9)
    made = table(entry(3, accuracy=0.8), best=one, newest=one, branch="b" * 30)
    assert [each.label for each in made.baselines] == [f"Best and newest on {'b' * 30}"]
    (value,) = made.columns[0].values
    assert value is not None
    assert [(each.short, each.words) for each in value.against] == [
        (f"{'b' * 19}…", f"0.1 worse than {'b' * 30}")
    ]


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_what_has_no_difference_is_not_compared(odd: float) -> None:
    made = table(
        entry(3, accuracy=odd),
        entry(4, accuracy=0.9),
        entry(5, loss=1),
        newest=record(2, accuracy=odd),
    )
    accuracy = next(each for each in made.columns if each.key == "accuracy")
    assert [words(each) for each in accuracy.values[:2]] == [[], []]
    assert accuracy.values[2] is None


def test_best_fact_is_marked_and_never_a_claim() -> None:
    made = table(
        entry(1, accuracy=0.8), entry(2, accuracy=0.9), entry(3, is_claimed=True, accuracy=0.99)
    )
    assert [each and each.is_best for each in made.columns[0].values] == [False, True, False]


def test_only_candidate_is_not_called_the_best() -> None:
    (value,) = table(entry(1, accuracy=0.8)).columns[0].values
    assert value is not None
    assert not value.is_best


def test_main_metric_comes_first_then_what_the_gate_judges() -> None:
    made = table(entry(1, accuracy=1, loss=1, zeal=1, zest=1), judged=("zest", "loss"))
    assert [each.key for each in made.columns] == ["accuracy", "loss", "zest", "zeal"]
    assert [each.is_judged for each in made.columns] == [False, True, True, False]


def test_metrics_without_room_fold_out_or_are_counted() -> None:
    metrics = {f"m{number:02}": 1.0 for number in range(40)}
    made = table(entry(1, **metrics, **{"system/memory": 1}))
    assert (len(made.columns), len(made.folded)) == (MAX_COLUMNS, MAX_FOLDED)
    assert made.hidden == 40 - MAX_COLUMNS - MAX_FOLDED


def test_candidates_without_metrics_make_a_table_without_columns() -> None:
    made = table(entry(1))
    assert (made.columns, made.folded, made.hidden) == ([], [], 0)
