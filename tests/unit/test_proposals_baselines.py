"""What candidates of a merge request are measured by: facts of the target branch only."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gitlab_mlops.host import Project
from gitlab_mlops.models import Status
from gitlab_mlops.services.proposals import baselines as module
from gitlab_mlops.services.proposals.baselines import (
    Baselines,
    Better,
    Wanted,
    baselines,
    baselines_of,
)
from gitlab_mlops.services.stamps import MAX_REF
from tests.unit.gating import BASE, FakeRepository, World, make_world
from tests.unit.rows import counted

OLDER, GONE = "d" * 40, "e" * 40


class Asked(FakeRepository):
    """A repository that remembers which commits it was asked about."""

    def reachable(self, project: Project, shas: Collection[str], ref: str) -> Collection[str]:
        self.calls["reachable"] += 1
        self.asked = set(shas)
        return super().reachable(project, shas, ref)


@pytest.fixture
def world(session: Session) -> World:
    """A project without candidates."""
    return make_world(session)


def on_main(world: World, value: float, sha: str = BASE, **more: Any) -> int:
    """Train a candidate on the target branch; its iid."""
    return world.train(sha=sha, ref=more.pop("ref", "main"), accuracy=value, **more).iid


def found(world: World, better: Better | None = "higher", experiment: str = "digits") -> Baselines:
    merge_request = world.propose()
    return baselines(world.access, world.host, merge_request, experiment, "accuracy", better)


def iids(pair: Baselines) -> tuple[int | None, int | None]:
    return tuple(None if each is None else each.iid for each in (pair.best, pair.newest))  # type: ignore[return-value]


@pytest.mark.parametrize(("better", "best"), [("higher", 0), ("lower", 1), (None, None)])
def test_best_by_direction_and_newest(
    world: World, better: Better | None, best: int | None
) -> None:
    made = [on_main(world, value) for value in (0.9, 0.7, 0.8)]
    assert iids(found(world, better)) == (None if best is None else made[best], made[2])


def test_baseline_tells_its_value_and_commit(world: World) -> None:
    iid = on_main(world, 0.9)
    best = found(world).best
    assert best is not None
    assert (best.iid, best.name, best.sha, best.value) == (iid, "a try", BASE, 0.9)


def test_of_equal_values_the_newest_is_the_best(world: World) -> None:
    made = [on_main(world, 0.9) for _ in range(2)]
    assert iids(found(world)) == (made[1], made[1])


@pytest.mark.parametrize(
    "flaw",
    [
        {"ref": "feature"},
        {"status": Status.RUNNING},
        {"status": Status.FAILED},
        {"deleted_at": 1},
        {"is_stamped": False},
        {"stamp": {"source_project_id": 999}},
        {"stamp": {"altered_at": 1}},
        {"sha": GONE},
        {"experiment": "letters"},
    ],
    ids=str,
)
def test_what_is_no_fact_of_the_branch_is_no_baseline(world: World, flaw: dict[str, Any]) -> None:
    world.repository.gone = {GONE}
    iid = on_main(world, 0.5)
    on_main(world, 0.9, **flaw)
    assert iids(found(world)) == (iid, iid)


def test_a_branch_with_a_long_name_has_baselines(world: World) -> None:
    branch = f"release/{'x' * 300}"
    made = on_main(world, 0.9, ref=branch[:MAX_REF])
    merge_request = world.propose(target_branch=branch)
    pair = baselines(world.access, world.host, merge_request, "digits", "accuracy", "higher")
    assert iids(pair) == (made, made)


def test_nan_is_no_baseline_and_infinity_is(world: World) -> None:
    endless = on_main(world, math.inf)
    last = on_main(world, 0.5)
    on_main(world, math.nan)
    assert iids(found(world)) == (endless, last)
    assert iids(found(world, "lower")) == (last, last)


def test_candidates_of_other_projects_are_no_baselines(world: World) -> None:
    other = world.forge.add_project("group/other")
    on_main(world, 0.9, project=other)
    assert found(world) == Baselines()


def test_next_best_commit_counts_if_the_best_is_gone(world: World) -> None:
    world.repository.gone = {GONE}
    best = on_main(world, 0.8, OLDER)
    on_main(world, 0.95, GONE)
    newest = on_main(world, 0.7)
    assert iids(found(world)) == (best, newest)


def test_nothing_is_found_without_a_branch_or_a_repository(world: World) -> None:
    on_main(world, 0.9)
    without = world.propose(target_sha="")
    assert baselines(world.access, world.host, without, "digits", "accuracy", "higher") == (
        Baselines()
    )
    host = world.forge.host(repository=None)
    ask = (world.propose(), "digits", "accuracy", "higher")
    assert baselines(world.access, host, *ask) == Baselines()


def test_experiment_or_metric_that_is_unknown_has_no_baselines(world: World) -> None:
    on_main(world, 0.9)
    assert found(world, experiment="nobody's") == Baselines()
    merge_request = world.propose()
    assert baselines(world.access, world.host, merge_request, "digits", "none", "higher") == (
        Baselines()
    )


def test_so_many_commits_are_asked_about(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SHAS", 2)
    shas = [f"{number:040x}" for number in range(6)]
    for sha, value in zip(shas, (0.9, 0.1, 0.8, 0.2, 0.3, 0.4), strict=True):
        on_main(world, value, sha)
    repository = Asked()
    host = world.forge.host(repository=repository)
    merge_request = world.propose()
    baselines(world.access, host, merge_request, "digits", "accuracy", "higher")
    # The two with the best values, and the two newest.
    assert repository.asked == {shas[0], shas[2], shas[4], shas[5]}


def test_only_the_newest_candidates_are_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_POOL", 2)
    made = [on_main(world, value, f"{value:040}") for value in (0.9, 0.7, 0.6)]
    assert iids(found(world)) == (made[1], made[2])


def test_with_many_metrics_fewer_candidates_are_looked_at(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_VALUES", 4)
    metrics = {"accuracy": 0.9, "loss": 0.1}
    made = [world.train(sha=sha, ref="main", metrics=metrics) for sha in (OLDER, GONE, BASE)]
    experiment = world.experiment("digits").id
    wanted = [Wanted(experiment, "accuracy", "lower"), Wanted(experiment, "loss", "lower")]
    world.repository.gone = {GONE, BASE}
    # Two candidates with two metrics are four values; with one metric, there is room for all.
    pairs = baselines_of(world.access, world.host, world.propose(), wanted)
    assert [iids(pair) for pair in pairs.values()] == [(None, None)] * 2
    assert iids(found(world)) == (made[0].iid, made[0].iid)


def test_if_the_best_are_gone_the_best_of_the_newest_counts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_SHAS", 2)
    world.repository.gone = {OLDER, GONE}
    for sha in sorted(world.repository.gone):
        on_main(world, 0.99, sha)
    best, newest = on_main(world, 0.8), on_main(world, 0.7, "f" * 40)
    assert iids(found(world)) == (best, newest)


def test_many_are_found_in_as_many_statements_as_one(world: World, engine: Engine) -> None:
    for experiment in ("one", "two", "three"):
        for metric in ("accuracy", "loss"):
            world.train(sha=BASE, ref="main", experiment=experiment, metrics={metric: 0.5})
    repository = Asked()
    host = world.forge.host(repository=repository)
    merge_request = world.propose()
    wanted = [
        Wanted(world.experiment(name).id, metric, better)
        for name in ("one", "two", "three")
        for metric, better in (("accuracy", "higher"), ("loss", "lower"))
    ]
    sizes = []
    for part in (wanted[:1], wanted):
        with counted(engine) as statements:
            pairs = baselines_of(world.access, host, merge_request, part)
        assert all(pair.best and pair.newest for pair in pairs.values())
        sizes.append(len(statements))
    assert sizes == [3, 3]
    assert repository.calls["reachable"] == 2
