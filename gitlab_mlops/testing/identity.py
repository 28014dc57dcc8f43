"""Who is there: people in a browser, tokens, blocked users, tokens of projects and of jobs."""

from __future__ import annotations

from typing import get_args

from gitlab_mlops.host import Ability, Credential
from gitlab_mlops.testing.forge import Scheme
from gitlab_mlops.testing.world import PROBE, World

SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
NO_SECRETS = ("no-such-token", "x" * 4096, "päss wörd", "%00", "' OR 1=1 --")


class IdentityConformance:
    """`Host.identity` as a whole."""

    def test_a_token_is_its_owner_by_every_scheme_that_the_forge_takes(self, world: World) -> None:
        user = world.user()
        for scheme in world.forge.schemes:
            actor = world.authenticate(world.token(user, scheme=scheme))
            assert actor is not None, f"authenticate() does not know a new {scheme} token"
            assert isinstance(actor.id, str)
            assert actor.id
            assert actor.username
            assert actor.id == world.actor(user).id

    def test_users_have_different_ids(self, world: World) -> None:
        assert world.actor(world.user()).id != world.actor(world.user()).id

    def test_an_unknown_secret_is_nobody(self, world: World) -> None:
        for scheme in SCHEMES:
            for secret in NO_SECRETS:
                assert world.authenticate(Credential(scheme, secret, "root")) is None

    def test_a_token_in_pieces_is_nobody(self, world: World) -> None:
        token = world.token(world.user())
        for secret in (token.secret[:-1], token.secret + "x", token.secret.swapcase()):
            assert world.authenticate(Credential(token.scheme, secret, token.username)) is None

    def test_an_expired_token_is_nobody(self, world: World) -> None:
        assert world.authenticate(world.token(world.user(), expired=True)) is None

    def test_a_revoked_token_is_nobody(self, world: World) -> None:
        token = world.token(world.user())
        world.forge.revoke_token(token)
        assert world.authenticate(token) is None

    def test_a_blocked_user_is_nobody(self, world: World) -> None:
        user = world.user()
        token, browser = world.token(user), world.browser(user)
        actor = world.actor(user)
        world.forge.block_user(user)
        assert world.authenticate(token) is None
        answer = browser.get(f"{PROBE}/actor")
        assert actor.id not in answer.text or answer.status_code != 200

    def test_scopes_are_the_tokens(self, world: World) -> None:
        user = world.user()
        for ability in (Ability.READ, Ability.WRITE):
            actor = world.authenticate(world.token(user, ability))
            assert actor is not None
            wanted = world.forge.scopes
            assert actor.scopes == (None if wanted is None else frozenset({wanted[ability]}))

    def test_a_token_for_reading_reads_and_does_not_write(self, world: World) -> None:
        if world.forge.scopes is None:
            return
        project = world.project()
        user = world.user(project, Ability.WRITE)
        client = world.client(project, world.token(user, Ability.READ))
        client.get("experiments/get", experiment_id="0")
        refusal = client.call("POST", "runs/create", experiment_id="0")
        assert (refusal.status_code, refusal.get_json()["error_code"]) == (403, "PERMISSION_DENIED")

    def test_nobody_is_signed_in_at_first(self, world: World) -> None:
        assert world.browser().get(f"{PROBE}/actor").json == {}

    def test_who_is_signed_in_is_the_owner_of_their_tokens_without_bounds(
        self, world: World
    ) -> None:
        user = world.user()
        signed_in = world.browser(user).get(f"{PROBE}/actor").get_json()
        assert signed_in == {"id": world.actor(user).id, "bound": False}

    def test_a_session_does_not_open_the_api(self, world: World) -> None:
        project = world.project("public" if "public" in world.forge.visibilities else "private")
        browser = world.browser(world.user(project, Ability.WRITE))
        path = f"{world.client(project, None).uri}/api/2.0/mlflow/experiments/get?experiment_id=0"
        answer = browser.get(path)
        assert (answer.status_code, answer.get_json()["error_code"]) == (401, "UNAUTHENTICATED")

    def test_actors_are_found_by_their_ids_and_others_left_out(self, world: World) -> None:
        people = [world.actor(world.user()) for _ in range(2)]
        ids = [person.id for person in people]
        found = world.ask(lambda host: host.identity.actors([*ids, "no-such-id", ""]))
        assert sorted(found) == sorted(ids)
        assert [found[id].username for id in ids] == [person.username for person in people]
        assert world.ask(lambda host: dict(host.identity.actors([]))) == {}

    def test_a_token_of_a_project_opens_that_project_only(self, world: World) -> None:
        project, other = world.project(), world.forge.add_project(world.forge.visibilities[-1])
        token = world.forge.add_project_token(project, Ability.WRITE)
        actor = world.authenticate(token)
        assert actor is not None
        assert actor.project_id == project.id
        world.client(project, token).start_run()
        answer = world.client(other, token).call("GET", "experiments/get", experiment_id="0")
        assert answer.status_code == 404

    def test_a_job_acts_in_its_project_as_long_as_it_runs(self, world: World) -> None:
        project, other = world.project(), world.project()
        job_id, token = world.forge.start_job(project, world.user(project, Ability.WRITE))
        actor = world.authenticate(token)
        assert actor is not None
        assert actor.job is not None
        assert (actor.project_id, actor.job.project_id) == (project.id, project.id)
        assert actor.job.id == job_id
        # MLflow's client knows no header for jobs.
        assert world.authenticate(Credential("bearer", token.secret)) == actor
        world.client(project, token).start_run()
        ci = world.host.ci
        assert ci is not None, "tokens of jobs are there, but Host.ci is None"
        assert world.ask(lambda _: ci.job(project, job_id)) == actor.job
        assert world.ask(lambda _: ci.job(project, "no-such-job")) is None
        assert world.ask(lambda _: ci.job(other, job_id)) is None
        world.forge.finish_job(project, job_id)
        assert world.authenticate(token) is None
