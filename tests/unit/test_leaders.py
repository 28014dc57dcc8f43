"""The best candidate of an experiment, by what the experiment is about."""

from __future__ import annotations

import math

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.host import Actor, Project
from gitlab_mlops.services import candidates, experiments, logging
from gitlab_mlops.services.leaders import Leader, leaders, metric_names, objective
from gitlab_mlops.services.objectives import DIRECTION_TAG, NAME_TAG, Objective
from gitlab_mlops.services.points import Point
from tests.unit.rows import counted

PROJECT, OTHER = Project(1, "group/one"), Project(2, "group/two")
NAN, INF = math.nan, math.inf


@pytest.fixture
def access(session: Session) -> WriteAccess:
    return WriteAccess(Actor("1", "ann"), PROJECT, session)


def experiment(access: WriteAccess, name: str, *tries: dict[str, float]) -> int:
    """An experiment with candidates that have these metrics, the last the newest; its id."""
    iid = experiments.create(access, name)
    for number, metrics in enumerate(tries):
        eid = candidates.create(access, iid, name=f"try {number}", start_time=number).eid
        points = [Point(key, value, 0, 0) for key, value in metrics.items()]
        logging.log(access, eid, points=points)
    return experiments.get(access, iid).id


def best(access: ReadAccess, experiment_id: int, **tags: str) -> Leader | None:
    return leaders(access, {experiment_id: tags}).get(experiment_id)


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        ("auc", [0.5, 0.9, 0.7], (0.9, "try 1")),
        ("loss", [0.5, 0.9, 0.3], (0.3, "try 2")),
        ("auc", [NAN, 0.1, NAN], (0.1, "try 1")),
        ("loss", [NAN, 0.1, -INF], (-INF, "try 2")),
        ("auc", [NAN], None),
        ("zeal", [1.0, 2.0], None),
    ],
)
def test_the_direction_of_the_metric_decides_and_nan_is_never_best(
    access: WriteAccess, key: str, values: list[float], expected: tuple[float, str] | None
) -> None:
    found = best(access, experiment(access, "e", *({key: value} for value in values)))
    assert (found and (found.value, found.name)) == expected


def test_tags_say_which_metric_and_which_direction(access: WriteAccess) -> None:
    id_ = experiment(access, "e", {"auc": 0.1, "zeal": 1.0}, {"auc": 0.9, "zeal": 2.0})
    tags = {NAME_TAG: "zeal", DIRECTION_TAG: "False"}
    found = best(access, id_, **tags)
    assert found == Leader(Objective("zeal", False, is_stated=True), 1.0, 1, "try 0")
    assert best(access, id_, **{NAME_TAG: "zeal"}) is None, "nobody knows the direction"
    assert best(access, id_, **{NAME_TAG: "nothing", DIRECTION_TAG: "True"}) is None


def test_what_is_in_the_trash_leads_nothing(access: WriteAccess) -> None:
    id_ = experiment(access, "e", {"auc": 0.1}, {"auc": 0.9}, {"val_loss": 3.0})
    for iid in (2, 3):
        candidates.delete(access, candidates.get_by_iid(access, iid).eid)
    found = best(access, id_)
    assert found is not None
    assert (found.objective.key, found.value) == ("auc", 0.1)


def test_the_newest_candidate_with_metrics_tells_what_an_experiment_is_about(
    access: WriteAccess,
) -> None:
    id_ = experiment(access, "e", {"auc": 0.1}, {"val_loss": 1.0, "lr": 1.0}, {})
    assert metric_names(access, [id_]) == {id_: ["lr", "val_loss"]}
    assert objective(access, id_, {}) == Objective("val_loss", False, is_stated=False)
    assert objective(access, experiment(access, "empty"), {}) is None


def test_another_project_lends_no_leader(access: WriteAccess, session: Session) -> None:
    id_ = experiment(access, "e", {"auc": 0.1})
    other = ReadAccess(None, OTHER, session)
    assert leaders(other, {id_: {}}) == {}
    assert leaders(other, {id_: {NAME_TAG: "auc", DIRECTION_TAG: "True"}}) == {}
    assert metric_names(other, [id_]) == {}


def test_many_experiments_take_as_many_statements_as_two(
    access: WriteAccess, engine: Engine
) -> None:
    ids = [experiment(access, f"e{n}", {"auc": 0.1, "loss": n}) for n in range(30)]
    tags: dict[int, dict[str, str]] = {id_: {} for id_ in ids}
    tags[ids[1]] = {NAME_TAG: "loss"}
    with counted(engine) as few:
        assert len(leaders(access, {id_: tags[id_] for id_ in ids[:2]})) == 2
    with counted(engine) as many:
        assert len(leaders(access, tags)) == 30
    assert len(many) == len(few) == 3
