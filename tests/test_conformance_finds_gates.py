"""The conformance suite finds a forge that does not tell what happens to merge requests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitlab_mlops.testing import AdapterConformance
from gitlab_mlops.testing.world import World
from tests.test_conformance import StubForge


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("forge")
    world = World(StubForge(folder, f"sqlite:///{folder / 'forge.sqlite3'}"))
    yield world
    for engine in world.ask(lambda host: list(host.engines())):
        engine.dispose()


@pytest.mark.parametrize(
    ("event", "test"),
    [
        ("state_changed", "test_an_opened_merge_request_has_a_gate"),
        ("state_changed", "test_a_fork_has_a_closed_gate"),
        ("branch_moved", "test_a_push_to_a_merge_request_waits_for_candidates"),
        ("branch_moved", "test_a_new_policy_of_the_target_branch_is_heard"),
    ],
)
def test_silence_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch, event: str, test: str
) -> None:
    check = getattr(AdapterConformance(), test)
    check(world)
    monkeypatch.setattr(getattr(world.host.events, event), "send", lambda *_args, **_facts: [])
    with pytest.raises(AssertionError):
        check(world)
