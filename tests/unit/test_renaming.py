"""Stamps lead to their jobs also after the project has moved."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from gitlab_mlops.models import JobStamp
from gitlab_mlops.services import renaming
from tests.unit.gating import World, make_world


@pytest.fixture
def world(session: Session) -> World:
    return make_world(session)


def url_of(world: World, url: str, **stamp: object) -> str | None:
    """A stamp's address after `group/project` became `new/näme`."""
    made = world.train(stamp={"url": url, **stamp})
    moved = replace(world.project, path="new/näme")
    world.forge.projects[moved.id] = moved
    renaming.rename(world.host, moved, world.project.path)
    return world.session.scalar(select(JobStamp.url).where(JobStamp.candidate_id == made.id))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("/group/project/-/jobs/7", "/new/näme/-/jobs/7"),
        ("/group/project/group/project", "/new/näme/group/project"),
        ("/group/project", "/group/project"),
        ("/group/project-2/-/jobs/7", "/group/project-2/-/jobs/7"),
        ("/elsewhere/group/project/-/jobs/7", "/elsewhere/group/project/-/jobs/7"),
        ("/GROUP/project/-/jobs/7", "/GROUP/project/-/jobs/7"),
        ("https://ci.example/7", "https://ci.example/7"),
        ("", ""),
    ],
)
def test_the_address_of_a_job_moves_with_its_project(world: World, url: str, expected: str) -> None:
    assert url_of(world, url) == expected


def test_wildcards_in_a_path_are_letters(world: World) -> None:
    world.project = replace(world.project, path="group/pro_ect%")
    assert url_of(world, "/group/project/-/jobs/7") == "/group/project/-/jobs/7"


def test_stamps_of_other_projects_stay(world: World) -> None:
    url = "/group/project/-/jobs/7"
    assert url_of(world, url, project_id=999, source_project_id=998) == url
    assert url_of(world, url, project_id=999) == "/new/näme/-/jobs/7"


def test_a_path_that_is_the_same_changes_nothing(world: World) -> None:
    world.train()
    renaming.rename(world.host, world.project, world.project.path)
    assert world.session.scalar(select(JobStamp.url)) == "/group/project/-/jobs/7"
