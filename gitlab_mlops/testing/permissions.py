"""Who may do what: roles and visibility, and what the API makes of them."""

from __future__ import annotations

import pytest

from gitlab_mlops.host import Ability, Actor, Host, Project
from gitlab_mlops.testing.forge import Visibility
from gitlab_mlops.testing.world import World

ABILITIES = list(Ability)
MISSING = 2**31 - 2
"""An id that no project has."""


class PermissionsConformance:
    """`Host.permissions` as a whole."""

    @pytest.mark.parametrize("ability", ABILITIES)
    def test_a_member_has_the_abilities_up_to_their_role(
        self, world: World, ability: Ability
    ) -> None:
        project = world.project()
        actor = world.actor(world.user(project, ability))
        assert _abilities(world, actor, project) == ABILITIES[: ABILITIES.index(ability) + 1]

    @pytest.mark.parametrize(
        ("visibility", "anonymous", "outsider"),
        [("private", [], []), ("internal", [], ["read"]), ("public", ["read"], ["read"])],
    )
    def test_who_is_no_member_reads_by_visibility_and_never_writes(
        self, world: World, visibility: Visibility, anonymous: list[str], outsider: list[str]
    ) -> None:
        project = world.project(visibility)
        assert _abilities(world, None, project) == anonymous
        assert _abilities(world, world.actor(world.user()), project) == outsider

    def test_who_was_removed_has_no_ability_any_more(self, world: World) -> None:
        project = world.project()
        user = world.user(project, Ability.MAINTAIN)
        world.forge.remove_member(project, user)
        assert _abilities(world, world.actor(user), project) == []

    def test_a_role_counts_in_its_own_project_only(self, world: World) -> None:
        user = world.user(world.project(), Ability.MAINTAIN)
        assert _abilities(world, world.actor(user), world.project()) == []

    def test_nobody_has_an_ability_in_a_deleted_project(self, world: World) -> None:
        project = world.project(world.forge.visibilities[-1])
        actor = world.actor(world.user(project, Ability.MAINTAIN))
        world.forge.delete_project(project)
        assert _abilities(world, actor, project) == []

    def test_the_api_refuses_as_it_should(self, world: World) -> None:
        project = world.project()
        reader = world.client(project, world.token(world.user(project, Ability.READ)))
        outsider = world.token(world.user())
        create = ("POST", "runs/create")
        assert world.writer(project).call(*create, experiment_id="0").status_code == 200
        assert reader.call(*create, experiment_id="0").status_code == 403
        assert world.client(project, None).call(*create, experiment_id="0").status_code == 401
        hidden = world.client(project, outsider).call(*create, experiment_id="0")
        missing = world.client(Project(MISSING, "no/such"), outsider).call(
            *create, experiment_id="0"
        )
        assert (hidden.status_code, hidden.data) == (missing.status_code, missing.data)
        assert hidden.get_json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"

    def test_a_removed_member_is_refused_with_the_same_token(self, world: World) -> None:
        project = world.project()
        user = world.user(project, Ability.WRITE)
        client = world.client(project, world.token(user))
        client.start_run()
        world.forge.remove_member(project, user)
        assert client.call("POST", "runs/create", experiment_id="0").status_code == 404


def _abilities(world: World, actor: Actor | None, project: Project) -> list[Ability]:
    def has(host: Host) -> list[Ability]:
        return [a for a in Ability if host.permissions.can(actor, a, project)]

    return world.ask(has)
