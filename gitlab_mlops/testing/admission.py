"""One answer instead of three: it is what the three would have said."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from gitlab_mlops.host import Ability, Admitted, Credential, Host, Project
from gitlab_mlops.testing.forge import Scheme, unsupported
from gitlab_mlops.testing.identity import NO_SECRETS
from gitlab_mlops.testing.projects import NO_IDS, NO_PATHS
from gitlab_mlops.testing.world import World


class AdmissionConformance:
    """`Host.admission` as a whole, if the forge has one."""

    @pytest.mark.parametrize("ability", [None, *Ability])
    @pytest.mark.parametrize("visibility", ["private", "internal", "public"])
    def test_a_token_is_admitted_as_the_three_parts_would(
        self, world: World, visibility: Any, ability: Ability | None
    ) -> None:
        project = world.project(visibility)
        user = world.user(project, ability)
        for scheme in world.forge.schemes:
            for scope in (Ability.READ, Ability.WRITE):
                _agree(world, world.token(user, scope, scheme), project)

    def test_who_lost_a_role_is_admitted_with_none(self, world: World) -> None:
        project = world.project()
        user = world.user(project, Ability.MAINTAIN)
        token = world.token(user)
        _agree(world, token, project)
        world.forge.remove_member(project, user)
        assert _agree(world, token, project).abilities == frozenset()

    def test_what_is_not_there_is_no_project(self, world: World) -> None:
        project = world.project()
        token = world.token(world.user(project, Ability.WRITE))
        for which in (*NO_IDS, *NO_PATHS):
            assert _admit(world, token, which).project is None
        world.forge.delete_project(project)
        assert _agree(world, token, project).project is None

    def test_a_renamed_project_is_found_as_before(self, world: World) -> None:
        before = world.project()
        token = world.token(world.user(before, Ability.WRITE))
        after = world.forge.rename_project(before)
        assert _agree(world, token, after).project == after
        _agree(world, token, before)

    def test_unknown_secrets_are_nobodys(self, world: World) -> None:
        project = world.project(world.forge.visibilities[-1])
        for scheme in get_args(Scheme):
            for secret in NO_SECRETS:
                assert _agree(world, Credential(scheme, secret, "root"), project).actor is None

    def test_a_revoked_token_is_nobodys(self, world: World) -> None:
        project = world.project()
        token = world.token(world.user(project, Ability.WRITE))
        world.forge.revoke_token(token)
        assert _agree(world, token, project).actor is None

    def test_an_expired_token_is_nobodys(self, world: World) -> None:
        project = world.project()
        token = world.token(world.user(project, Ability.WRITE), expired=True)
        assert _agree(world, token, project).actor is None

    def test_a_blocked_user_is_nobody_here_too(self, world: World) -> None:
        project = world.project()
        user = world.user(project, Ability.WRITE)
        token = world.token(user)
        world.forge.block_user(user)
        assert _agree(world, token, project).actor is None

    def test_a_token_of_a_project_is_admitted_as_bound(self, world: World) -> None:
        project, other = world.project(), world.project()
        token = world.forge.add_project_token(project, Ability.WRITE)
        assert Ability.WRITE in _agree(world, token, project).abilities
        _agree(world, token, other)

    def test_a_job_is_admitted_as_long_as_it_runs(self, world: World) -> None:
        project, other = world.project(), world.project()
        job_id, token = world.forge.start_job(project, world.user(project, Ability.WRITE))
        admitted = _agree(world, token, project)
        assert admitted.actor is not None
        assert admitted.actor.job is not None
        _agree(world, token, other)
        world.forge.finish_job(project, job_id)
        assert _agree(world, token, project).actor is None


def _agree(world: World, credential: Credential, project: Project) -> Admitted:
    """What is said of the project by id; fails unless its path and the parts say the same."""
    found = _admit(world, credential, project.id)
    assert found == world.ask(lambda host: _in_parts(host, credential, project.id))
    by_path = _admit(world, credential, project.path)
    assert by_path == world.ask(lambda host: _in_parts(host, credential, project.path))
    return found


def _admit(world: World, credential: Credential, project: int | str) -> Admitted:
    def admit(host: Host) -> Admitted:
        if host.admission is None:
            unsupported("Host.admission")
        return host.admission.admit(credential, project)

    return world.ask(admit)


def _in_parts(host: Host, credential: Credential, which: int | str) -> Admitted:
    actor = host.identity.authenticate(credential)
    if actor is None:
        return Admitted(None)
    projects = host.projects
    project = projects.by_id(which) if isinstance(which, int) else projects.by_path(which)
    if project is None:
        return Admitted(actor)
    can = host.permissions.can
    return Admitted(actor, project, frozenset(a for a in Ability if can(actor, a, project)))
