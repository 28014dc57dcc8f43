"""The extremes of a metric's history are kept as points come, and its points are counted."""

from __future__ import annotations

import math
import random

import pytest
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.host import Actor, Project
from gitlab_mlops.models import Candidate
from gitlab_mlops.services import logging, summaries
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.summaries import Summary, metric_summaries
from tests.unit.rows import add_candidate

PROJECT, OTHER = Project(1, "group/one"), Project(2, "group/two")
INF, NAN = math.inf, math.nan


@pytest.fixture
def candidate(session: Session) -> Candidate:
    return add_candidate(session, PROJECT, 1)


def log(session: Session, candidate: Candidate, *batches: list[float]) -> None:
    access = WriteAccess(Actor("1", "ann"), PROJECT, session)
    step = 0
    for values in batches:
        points = [Point("m", value, 1000, step + index) for index, value in enumerate(values)]
        logging.log(access, candidate.eid, points=points)
        step += len(values)


def summary(session: Session, candidate: Candidate) -> Summary:
    return metric_summaries(ReadAccess(None, PROJECT, session), candidate.id)["m"]


@pytest.mark.parametrize(
    ("batches", "lowest", "highest"),
    [
        ([[2.0, -1.0, 5.0]], -1.0, 5.0),
        ([[2.0], [-1.0], [5.0]], -1.0, 5.0),
        ([[NAN], [3.0], [NAN]], 3.0, 3.0),
        ([[NAN, 3.0, NAN, 1.0]], 1.0, 3.0),
        ([[NAN], [NAN]], None, None),
        ([[-INF], [0.0], [INF]], -INF, INF),
    ],
)
def test_extremes_are_those_of_the_history_but_for_nan(
    session: Session,
    candidate: Candidate,
    batches: list[list[float]],
    lowest: float | None,
    highest: float | None,
) -> None:
    log(session, candidate, *batches)
    found = summary(session, candidate)
    assert (found.lowest, found.highest) == (lowest, highest)
    assert found.points == sum(map(len, batches))


def test_a_batch_that_is_sent_again_changes_nothing(session: Session, candidate: Candidate) -> None:
    for _ in range(3):
        log(session, candidate, [3.0, 1.0, 2.0])
    assert summary(session, candidate) == Summary(1.0, 3.0, 3, has_more=False)


def test_many_batches_agree_with_all_their_points(session: Session, candidate: Candidate) -> None:
    values = [random.Random(7).uniform(-5, 5) for _ in range(60)]
    values += [random.Random(seed).uniform(-5, 5) for seed in range(60)]
    log(session, candidate, *[values[start : start + 7] for start in range(0, 120, 7)])
    found = summary(session, candidate)
    assert (found.lowest, found.highest) == (min(values), max(values))


def test_points_are_counted_up_to_a_limit(
    session: Session, candidate: Candidate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summaries, "MAX_COUNTED", 5)
    log(session, candidate, [0.0] * 5)
    assert summary(session, candidate) == Summary(0.0, 0.0, 5, has_more=False)
    log(session, candidate, [1.0] * 6)
    assert summary(session, candidate) == Summary(0.0, 1.0, 5, has_more=True)


def test_another_projects_candidate_has_no_metrics(session: Session, candidate: Candidate) -> None:
    log(session, candidate, [1.0])
    assert metric_summaries(ReadAccess(None, OTHER, session), candidate.id) == {}
