"""The conformance suite finds what is wrong: every defect here fails the test that it should."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import request
from sqlalchemy import select

from gitlab_mlops import Ability, Actor, SourceLink, migrations
from gitlab_mlops.testing import AdapterConformance
from gitlab_mlops.testing.world import World
from tests.other_forge import Access, Adapter
from tests.test_conformance import SmallForgeWithTexts

Method = Callable[..., Any]
ROOT = Actor("1", "root")


def of_any_project(real: Method) -> Method:
    """A role somewhere counts everywhere."""

    def can(self: Adapter, actor: Actor | None, ability: Ability, project: Any) -> bool:
        mine = select(Access.repo_id).where(Access.user_id == int(actor.id if actor else 0))
        return real(self, actor, ability, project) or self.db.scalar(mine) is not None

    return can


def one_by_one(real: Method) -> Method:
    """A query for each source."""

    def links(self: Adapter, actor: Actor | None, sources: Any) -> Any:
        return {s: link for s in sources for link in real(self, actor, [s]).values()}

    return links


def to_everybody(_real: Method) -> Method:
    """Links are there, whether they may be seen or not."""
    return lambda self, actor, sources: {
        s: SourceLink(s.id, "", f"/{self.by_id(s.project_id).path}/c/{s.id}") for s in sources
    }


# The method of the adapter, the defect, the test that must find it, and its parameters.
DEFECTS: list[tuple[str, Callable[[Method], Method], str, tuple[Any, ...]]] = [
    (
        "authenticate",
        lambda real: lambda self, credential: ROOT,
        "test_an_unknown_secret_is_nobody",
        (),
    ),
    (
        "authenticate",
        lambda real: lambda self, c: real(self, c) and Actor(secrets.token_hex(), "somebody"),
        "test_a_token_is_its_owner_by_every_scheme_that_the_forge_takes",
        (),
    ),
    (
        "authenticate",
        lambda real: lambda self, c: (a := real(self, c)) and replace(a, scopes=frozenset()),
        "test_scopes_are_the_tokens",
        (),
    ),
    ("web_actor", lambda real: lambda self: ROOT, "test_nobody_is_signed_in_at_first", ()),
    (
        "web_actor",
        lambda real: lambda self: None,
        "test_who_is_signed_in_is_the_owner_of_their_tokens_without_bounds",
        (),
    ),
    (
        "actors",
        lambda real: lambda self, ids: {},
        "test_actors_are_found_by_their_ids_and_others_left_out",
        (),
    ),
    (
        "by_id",
        lambda real: lambda self, project_id: real(self, max(project_id, 1)),
        "test_what_is_not_there_is_none",
        (),
    ),
    (
        "by_url",
        lambda real: lambda self, values: self.by_path(values["repo"]),
        "test_every_prefix_leads_to_its_project",
        (),
    ),
    (
        "can",
        lambda real: lambda self, actor, ability, project: True,
        "test_who_is_no_member_reads_by_visibility_and_never_writes",
        ("private", [], []),
    ),
    (
        "can",
        lambda real: lambda self, actor, ability, project: real(self, actor, Ability.READ, project),
        "test_a_member_has_the_abilities_up_to_their_role",
        (Ability.READ,),
    ),
    ("can", of_any_project, "test_a_role_counts_in_its_own_project_only", ()),
    (
        "check_csrf",
        lambda real: lambda self: True,
        "test_a_form_without_a_token_or_with_somebody_elses_is_refused",
        (),
    ),
    (
        "csp_nonce",
        lambda real: lambda self: "always-the-same",
        "test_the_nonce_is_one_per_response_and_in_its_policy",
        (),
    ),
    (
        "base_template",
        lambda real: lambda self: "bare.html",
        "test_pages_stand_in_the_forges_frame",
        (),
    ),
    (
        "project_url",
        lambda real: lambda self, project: f"/{project.path}/",
        "test_the_page_of_a_project_opens_where_project_url_says",
        (),
    ),
    (
        "project_url",
        lambda real: lambda self, project: f"{request.script_root}/{project.path}",
        "test_a_worker_without_a_request_knows_the_page_of_a_project",
        (),
    ),
    (
        "login_url",
        lambda real: lambda self, next_url: "/no/such/page",
        "test_the_sign_in_page_opens",
        (),
    ),
    ("links", to_everybody, "test_who_may_not_see_the_text_sees_no_link_to_it", ()),
    ("links", one_by_one, "test_many_links_take_no_more_queries_than_few", ()),
    (
        "links",
        lambda real: lambda self, actor, sources: {},
        "test_sources_that_are_not_there_are_left_out",
        (),
    ),
    (
        "post_system_note",
        lambda real: lambda self, actor, source, text: None,
        "test_a_system_note_shows_under_the_text",
        (),
    ),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("forge")
    world = World(SmallForgeWithTexts(folder, f"sqlite:///{folder / 'forge.sqlite3'}"))
    yield world
    for engine in world.host.engines():
        engine.dispose()


@pytest.mark.parametrize(
    ("method", "defect", "test", "parameters"),
    DEFECTS,
    ids=[f"{method}-{test}" for method, _, test, _ in DEFECTS],
)
def test_each_defect_of_an_adapter_is_found(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    defect: Callable[[Method], Method],
    test: str,
    parameters: tuple[Any, ...],
) -> None:
    check = getattr(AdapterConformance(), test)
    check(world, *parameters)
    monkeypatch.setattr(Adapter, method, defect(getattr(Adapter, method)))
    with pytest.raises(AssertionError):
        check(world, *parameters)


def test_a_bundle_without_a_method_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(Adapter, "by_url")
    with pytest.raises(AssertionError):
        AdapterConformance().test_the_bundle_has_everything_that_the_plugin_calls(world)


def test_ids_that_are_given_out_again_are_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    freed: list[int] = []
    forge = world.forge
    add, delete = forge.add_project, forge.delete_project

    def add_again(visibility: Any) -> Any:
        project = add(visibility)
        return replace(project, id=freed.pop()) if freed else project

    def delete_and_free(project: Any) -> None:
        delete(project)
        freed.append(project.id)

    monkeypatch.setattr(forge, "add_project", add_again)
    monkeypatch.setattr(forge, "delete_project", delete_and_free)
    with pytest.raises(AssertionError):
        AdapterConformance().test_the_id_of_a_deleted_project_is_not_given_out_again(world)


def test_a_forge_that_checks_forms_of_the_api_is_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = {None: [lambda: ("<h1>No token</h1>", 400)]}
    monkeypatch.setattr(world.app, "before_request_funcs", refuse)
    with pytest.raises(AssertionError):
        AdapterConformance().test_the_experiment_default_is_there_without_being_made(world)


def test_a_database_without_the_tables_is_found(world: World) -> None:
    (engine,) = world.host.engines()
    migrations.downgrade(engine, "base")
    with pytest.raises(AssertionError):
        AdapterConformance().test_the_experiment_default_is_there_without_being_made(world)
