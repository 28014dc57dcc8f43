"""The candidates of a merge request: which, in which order, and what they are compared with."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import Candidate, CandidateTag, ExperimentTag, Status
from gitlab_mlops.services.objectives import DIRECTION_TAG, NAME_TAG
from gitlab_mlops.services.proposals import brought as module
from gitlab_mlops.services.proposals.brought import Brought, brought_by, has_candidates
from gitlab_mlops.services.proposals.survey import Survey, survey
from tests.unit.gating import BASE, HEAD, World, make_world
from tests.unit.rows import counted

EARLIER, ELSEWHERE = "d" * 40, "e" * 40
COMMIT = "mlflow.source.git.commit"


@pytest.fixture
def world(session: Session) -> World:
    """A project without candidates."""
    return make_world(session)


def claim(world: World, sha: str, *, stamped: str | None = None, **more: Any) -> Candidate:
    """A candidate whose client claims a commit."""
    made = world.train(is_stamped=stamped is not None, sha=stamped or "", **more)
    made.stamped_sha = stamped
    world.session.add(CandidateTag(candidate_id=made.id, key=COMMIT, value=sha))
    world.session.flush()
    return made


def of_fork(world: World) -> ReadAccess:
    fork = world.forge.add_project("stranger/project")
    return ReadAccess(None, fork, world.session)


def surveyed(
    world: World,
    *,
    fork: ReadAccess | None = None,
    judged: Collection[int] = (),
    limit: int = 50,
    **changes: Any,
) -> Survey:
    proposed = world.propose(commits=(HEAD, EARLIER), **changes)
    return survey(world.access, world.host, proposed, fork=fork, judged=judged, limit=limit)


def iids(found: Survey) -> list[list[int]]:
    return [[entry.record.iid for entry in group.entries] for group in found.groups]


def test_newest_commit_comes_first_and_facts_before_claims(world: World) -> None:
    earlier = world.train(sha=EARLIER)
    claimed = claim(world, HEAD)
    facts = [world.train(sha=HEAD) for _ in range(2)]
    late = world.train(sha=EARLIER)
    expected = [facts[1], facts[0], claimed, late, earlier]
    assert iids(surveyed(world)) == [[each.iid for each in expected]]


def test_facts_of_a_commit_come_before_later_claims(world: World) -> None:
    facts = [world.train(sha=HEAD).id for _ in range(2)]
    claims = [claim(world, HEAD).id for _ in range(2)]
    found = [each.candidate_id for each in brought_by(world.access, [HEAD])]
    assert found == [*reversed(facts), *reversed(claims)]


def test_claims_and_facts_are_told_apart(world: World) -> None:
    claim(world, HEAD)
    world.train(sha=HEAD)
    (group,) = surveyed(world).groups
    assert [(each.sha, each.stamp is None) for each in group.entries] == [
        (HEAD, False),
        (HEAD, True),
    ]


def test_what_a_job_logged_is_of_its_commit_whatever_it_claims(world: World) -> None:
    claim(world, HEAD, stamped=ELSEWHERE)
    claim(world, ELSEWHERE, stamped=HEAD)
    (group,) = surveyed(world).groups
    assert [each.stamp.sha for each in group.entries if each.stamp] == [HEAD]


def test_what_a_job_of_no_known_commit_logged_is_a_claim(world: World) -> None:
    claim(world, HEAD, stamped="")
    (group,) = surveyed(world).groups
    assert [(each.sha, each.stamp) for each in group.entries] == [(HEAD, None)]


def test_trash_other_commits_and_other_projects_are_left_out(world: World) -> None:
    other = world.forge.add_project("group/other")
    world.train(sha=HEAD, deleted_at=1)
    world.train(sha=ELSEWHERE)
    world.train(sha=HEAD, project=other)
    claim(world, HEAD, deleted_at=1)
    claim(world, HEAD, project=other)
    assert surveyed(world) == Survey([], 0)


@pytest.mark.parametrize("sha", ["", "\0", "x" * 40, HEAD[:8], HEAD.upper(), "é" * 40, "a" * 41])
def test_what_is_no_sha_has_no_candidates(world: World, sha: str) -> None:
    world.train(sha=HEAD)
    assert brought_by(world.access, [sha]) == []


def test_so_many_claims_are_looked_at(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LOOKED_AT", 2)
    # Claims of another project do not take the place of the project's own.
    mine = claim(world, HEAD)
    other = world.forge.add_project("group/other")
    for _ in range(3):
        claim(world, HEAD, project=other)
    assert brought_by(world.access, [HEAD]) == [Brought(mine.id, HEAD, is_claimed=True)]


def test_experiments_that_can_be_compared_come_first(world: World) -> None:
    world.train(sha=BASE, ref="main", experiment="old", accuracy=0.5)
    old = world.train(sha=EARLIER, experiment="old", accuracy=0.6)
    new = world.train(sha=HEAD, experiment="new", accuracy=0.7)
    assert iids(surveyed(world)) == [[old.iid], [new.iid]]


def test_best_and_newest_are_whole_candidates(world: World) -> None:
    best = world.train(sha=BASE, ref="main", accuracy=0.9, size=7)
    newest = world.train(sha=BASE, ref="main", accuracy=0.5)
    world.train(sha=HEAD, accuracy=0.6)
    (group,) = surveyed(world).groups
    assert (group.best and group.best.iid, group.newest and group.newest.iid) == (
        best.iid,
        newest.iid,
    )
    assert group.best is not None
    assert [(point.key, point.value) for point in group.best.metrics] == [
        ("accuracy", 0.9),
        ("size", 7),
    ]


def test_experiments_tags_say_what_is_best(world: World) -> None:
    experiment = world.experiment("digits")
    for key, value in ((NAME_TAG, "zeal"), (DIRECTION_TAG, "False")):
        world.session.add(ExperimentTag(experiment_id=experiment.id, key=key, value=value))
    least = world.train(sha=BASE, ref="main", zeal=1, accuracy=0.1)
    world.train(sha=BASE, ref="main", zeal=2, accuracy=0.9)
    world.train(sha=HEAD, zeal=3, accuracy=0.5)
    (group,) = surveyed(world).groups
    assert group.best is not None
    assert group.best.iid == least.iid


def test_unknown_direction_has_a_newest_but_no_best(world: World) -> None:
    newest = world.train(sha=BASE, ref="main", zeal=1)
    world.train(sha=HEAD, zeal=3)
    (group,) = surveyed(world).groups
    assert group.best is None
    assert group.newest is not None
    assert group.newest.iid == newest.iid


def test_candidates_of_the_fork_are_compared_by_the_name_of_the_experiment(world: World) -> None:
    fork = of_fork(world)
    base = world.train(sha=BASE, ref="main", accuracy=0.5)
    theirs = world.train(sha=HEAD, project=fork.project, accuracy=0.6)
    own = world.train(sha=EARLIER, accuracy=0.4)
    world.train(sha=BASE, ref="main", project=fork.project, accuracy=0.9)
    (group,) = surveyed(world, fork=fork).groups
    assert [each.record.iid for each in group.entries] == [theirs.iid, own.iid]
    assert group.iid == world.experiment("digits").iid
    assert group.best is not None
    assert group.best.iid == base.iid


def test_experiment_that_only_the_fork_has_is_compared_with_nothing(world: World) -> None:
    fork = of_fork(world)
    world.train(sha=HEAD, project=fork.project, experiment="own", accuracy=0.6)
    (group,) = surveyed(world, fork=fork).groups
    assert (group.name, group.iid, group.best, group.newest) == ("own", None, None, None)


def test_more_than_the_limit_are_counted(world: World) -> None:
    for _ in range(4):
        world.train(sha=HEAD)
    found = surveyed(world, limit=3)
    assert (found.total, [len(each) for each in iids(found)]) == (4, [3])


def test_of_a_commit_the_best_comes_first_after_what_still_runs(world: World) -> None:
    earlier = world.train(sha=EARLIER, accuracy=0.99)
    worse = world.train(sha=HEAD, accuracy=0.5)
    best = world.train(sha=HEAD, accuracy=0.9)
    running = world.train(sha=HEAD, accuracy=0.1, status=Status.RUNNING)
    broken = world.train(sha=HEAD, accuracy=math.nan)
    without = world.train(sha=HEAD, size=3)
    expected = [running, best, worse, without, broken, earlier]
    assert iids(surveyed(world)) == [[each.iid for each in expected]]


def test_where_less_is_better_the_least_comes_first(world: World) -> None:
    least, most = world.train(sha=HEAD, loss=1), world.train(sha=HEAD, loss=2)
    assert iids(surveyed(world)) == [[least.iid, most.iid]]


def test_what_was_judged_is_there_however_many_came_later(world: World) -> None:
    judged = world.train(sha=HEAD, accuracy=0.9)
    later = [world.train(sha=HEAD, accuracy=0.1) for _ in range(3)]
    found = surveyed(world, judged=[judged.id], limit=2)
    assert iids(found) == [[judged.iid, later[-1].iid]]
    assert found.total == 4


def test_statements_do_not_depend_on_the_number_of_candidates(world: World, engine: Engine) -> None:
    counts = []
    for more in (1, 20):
        for number in range(more):
            world.train(sha=BASE, ref="main", experiment=f"of {number % 5}", accuracy=number)
            world.train(sha=HEAD, experiment=f"of {number % 5}", accuracy=number, loss=number)
            claim(world, EARLIER)
        world.session.expire_all()
        with counted(engine) as statements:
            surveyed(world)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 14


def test_project_that_was_logged_to_has_candidates(world: World) -> None:
    assert not has_candidates(world.access)
    world.train(deleted_at=1)
    assert has_candidates(world.access)
