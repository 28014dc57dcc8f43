"""Curves: no peak is lost, whatever the points are like, and on both databases the same."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import Engine, insert
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.host import Project
from gitlab_mlops.models import MetricKey, MetricPoint, MetricSeries, Status
from gitlab_mlops.services import curves, sampling
from gitlab_mlops.services.curves import Axis, Curve, Ends
from gitlab_mlops.services.ranges import Range
from tests.unit.rows import add_candidate, counted

PROJECT, OTHER = Project(7, "ours/vision", "vision"), Project(8, "theirs/vision", "vision")
SERIES = 4242
START = 1_700_000_000_000
WEEK = 7 * 86_400_000
AXES: tuple[Axis, ...] = ("step", "relative", "wall")
Points = Sequence[tuple[int, int, float]]
"""(timestamp, step, value), in the order of the primary key."""


@pytest.fixture
def access(session: Session) -> ReadAccess:
    return ReadAccess(None, PROJECT, session)


def store(session: Session, points: Points, series_id: int = SERIES) -> None:
    rows = [
        {"series_id": series_id, "timestamp": timestamp, "step": step, "value": value}
        for timestamp, step, value in points
    ]
    session.execute(insert(MetricPoint), rows)


def add_series(
    session: Session,
    points: Points,
    *,
    iid: int = 1,
    metric: str = "loss",
    project: Project = PROJECT,
    **candidate: Any,
) -> None:
    """A candidate of this number with one metric."""
    owner = add_candidate(session, project, iid, f"run {iid}", **candidate)
    key = MetricKey(project_id=project.id, key=f"{metric}")
    session.add(key)
    session.flush()
    step, timestamp, value = max((step, timestamp, value) for timestamp, step, value in points)
    latest = {"step": step, "timestamp": timestamp, "value": value}
    series = MetricSeries(
        candidate_id=owner.id, experiment_id=owner.experiment_id, key_id=key.id, **latest
    )
    session.add(series)
    session.flush()
    store(session, points, series.id)


def read(
    access: ReadAccess, axis: Axis = "step", limit: int = 1000, between: Ends = (None, None)
) -> Curve:
    """The only curve of the project."""
    found = curves.find_series(access, [1], ["loss"])
    (curve,) = curves.read(access, found, axis, limit=limit, between=between)
    return curve


def y_of(curve: Curve) -> list[float]:
    return [row.value for row in curve.rows]


# What the points of a metric can be like


def steady(count: int) -> Points:
    return [(START + n * 50 + n % 7, n, random.gauss(0, 1)) for n in range(count)]


def paused(count: int) -> Points:
    """A pause of three weeks in the middle."""
    return [(t + 3 * WEEK * (n > count // 3), n, v) for t, n, v in steady(count)]


def slower_and_slower(count: int) -> Points:
    return [(START + n**3, n, random.gauss(0, 1)) for n in range(count)]


def started_again(count: int) -> Points:
    return [(t, n if n < count * 0.6 else n - count // 3, v) for t, n, v in steady(count)]


def without_steps(count: int) -> Points:
    return [(t, 0, v) for t, _, v in steady(count)]


def without_times(count: int) -> Points:
    return [(0, n, v) for _, n, v in steady(count)]


def without_both(count: int) -> Points:
    return sorted((0, 0, v) for _, _, v in steady(count))


def constant(count: int) -> Points:
    return [(t, n, 0.5) for t, n, _ in steady(count)]


def few_values(count: int) -> Points:
    return [(t, n, float(n * 7 % 3)) for t, n, _ in steady(count)]


def extreme(count: int) -> Points:
    """Over all of int64, the ends included."""
    lowest, highest = -(2**63), 2**63 - 1
    middle = [random.randrange(lowest, highest) for _ in range(count - 2)]
    steps = sorted([lowest, highest, *(random.randrange(lowest, highest) for _ in middle)])
    times = sorted([lowest, highest, *middle])
    return [(t, s, 1e308 * random.uniform(-1, 1)) for t, s in zip(times, steps, strict=True)]


SHAPES: list[Callable[[int], Points]] = [
    steady,
    paused,
    slower_and_slower,
    started_again,
    without_steps,
    without_times,
    without_both,
    constant,
    few_values,
    extreme,
]


def chunks_of(points: Points, number: int) -> list[Points]:
    """By the rule: of equal time, or of equal numbers if the largest would be too large."""
    width = (points[-1][0] - points[0][0]) // number + 1
    by_time: list[list[tuple[int, int, float]]] = []
    for point in points:
        if not by_time or point[0] >= by_time[-1][0][0] + width:
            by_time.append([])
        by_time[-1].append(point)
    fits = points[0][0] > -(2**62) and points[-1][0] + width < 2**62
    if fits and max(map(len, by_time)) * number <= 4 * len(points):
        return list(by_time)
    size = -(-len(points) // number)
    return [points[at : at + size] for at in range(0, len(points), size)]


@pytest.mark.parametrize("limit", [8, 41, 200])
@pytest.mark.parametrize("shape", SHAPES)
def test_each_chunk_keeps_its_first_last_smallest_and_largest(
    session: Session, shape: Callable[[int], Points], limit: int
) -> None:
    random.seed(limit)
    points = shape(700)
    store(session, points)
    rows, total = sampling.by_time(session, Range(SERIES), limit=limit)
    kept: set[tuple[int, int, float]] = set()
    in_place: set[tuple[int, int, float]] = set()
    for chunk in chunks_of(points, limit // 4):
        in_place |= {chunk[0], chunk[-1]}
        kept.add(min(chunk, key=lambda point: point[2]))
        kept.add(max(chunk, key=lambda point: point[2]))
    assert total == 700
    assert {row[:3] for row in rows} == kept | in_place
    assert {row[:3] for row in rows if row.is_peak} == kept - in_place
    assert len(rows) <= limit


@pytest.mark.parametrize("shape", [steady, paused, started_again, without_steps])
@pytest.mark.parametrize("axis", AXES)
def test_a_curve_reaches_from_end_to_end_with_its_peaks(
    session: Session, access: ReadAccess, axis: Axis, shape: Callable[[int], Points]
) -> None:
    points = shape(900)
    add_series(session, points)
    curve = read(access, axis, limit=60)
    xs = [step if axis == "step" else time - START * (axis != "wall") for time, step, _ in points]
    assert (min(curve.x), max(curve.x)) == (min(xs), max(xs))
    assert curve.x == sorted(curve.x)
    values = [value for _, _, value in points]
    assert (min(y_of(curve)), max(y_of(curve))) == (min(values), max(values))
    assert curve.total == 900
    assert 30 < len(curve.rows) <= 60


@pytest.mark.parametrize("axis", AXES)
def test_few_points_are_all_there(session: Session, access: ReadAccess, axis: Axis) -> None:
    points = steady(50)
    add_series(session, points)
    curve = read(access, axis, limit=50)
    assert [row[:3] for row in curve.rows] == points
    assert curve.total == 50
    assert curve.peaks == []


def test_the_largest_step_stays_though_a_restart_has_not_come_that_far(
    session: Session, access: ReadAccess
) -> None:
    points = [(t, n if n < 633 else n - 400, v) for t, n, v in steady(900)]
    add_series(session, points)
    for between in ((None, None), (100, 632)):
        curve = read(access, limit=48, between=between)
        assert curve.x[-1] == 632
        assert len(curve.rows) <= 48


def test_two_workers_that_log_far_apart_keep_their_peaks_each(
    session: Session, access: ReadAccess
) -> None:
    low = [(START + 2 * n, n, math.sin(n)) for n in range(1000)]
    high = [(START + 2 * n + 1, 5000 + n, 100 + math.sin(n)) for n in range(1000)]
    low[333] = (START + 666, 333, 50.0)
    high[444] = (START + 889, 5444, 60.0)
    add_series(session, sorted(low + high))
    shown = set(y_of(read(access, limit=100)))
    assert {50.0, 60.0} <= shown
    curve = read(access, limit=100)
    assert (curve.x[0], curve.x[-1], curve.total) == (0, 5999, 2000)
    assert len(curve.rows) <= 100


def test_steps_that_count_anew_in_each_epoch_show_every_step(
    session: Session, access: ReadAccess
) -> None:
    points = [(START + n, n % 100, float(n == 1234)) for n in range(3000)]
    add_series(session, points)
    curve = read(access, limit=200)
    assert {0, 34, 99} <= set(curve.x)
    assert 1.0 in y_of(curve)
    assert all(after - before < 6 for before, after in pairwise(curve.x))


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("limit", [2, 3, 5, 7])
def test_never_more_points_than_asked_for(
    session: Session, access: ReadAccess, axis: Axis, limit: int
) -> None:
    add_series(session, paused(300))
    curve = read(access, axis, limit=limit)
    assert 2 <= len(curve.rows) <= limit
    assert curve.x[-1] - curve.x[0] >= 299


# What is no number


@pytest.mark.parametrize("axis", AXES)
def test_values_that_are_no_numbers_hide_no_peak(
    session: Session, access: ReadAccess, axis: Axis
) -> None:
    points = [list(each) for each in steady(800)]
    for at, value in ((100, math.nan), (101, math.inf), (102, -math.inf), (500, math.nan)):
        points[at][2] = value
    points[103][2], points[104][2] = 1e3, -1e3
    add_series(session, [(t, s, v) for t, s, v in points])  # type: ignore[misc]
    curve = read(access, axis, limit=48)
    shown = {row.step: row.value for row in curve.rows}
    assert math.isnan(shown[100])
    assert math.isnan(shown[500])
    assert shown[102] == -math.inf
    assert (shown[103], shown[104]) == (1e3, -1e3)
    assert len(curve.rows) <= 48


def test_nothing_but_nan_is_still_a_curve(session: Session, access: ReadAccess) -> None:
    add_series(session, [(t, s, math.nan) for t, s, _ in steady(200)])
    curve = read(access, limit=20)
    assert curve.total == 200
    assert all(math.isnan(value) for value in y_of(curve))
    assert (curve.x[0], curve.x[-1]) == (0, 199)


@pytest.mark.parametrize("limit", [8, 1000])
@pytest.mark.parametrize("axis", AXES)
def test_the_ends_of_int64_break_nothing(
    session: Session, access: ReadAccess, axis: Axis, limit: int
) -> None:
    random.seed(1)
    add_series(session, extreme(300), start_time=-(2**63))
    curve = read(access, axis, limit=limit)
    assert curve.total == 300
    zero = 0 if axis == "relative" else -(2**63)
    assert (curve.x[0], curve.x[-1]) == (zero, zero + 2**64 - 1)
    for between in ((-(2**63), 2**63 - 1), (0, None), (None, 0)):
        assert read(access, axis, limit, between).total <= 300


def test_extreme_steps_without_order_break_nothing(session: Session, access: ReadAccess) -> None:
    random.seed(2)
    steps = [random.randrange(-(2**63), 2**63) for _ in range(300)]
    add_series(session, [(START + n, step, 1.0 * n) for n, step in enumerate(steps)])
    curve = read(access, limit=40)
    assert (curve.x[0], curve.x[-1]) == (min(steps), max(steps))


# A part of the x axis


@pytest.mark.parametrize(
    ("axis", "between"),
    [
        ("step", (100, 299)),
        ("relative", (5_003, 14_955)),
        ("wall", (START + 5_003, START + 14_955)),
    ],
)
def test_a_part_has_its_ends_and_goes_down_to_every_point(
    session: Session, access: ReadAccess, axis: Axis, between: Ends
) -> None:
    points = steady(1000)
    assert (points[100][0], points[299][0]) == (START + 5_002, START + 14_955)
    add_series(session, points)
    first = 100 if axis == "step" else 101
    whole = read(access, axis, 1000, between)
    assert [row.step for row in whole.rows] == list(range(first, 300))
    some = read(access, axis, 40, between)
    assert some.total == 300 - first
    assert {row.step for row in some.rows} >= {first, 299}
    inside = [value for _, _, value in points[first:300]]
    assert (min(y_of(some)), max(y_of(some))) == (min(inside), max(inside))
    assert len(some.rows) <= 40


@pytest.mark.parametrize("shape", [paused, started_again, without_times])
def test_a_part_of_the_steps_is_exact_where_time_is_odd(
    session: Session, access: ReadAccess, shape: Callable[[int], Points]
) -> None:
    points = shape(900)
    add_series(session, points)
    inside = [point for point in points if 250 <= point[1] <= 590]
    assert len(inside) > 300
    curve = read(access, "step", 40, (250, 590))
    assert curve.total == len(inside)
    assert set(curve.x) >= {250, 590}
    values = [value for _, _, value in inside]
    assert (min(y_of(curve)), max(y_of(curve))) == (min(values), max(values))


def test_a_part_without_points_is_empty(session: Session, access: ReadAccess) -> None:
    add_series(session, steady(50))
    for axis in AXES:
        curve = read(access, axis, 10, (-20, -10))
        assert (curve.rows, curve.total) == ([], 0)


@pytest.mark.parametrize(
    ("start_time", "zero"),
    [(START - 5000, START - 5000), (START + 99, START), (None, START), (0, START)],
)
def test_relative_time_starts_with_the_candidate_but_not_after_the_first_point(
    session: Session, access: ReadAccess, start_time: int | None, zero: int
) -> None:
    add_series(session, steady(3), start_time=start_time)
    assert read(access, "relative").x == [t - zero for t, _, _ in steady(3)]


# Many series


def test_the_curves_of_another_project_are_not_found(session: Session, access: ReadAccess) -> None:
    add_series(session, steady(3), iid=1)
    add_series(session, steady(3), iid=2, metric="other")
    add_series(session, steady(3), iid=3, project=OTHER)
    found = curves.find_series(access, [3, 2, 1, 99], ["other", "loss", "none"])
    assert [(each.candidate, each.metric) for each in found] == [(2, "other"), (1, "loss")]
    assert curves.count_metrics(access, [1, 2, 3]) == 2


def add_many(session: Session, count: int, points: int) -> list[str]:
    """A candidate for each of many metrics; the names of the metrics."""
    metrics = [f"m{points}-{number}" for number in range(count)]
    for number, metric in enumerate(metrics):
        add_series(session, steady(points), iid=number + 1000 * points, metric=metric)
    return metrics


def test_the_number_of_statements_is_bounded(
    engine: Engine, session: Session, access: ReadAccess
) -> None:
    def cost(metrics: list[str], points: int, limit: int) -> int:
        iids = [number + 1000 * points for number in range(len(metrics))]
        with counted(engine) as statements:
            found = curves.find_series(access, iids, metrics)
            assert len(curves.read(access, found, "step", limit=limit)) == len(metrics)
        return len(statements)

    assert cost(add_many(session, 2, 5), 5, 10) == cost(add_many(session, 30, 6), 6, 10) == 3
    assert cost(add_many(session, 8, 50), 50, 10) <= 3 + 8 * 4


def test_all_curves_together_have_a_limit(
    session: Session, access: ReadAccess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curves, "MAX_SHOWN", 60)
    metrics = add_many(session, 5, 50)
    found = curves.find_series(access, [50_000 + number for number in range(5)], metrics)
    shown = [len(each.rows) for each in curves.read(access, found, "wall", limit=1000)]
    assert len(shown) == 5
    assert all(2 <= count <= 12 for count in shown)


def test_the_state_changes_with_points_and_with_the_status(
    session: Session, access: ReadAccess
) -> None:
    def state() -> str:
        return curves.state_of(curves.find_series(access, [1], ["loss"]))

    add_series(session, steady(5))
    before = state()
    assert state() == before
    series_id = curves.find_series(access, [1], ["loss"])[0].id
    # As after a restart: later in time, but not the latest by step.
    store(session, [(START + WEEK, 2, 0.5)], series_id)
    resumed = state()
    candidate = add_candidate(session, PROJECT, 2)
    assert state() == resumed != before
    candidate.status = Status.FINISHED
    session.query(type(candidate)).filter_by(iid=1).update({"status": Status.FINISHED})
    assert state() != resumed


# Tables


def test_a_table_has_all_of_few_points(session: Session, access: ReadAccess) -> None:
    points = steady(20)
    add_series(session, points)
    found = curves.find_series(access, [1], ["loss"])
    (curve,) = curves.skim(access, found, "step", limit=20, counted=100)
    assert [row[:3] for row in curve.rows] == points
    assert curve.total == 20


@pytest.mark.parametrize("shape", [steady, without_steps, without_times])
def test_a_table_has_points_from_all_over_a_long_curve(
    session: Session, access: ReadAccess, shape: Callable[[int], Points]
) -> None:
    points = shape(500)
    add_series(session, points)
    found = curves.find_series(access, [1], ["loss"])
    (curve,) = curves.skim(access, found, "wall", limit=11, counted=101)
    places = [points.index(row[:3]) for row in curve.rows]
    assert len(places) == 11
    assert (places[0], places[-1]) == (0, 499)
    assert all(30 < after - before < 70 for before, after in pairwise(places))
    assert curve.total == 101
