"""The class that the author of an adapter derives from."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

import pytest

from gitlab_mlops.host_check import problems
from gitlab_mlops.testing.admission import AdmissionConformance
from gitlab_mlops.testing.forge import Forge
from gitlab_mlops.testing.gates import GatesConformance
from gitlab_mlops.testing.identity import IdentityConformance
from gitlab_mlops.testing.mentions import MentionsConformance
from gitlab_mlops.testing.pages import PagesConformance
from gitlab_mlops.testing.permissions import PermissionsConformance
from gitlab_mlops.testing.projects import ProjectsConformance
from gitlab_mlops.testing.repository import RepositoryConformance
from gitlab_mlops.testing.tracking import TrackingConformance
from gitlab_mlops.testing.world import World

_WORLDS: dict[pytest.Class, World] = {}


class AdapterConformance(
    IdentityConformance,
    ProjectsConformance,
    PermissionsConformance,
    AdmissionConformance,
    PagesConformance,
    TrackingConformance,
    MentionsConformance,
    RepositoryConformance,
    GatesConformance,
):
    """Every contract of `gitlab_mlops.host`, asked of a real application.

    Derive a class whose name begins with `Test` and implement `make_forge`.
    """

    @abstractmethod
    def make_forge(self, folder: Path) -> Forge:
        """A new forge, empty, which keeps its files in `folder`."""

    @pytest.fixture
    def world(
        self, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> World:
        """One forge for all tests of the class; each test has users and projects of its own."""
        node = request.node.getparent(pytest.Class)
        # Kept by hand, since a fixture of the class's scope has no `self` to make the forge.
        if node not in _WORLDS:
            _WORLDS[node] = World(self.make_forge(tmp_path_factory.mktemp("forge")))
            node.addfinalizer(lambda: _close(_WORLDS.pop(node)))
        return _WORLDS[node]

    def test_the_bundle_has_everything_that_the_plugin_calls(self, world: World) -> None:
        assert problems(world.host) == []

    def test_two_applications_in_one_process_do_not_meet(self, tmp_path: Path) -> None:
        worlds = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            worlds.append(World(self.make_forge(tmp_path / name)))
        projects = [world.project() for world in worlds]
        worlds[0].writer(projects[0]).start_run()
        assert [w.rows(p) for w, p in zip(worlds, projects, strict=True)][1] == 0
        worlds[1].writer(projects[1]).start_run()
        for world in worlds:
            _close(world)


def _close(world: World) -> None:
    engines = world.ask(lambda host: list(host.engines()))
    world.forge.close()
    for engine in engines:
        engine.dispose()
