"""Texts that mention candidates, the links both ways, and what is left when things are deleted."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient

from gitlab_mlops.host import Ability, Project, References, Source, SourceLink
from gitlab_mlops.testing.world import World


class MentionsConformance:
    """`Host.references` and `Host.events`, as far as the forge has them."""

    def test_a_mention_is_recorded_and_taken_back_with_its_text(self, world: World) -> None:
        project, user = _with_candidate(world)
        source = world.forge.save_text(project, user, "better than [candidate:1]")
        assert world.mentions(project) == 1
        world.forge.save_text(project, user, "nothing any more", source)
        assert world.mentions(project) == 0

    def test_a_deleted_text_mentions_nothing(self, world: World) -> None:
        project, user = _with_candidate(world)
        source = world.forge.save_text(project, user, "better than [candidate:1]")
        world.forge.delete_text(project, source)
        assert world.mentions(project) == 0

    def test_the_text_links_to_the_candidate(self, world: World) -> None:
        project, user = _with_candidate(world)
        source = world.forge.save_text(project, user, "better than [candidate:1]")
        browser = world.browser(user)
        html = browser.get(_link(world, user, source).url).text
        assert f'href="{world.page(project, "candidates/1")}"' in html

    def test_the_candidate_links_to_the_text(self, world: World) -> None:
        project, user = _with_candidate(world)
        link = _link(world, user, world.forge.save_text(project, user, "see [candidate:1]"))
        assert link.url in _candidate_page(world, world.browser(user), project)

    def test_who_may_not_see_the_candidate_sees_plain_text(self, world: World) -> None:
        hidden, writer = _with_candidate(world)
        shown = world.project("public")
        world.forge.add_member(shown, writer, Ability.WRITE)
        mention = f"[candidate:{hidden.path}/1]"
        source = world.forge.save_text(shown, writer, f"see {mention}")
        outsider = world.user()
        html = world.browser(outsider).get(_link(world, outsider, source).url).text
        assert mention in html
        assert world.page(hidden, "candidates/1") not in html

    def test_who_may_not_see_the_text_sees_no_link_to_it(self, world: World) -> None:
        project, user = _with_candidate(world, "public")
        hidden = world.project()
        world.forge.add_member(hidden, user, Ability.WRITE)
        source = world.forge.save_text(hidden, user, f"see [candidate:{project.path}/1]")
        link, outsider = _link(world, user, source), world.user()
        assert _links(world, outsider, [source]) == {}
        assert _links(world, None, [source]) == {}
        assert link.url in _candidate_page(world, world.browser(user), project)
        assert link.url not in _candidate_page(world, world.browser(outsider), project)

    def test_sources_that_are_not_there_are_left_out(self, world: World) -> None:
        project, user = _with_candidate(world)
        source = world.forge.save_text(project, user, "text")
        gone = [Source(project.id, source.kind, id) for id in ("0", "999999", "", "no number")]
        odd = [Source(project.id, "no-such-kind", source.id), Source(10**9, source.kind, source.id)]
        assert list(_links(world, user, [*gone, *odd, source])) == [source]

    def test_many_links_take_no_more_queries_than_few(self, world: World) -> None:
        project, user = _with_candidate(world)
        sources = [world.forge.save_text(project, user, f"text {n}") for n in range(12)]
        counts = []
        for some in (sources[:2], sources):
            with world.counted_statements() as statements:
                assert len(_links(world, user, some)) == len(some)
            counts.append(len(statements))
        assert counts[0] == counts[1]

    def test_a_system_note_shows_under_the_text(self, world: World) -> None:
        project, user = _with_candidate(world)
        source = world.forge.save_text(project, user, "text")
        note = "mentioned in candidate 7 of the suite"
        with world.app.test_request_context("/"):
            actor = world.actor(user)
            _references(world).post_system_note(actor, source, note)
            world.host.session(project).commit()
        url = _link(world, user, source).url
        assert note in world.browser(user).get(url).text

    def test_a_deleted_project_takes_its_experiments_along(self, world: World) -> None:
        project, user = _with_candidate(world)
        world.forge.save_text(project, user, "this forge sends events: [candidate:1]")
        other, _ = _with_candidate(world)
        before = world.rows(other)
        assert world.rows(project) > 0
        world.forge.delete_project(project)
        assert (world.rows(project), world.mentions(project)) == (0, 0)
        assert world.rows(other) == before


def _with_candidate(world: World, visibility: Any = "private") -> tuple[Project, Any]:
    """A project with candidate 1, and a user who may write there."""
    project = world.project(visibility)
    user = world.user(project, Ability.WRITE)
    world.client(project, world.token(user)).start_run()
    return project, user


def _references(world: World) -> References:
    references = world.host.references
    assert references is not None, "texts can be saved, but Host.references is None"
    return references


def _links(world: World, user: Any, sources: list[Source]) -> dict[Source, SourceLink]:
    actor = None if user is None else world.actor(user)
    return world.ask(lambda _: dict(_references(world).links(actor, sources)))


def _link(world: World, user: Any, source: Source) -> SourceLink:
    link = _links(world, user, [source])[source]
    assert link.label
    assert link.url.startswith("/") or "://" in link.url
    return link


def _candidate_page(world: World, browser: FlaskClient, project: Project) -> str:
    answer = browser.get(world.page(project, "candidates/1"))
    assert answer.status_code == 200
    return answer.text
