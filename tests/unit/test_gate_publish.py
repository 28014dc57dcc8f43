"""The forge is told what a gate says, in counts, on the commit and branch that it is about."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gitlab_mlops.models import Status
from gitlab_mlops.services.gate import publish as publishing
from gitlab_mlops.services.gate import watching
from gitlab_mlops.services.gate.publish import MAX_EVALUATED, NAME, Occasion, publish, publish_all
from tests.unit.gating import AUTHOR, BASE, HEAD, RULE, TARGET, World, make_world
from tests.unit.rows import counted

FLOOR = {**RULE, "floor": 0.9}
DROP = {**RULE, "largest_drop": 0}
NEW = "e" * 40


@pytest.fixture
def world(session: Session) -> World:
    world = make_world(session)
    world.policy(FLOOR)
    return world


def status(world: World, name: str = NAME, sha: str = HEAD) -> tuple[str, str] | None:
    found = world.repository.statuses.get((world.project.id, sha, name))
    return None if found is None else found[:2]


# One merge request.


@pytest.mark.parametrize(
    ("rule", "candidate", "expected"),
    [
        (FLOOR, {"accuracy": 0.95}, ("success", "1 rule: 1 passed")),
        (FLOOR, {"accuracy": 0.5}, ("failed", "1 rule: 1 failed")),
        ({**FLOOR, "on_fail": "warn"}, {"accuracy": 0.5}, ("success", "1 rule: 1 warned")),
        (
            FLOOR,
            {"status": Status.RUNNING},
            ("pending", "Waiting for candidates; 0 of 1 rules passed so far"),
        ),
    ],
)
def test_a_status_has_a_state_and_counts(
    world: World, rule: dict[str, Any], candidate: dict[str, Any], expected: tuple[str, str]
) -> None:
    world.policy(rule)
    world.train(**candidate)
    publish(world.host, world.propose(), Occasion())
    assert status(world) == expected
    (said,) = world.repository.statuses.values()
    assert said[2] == "/group/project/-/merge_requests/1"


def test_a_status_tells_no_values_and_no_names(world: World) -> None:
    for text in ("gate: [secret]", ValueError("secret")):
        world.write(text)
        publish(world.host, world.propose(), Occasion())
        assert status(world) == ("failed", "The policy on the target branch has an error.")


def test_without_a_policy_nothing_is_said(world: World) -> None:
    world.write("gate: []")
    publish(world.host, world.propose(), Occasion())
    assert world.repository.statuses == {}


@pytest.mark.parametrize(
    "changes", [{"state": "merged"}, {"state": "closed"}, {"head_sha": ""}, {"project_id": 4}]
)
def test_nothing_is_said_of_what_is_not_open(world: World, changes: dict[str, Any]) -> None:
    publish(world.host, world.propose(**changes), Occasion())
    assert world.repository.statuses == {}


def test_a_forge_without_repositories_is_told_nothing(world: World) -> None:
    publish(world.forge.host(), world.propose(), Occasion())


def test_another_branch_has_a_status_of_its_own(world: World) -> None:
    """Else, whoever opens a second merge request could overwrite what was said of the first."""
    publish(world.host, world.propose(), Occasion())
    world.write("gate: [{metric: other, better: higher, missing: ignore}]", ref="f" * 40)
    publish(world.host, world.propose(target_branch="playground", target_sha="f" * 40), Occasion())
    assert status(world) == ("failed", "1 rule: 1 failed")
    assert status(world, f"{NAME}/playground") == ("success", "1 rule: 1 ignored")


def test_a_long_branch_is_shortened_so_that_none_is_like_another(world: World) -> None:
    for end in ("x", "y"):
        publish(world.host, world.propose(target_branch=f"{'b' * 250}{end}"), Occasion())
    names = [name for _, _, name in world.repository.statuses]
    assert len(set(names)) == 2
    assert all(len(name) < 120 for name in names)


def test_a_new_head_waits_for_its_candidates(world: World) -> None:
    publish(world.host, world.propose(), Occasion(in_ci=True))
    assert status(world) == ("pending", "Waiting for candidates; 0 of 1 rules passed so far")
    world.train(accuracy=0.5)
    publish(world.host, world.propose(), Occasion(in_ci=True))
    assert status(world) == ("failed", "1 rule: 1 failed")


def test_a_new_head_of_a_fork_waits_for_nothing(world: World) -> None:
    publish(world.host, world.propose(source_project_id=999), Occasion(in_ci=True))
    assert status(world) == ("failed", "1 rule: 1 failed")


def test_a_stranger_who_copies_a_branch_does_not_close_its_gate(world: World) -> None:
    world.policy({**FLOOR, "missing": "ignore"})
    copy = world.propose(source_project_id=999)
    own = world.propose()
    for each in (own, copy):
        publish(world.host, each, Occasion())
        assert status(world) == ("success", "1 rule: 1 ignored")
    world.repository.merge_requests_.remove(own)
    publish(world.host, copy, Occasion())
    assert status(world) == ("failed", "1 rule: 1 failed")


# A forge that fails.


@pytest.mark.parametrize("error", [OSError("disk"), PermissionError("no")])
def test_a_forge_that_cannot_read_closes_the_gate(
    world: World, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    world.write(error)
    publish(world.host, world.propose(), Occasion())
    assert status(world) == ("failed", "The gate could not be evaluated.")
    assert "The gate of !1 could not be evaluated." in caplog.text


@pytest.mark.parametrize("error", [OSError("disk"), ValueError("no such commit")])
def test_a_forge_that_cannot_store_a_status_keeps_its_transaction(
    world: World, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    world.repository.refuses = error
    publish(world.host, world.propose(), Occasion())
    assert "The status of !1 could not be stored." in caplog.text


@pytest.mark.parametrize("error", [TypeError("bug"), KeyError("bug"), RuntimeError("bug")])
def test_a_mistake_in_the_program_is_raised(world: World, error: Exception) -> None:
    world.repository.refuses = error
    with pytest.raises(type(error)):
        publish(world.host, world.propose(), Occasion())
    world.write(error)
    with pytest.raises(type(error)):
        publish(world.host, world.propose(), Occasion())


# When it is said.


def test_the_end_of_a_pipeline_is_heard_by_head_and_target(world: World) -> None:
    world.propose()
    world.propose(head_sha=NEW)
    world.propose(head_sha="9" * 40, target_branch="release")
    watching.pipeline_finished(world.host, world.project, "main", HEAD)
    assert {sha for _, sha, _ in world.repository.statuses} == {HEAD, NEW}


def test_a_pipeline_of_a_fork_is_said_in_the_project(world: World) -> None:
    fork = world.forge.add_project("stranger/project")
    world.propose(source_project_id=fork.id)
    watching.pipeline_finished(world.host, fork, "feature", HEAD)
    assert status(world) == ("failed", "1 rule: 1 failed")
    assert {project_id for project_id, _, _ in world.repository.statuses} == {world.project.id}


def test_a_branch_that_moves_is_heard_by_head_and_target(world: World) -> None:
    world.propose(head_sha=NEW)
    watching.branch_moved(world.host, world.project, "feature", HEAD, NEW)
    assert status(world, sha=NEW) == (
        "pending",
        "Waiting for candidates; 0 of 1 rules passed so far",
    )
    watching.branch_moved(world.host, world.project, "main", BASE, TARGET)
    assert status(world, sha=NEW) == ("failed", "1 rule: 1 failed")


def test_a_deleted_branch_asks_for_no_commit(world: World) -> None:
    watching.branch_moved(world.host, world.project, "feature", HEAD, "")
    assert world.repository.calls["merge_requests"] == 0


def test_a_policy_that_is_gone_opens_the_gate_that_it_closed(world: World) -> None:
    world.propose()
    watching.pipeline_finished(world.host, world.project, "feature", HEAD)
    world.policy(FLOOR, ref=BASE)
    del world.repository.files[world.project.id, TARGET]
    watching.branch_moved(world.host, world.project, "main", "0" * 40, TARGET)
    assert status(world) == ("failed", "1 rule: 1 failed")
    watching.branch_moved(world.host, world.project, "main", BASE, TARGET)
    assert status(world) == ("success", "The target branch has no policy any more.")


def test_what_is_opened_is_said(world: World) -> None:
    merge_request = world.propose()
    watching.opened(world.host, world.project, "nothing", AUTHOR)
    assert status(world) is None
    watching.opened(world.host, world.project, merge_request.id, AUTHOR)
    assert status(world) == ("failed", "1 rule: 1 failed")


def change(world: World, iid: int, **how: bool) -> None:
    watching.candidate_changed(world.host, world.session, world.project, iid, **how)


def test_a_candidate_is_said_once_before_the_commit(world: World) -> None:
    world.propose()
    for candidate in (world.train(accuracy=0.5), world.train(accuracy=0.95)):
        change(world, candidate.iid)
    assert status(world) is None
    world.session.commit()
    assert status(world) == ("success", "1 rule: 1 passed")
    assert world.repository.calls["set_commit_status"] == 1
    world.session.commit()
    assert world.repository.calls["set_commit_status"] == 1


@pytest.mark.parametrize(
    "kind",
    [
        {"is_stamped": False},
        {"stamp": {"source_project_id": 999}},
        {"stamp": {"project_id": 999}},
    ],
)
def test_a_candidate_that_no_gate_counts_changes_nothing(
    world: World, kind: dict[str, Any]
) -> None:
    world.propose()
    change(world, world.train(accuracy=0.5, **kind).iid, as_baseline=True)
    change(world, 9999, as_baseline=True)
    world.session.commit()
    assert not world.repository.calls["merge_requests"] + world.repository.calls["read_file"]


@pytest.mark.parametrize(("in_ci", "state"), [(True, "pending"), (False, "failed")])
def test_what_ci_has_not_trained_yet_is_waited_for_while_it_runs(
    world: World, in_ci: bool, state: str
) -> None:
    world.policy(*({**FLOOR, "experiment": name} for name in ("digits", "letters")))
    world.propose()
    change(world, world.train(accuracy=0.95).iid, in_ci=in_ci)
    world.session.commit()
    found = status(world)
    assert found is not None
    assert found[0] == state
    # But what is there and not good enough is no reason to wait.
    change(world, world.train(experiment="letters", accuracy=0.1).iid, in_ci=in_ci)
    world.session.commit()
    assert status(world) == ("failed", "2 rules: 1 failed, 1 passed")


def test_a_baseline_in_the_trash_is_heard_by_what_goes_into_its_branch(world: World) -> None:
    world.policy(DROP)
    world.propose()
    world.train(accuracy=0.5)
    baseline = world.train(accuracy=0.9, sha=BASE, ref="main")
    watching.pipeline_finished(world.host, world.project, "main", BASE)
    assert status(world) == ("failed", "1 rule: 1 failed")
    baseline.deleted_at = 1
    change(world, baseline.iid)
    world.session.commit()
    assert status(world) == ("failed", "1 rule: 1 failed")
    change(world, baseline.iid, as_baseline=True)
    world.session.commit()
    assert status(world) == ("success", "1 rule: 1 passed")


# Bounds.


def test_no_more_are_evaluated_than_said(world: World) -> None:
    for _ in range(MAX_EVALUATED + 5):
        world.propose(target_branch="playground")
    publish_all(world.host, world.repository.merge_requests_)
    assert world.repository.calls["set_commit_status"] == MAX_EVALUATED


def test_each_is_evaluated_once(world: World) -> None:
    merge_request = world.propose()
    publish_all(world.host, [merge_request, merge_request])
    assert world.repository.calls["set_commit_status"] == 1


def test_statuses_are_set_in_one_order(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def note(_host: Any, merge_request: Any, _occasion: Any) -> None:
        said.append(merge_request.head_sha)

    monkeypatch.setattr(publishing, "publish", note)
    shas = ["3" * 40, "1" * 40, "2" * 40]
    publish_all(world.host, [world.propose(head_sha=sha) for sha in shas])
    assert said == sorted(shas)


def test_so_many_commits_and_branches_are_looked_at_in_one_transaction(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "MAX_CHANGES", 3)
    for number in range(5):
        made = world.train(sha=f"{number:040}", ref=f"branch-{number}")
        change(world, made.iid, as_baseline=True)
    world.session.commit()
    assert world.repository.calls["merge_requests"] == 3
    assert world.repository.calls["merge_requests_into"] == 3


def test_what_the_target_has_is_looked_up_once(world: World, engine: Engine) -> None:
    world.policy(DROP)
    world.train(accuracy=0.9, sha=BASE, ref="main")
    world.train(accuracy=0.5)
    with counted(engine) as one:
        publish_all(world.host, [world.propose()])
    mine = [world.propose() for _ in range(3)]
    other = world.propose(target_sha="f" * 40)
    world.policy(DROP, ref="f" * 40)
    with counted(engine) as same:
        publish_all(world.host, mine)
    with counted(engine) as another:
        publish_all(world.host, [*mine, other])
    facts = 2
    assert len(same) == len(one) + 2 * facts
    assert len(another) == len(one) * 2 + 2 * facts


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
