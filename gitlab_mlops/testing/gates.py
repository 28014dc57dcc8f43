"""Gates in the forge: what happens to merge requests is heard, and commits are told the outcome."""

from __future__ import annotations

from typing import Any

from gitlab_mlops.host import Ability, Project
from gitlab_mlops.services.gate.publish import NAME
from gitlab_mlops.testing.world import World

STRICT = b"gate: [{metric: accuracy, better: higher}]\n"
LAX = b"gate: [{metric: accuracy, better: higher, missing: ignore}]\n"


class GatesConformance:
    """`Host.events` about branches and merge requests, if commits of the forge have statuses."""

    def test_an_opened_merge_request_has_a_gate(self, world: World) -> None:
        project, user, head = _proposal(world, STRICT)
        assert _state(world, project, head) is None
        world.forge.open_merge_request(project, user, "topic")
        assert _state(world, project, head) == "failed", "state_changed was not sent, or too early"

    def test_a_push_to_a_merge_request_waits_for_candidates(self, world: World) -> None:
        project, user, _ = _proposal(world, STRICT)
        world.forge.open_merge_request(project, user, "topic")
        head = world.forge.commit(project, user, {"a.txt": b"3"}, branch="topic")
        assert _state(world, project, head) == "pending", "branch_moved was not sent, or too early"

    def test_a_new_policy_of_the_target_branch_is_heard(self, world: World) -> None:
        project, user, head = _proposal(world, STRICT)
        world.forge.open_merge_request(project, user, "topic")
        world.forge.commit(project, user, {".mlops.yml": LAX})
        assert _state(world, project, head) == "success", "branch_moved was not sent, or too early"

    def test_a_policy_of_the_source_branch_is_not_believed(self, world: World) -> None:
        project, user, _ = _proposal(world, STRICT)
        head = world.forge.commit(project, user, {".mlops.yml": LAX}, branch="topic")
        world.forge.open_merge_request(project, user, "topic")
        assert _state(world, project, head) == "failed"

    def test_a_fork_has_a_closed_gate(self, world: World) -> None:
        project, _, _ = _proposal(world, LAX)
        stranger = world.user(project, Ability.READ)
        fork = world.forge.fork(project, stranger)
        head = world.forge.commit(fork, stranger, {"a.txt": b"3"}, branch="better")
        world.forge.open_merge_request(project, stranger, "better", source_project=fork)
        assert _state(world, project, head) == "failed"
        assert _state(world, fork, head) is None, "the status is in the fork"


def _proposal(world: World, policy: bytes) -> tuple[Project, Any, str]:
    """A project with a policy, somebody who may write there, and the head of the branch `topic`."""
    project = world.project()
    user = world.user(project, Ability.WRITE)
    world.forge.commit(project, user, {".mlops.yml": policy, "a.txt": b"1"})
    return project, user, world.forge.commit(project, user, {"a.txt": b"2"}, branch="topic")


def _state(world: World, project: Project, sha: str) -> str | None:
    return world.forge.commit_statuses(project, sha).get(NAME)
