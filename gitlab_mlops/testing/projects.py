"""Which projects there are: ids that stay, paths that change, URLs of pages."""

from __future__ import annotations

from flask import request

from gitlab_mlops.host import Ability
from gitlab_mlops.testing.client import Client
from gitlab_mlops.testing.world import World

NO_IDS = (0, -1, 2**31, 2**63 - 1)
NO_PATHS = ("", "/", "..", "no/such", "no such", "ä/ö", "x" * 2000, "'")


class ProjectsConformance:
    """`Host.projects` as a whole."""

    def test_a_project_is_found_by_its_id_and_by_its_path(self, world: World) -> None:
        project = world.project()
        assert isinstance(project.id, int)
        assert world.ask(lambda host: host.projects.by_id(project.id)) == project
        assert world.ask(lambda host: host.projects.by_path(project.path)) == project

    def test_what_is_not_there_is_none(self, world: World) -> None:
        world.project()
        by_id = world.ask(lambda host: [host.projects.by_id(id) for id in NO_IDS])
        by_path = world.ask(lambda host: [host.projects.by_path(path) for path in NO_PATHS])
        assert not any((*by_id, *by_path))

    def test_a_renamed_project_keeps_its_id_and_its_experiments(self, world: World) -> None:
        before = world.project()
        client = world.writer(before)
        run = client.start_run()
        after = world.forge.rename_project(before)
        assert (after.id, after.path != before.path) == (before.id, True)
        assert world.ask(lambda host: host.projects.by_path(after.path)) == after
        # The old path may lead on to the project, but to no other.
        old = world.ask(lambda host: host.projects.by_path(before.path))
        assert old is None or old.id == before.id
        assert client.get("runs/get", run_id=run["run_id"])["run"]["info"] == run

    def test_the_id_of_a_deleted_project_is_not_given_out_again(self, world: World) -> None:
        project = world.project()
        world.forge.delete_project(project)
        assert world.ask(lambda host: host.projects.by_id(project.id)) is None
        assert world.ask(lambda host: host.projects.by_path(project.path)) is None
        assert world.project().id != project.id

    def test_the_api_finds_a_project_by_id_and_by_path(self, world: World) -> None:
        project = world.project()
        token = world.token(world.user(project, Ability.WRITE))
        run = Client(world.app, str(project.id), token).start_run()
        by_path = Client(world.app, project.path, token)
        found = by_path.get("runs/get", run_id=run["run_id"])["run"]["info"]
        assert found["run_id"] == run["run_id"]
        by_path.post("runs/log-metric", run_id=run["run_id"], key="m", value=1, timestamp=1)

    def test_every_prefix_leads_to_its_project(self, world: World) -> None:
        projects = world.forge.projects_by_prefix()
        assert set(projects) == set(world.host.chrome.web_prefixes)
        for prefix, project in projects.items():
            url = world.page(project, "experiments")
            with world.app.test_request_context(url):
                assert request.url_rule is not None, f"no route for {url}"
                assert request.url_rule.rule.startswith(f"{prefix}/-/ml/"), url
                assert world.host.projects.by_url(request.view_args or {}) == project
            assert world.browser().get(url).status_code == 200

    def test_the_page_of_a_project_that_is_not_there_is_404(self, world: World) -> None:
        project = world.project()
        user = world.user(project, Ability.READ)
        url = world.page(project, "experiments")
        world.forge.delete_project(project)
        assert world.browser(user).get(url).status_code == 404
