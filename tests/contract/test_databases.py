"""A forge that spreads its projects over two PostgreSQL databases."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.orm import Session

from gitlab_mlops import Ability, Project, migrations
from gitlab_mlops.models import Base, Candidate, Mention, MetricPoint
from tests import other_forge
from tests.browsing import Browser, Page, log, upload
from tests.factories import Api
from tests.postgresql import new_postgresql_database
from tests.test_conformance import SmallForge


class SpreadForge(SmallForge):
    """tests/other_forge.py with tickets, and the data of every other project elsewhere."""

    texts = True

    def __init__(self, folder: Path, urls: list[str]) -> None:
        artifacts = (folder / "artifacts").as_uri()
        self.app = other_forge.create_app(urls[0], artifacts, texts=True, more_urls=urls[1:])
        self.db = self.app.extensions["other_forge"][0]
        for engine in self.engines():
            migrations.upgrade(engine)

    def engines(self) -> list[Engine]:
        """The databases; a project is in that of its id modulo two."""
        engines: list[Engine] = self.app.extensions["mlops"].host.engines()
        return engines

    def engine_of(self, project: Project) -> Engine:
        """The database that has a project's data."""
        return self.engines()[project.id % 2]


@dataclass
class Team:
    """A forge with a project in each database, and one user who maintains both."""

    forge: SpreadForge
    projects: tuple[Project, Project]
    user: int
    apis: tuple[Api, Api]

    def rows(self, model: type[Base], project: Project) -> int:
        """How many rows the database of a project has."""
        with Session(self.forge.engine_of(project)) as session:
            return session.scalar(select(func.count()).select_from(model)) or 0

    def page(self, project: Project, path: str) -> Page:
        """A page of a project, as the user."""
        client = self.forge.app.test_client()
        self.forge.sign_in(client, self.user)
        return Browser(self.forge, client, f"/{project.path}/-/ml").get(path)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def urls(postgresql_url: str) -> list[str]:
    """Two databases."""
    return [new_postgresql_database(postgresql_url) for _ in range(2)]


@pytest.fixture
def team(urls: list[str], tmp_path: Path) -> Iterator[Team]:
    forge = SpreadForge(tmp_path, urls)
    user = forge.add_user()
    secret = forge.add_token(user, "basic", None)
    word = b64encode(f"{secret.username}:{secret.secret}".encode()).decode()
    projects = [forge.add_project("private") for _ in range(2)]
    for project in projects:
        forge.add_member(project, user, Ability.MAINTAIN)
    apis = [Api(forge.app, each.id, {"Authorization": f"Basic {word}"}) for each in projects]
    yield Team(forge, (projects[0], projects[1]), user, (apis[0], apis[1]))
    for project in projects:
        with forge.app.app_context():
            if forge.db.get(other_forge.Repo, project.id) is not None:
                other_forge.delete_repo(forge.app, project.id)
    for engine in forge.engines():
        engine.dispose()


def found(api: Api) -> list[str]:
    """The names of the runs that a search of the default experiment finds."""
    answer = api.post("runs/search", experiment_ids=["0"], filter="metrics.loss > 0")
    return [run["info"]["run_name"] for run in answer["runs"]]


def test_each_project_is_in_its_own_database_and_sees_nothing_of_the_other(team: Team) -> None:
    first, second = team.apis
    runs = [
        log(api, name, metrics={"loss": 1.0}, params={"depth": "3"})
        for api, name in ((first, "oak"), (second, "elm"))
    ]
    log(second, "ash", metrics={"loss": 2.0})
    assert [team.rows(Candidate, project) for project in team.projects] == [1, 2]
    assert (found(first), sorted(found(second))) == (["oak"], ["ash", "elm"])
    assert first.get("metrics/get-history", run_id=runs[0], metric_key="loss")["metrics"]
    for api, other in ((first, runs[1]), (second, runs[0])):
        assert api.refused("GET", f"runs/get?run_id={other}") == (404, "RESOURCE_DOES_NOT_EXIST")
        body = {"run_id": other, "key": "loss", "value": 9, "timestamp": 1, "step": 1}
        assert api.refused("POST", "runs/log-metric", json=body)[0] == 404
    assert [team.rows(MetricPoint, project) for project in team.projects] == [1, 2]


def test_pages_and_artifacts_are_those_of_the_project(team: Team) -> None:
    for api, name in zip(team.apis, ("oak", "elm"), strict=True):
        run_id = log(api, name, metrics={"loss": 1.0})
        upload(api, run_id, "leaf.txt", name.encode())
    for project, name, other in zip(team.projects, ("oak", "elm"), ("elm", "oak"), strict=True):
        for path in ("experiments/0", "candidates/1", "candidates/1/files"):
            page = team.page(project, path)
            assert page.status == 200
            assert name in page.text
            assert other not in page.text


def test_mentions_are_recorded_where_the_candidate_is(team: Team) -> None:
    here, there = team.projects
    for api in team.apis:
        log(api, metrics={"loss": 1.0})
    words = f"Mine is [candidate:1], theirs [candidate:{there.path}/1]."
    number = other_forge.save_ticket(team.forge.app, here.id, team.user, 0, words)
    assert [team.rows(Mention, project) for project in team.projects] == [1, 1]
    for project in team.projects:
        assert f"{here.path}#{number}" in team.page(project, "candidates/1").text
    words = f"Theirs is [candidate:{there.path}/1]."
    other_forge.save_ticket(team.forge.app, here.id, team.user, number, words)
    assert [team.rows(Mention, project) for project in team.projects] == [0, 1]


def test_a_project_is_purged_in_its_database_only(team: Team) -> None:
    for api in team.apis:
        run_id = log(api, metrics={"loss": 1.0})
        upload(api, run_id, "leaf.txt")
    gone, kept = team.projects
    other_forge.delete_repo(team.forge.app, gone.id)
    assert [team.rows(Candidate, project) for project in team.projects] == [0, 1]
    assert team.rows(MetricPoint, gone) == 0
    assert team.apis[0].refused("POST", "runs/search", json={"experiment_ids": ["0"]})[0] == 404
    assert team.page(kept, "candidates/1/files").status == 200


def test_a_database_that_is_away_takes_only_its_projects_along(team: Team) -> None:
    """The second one has none of the forge's own tables."""
    far, near = sorted(team.projects, key=lambda project: project.id % 2, reverse=True)
    apis = {api.project_id: api for api in team.apis}
    for api in team.apis:
        log(api, metrics={"loss": 1.0})
    name = team.forge.engine_of(far).url.database
    server = create_engine(team.forge.engine_of(near).url, isolation_level="AUTOCOMMIT")
    try:
        _allow(server, name, "false")
        answer = apis[far.id].call("POST", "runs/search", json={"experiment_ids": ["0"]})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert team.page(far, "experiments").status == 503
        assert len(found(apis[near.id])) == 1
        ready = team.forge.app.test_client().get("/-/mlops/readiness")
        assert (ready.status_code, ready.get_json()["database"]) == (200, "degraded")
    finally:
        _allow(server, name, "true")
        server.dispose()
    assert len(found(apis[far.id])) == 1


def _allow(server: Engine, name: str | None, allowed: str) -> None:
    """Let nobody into a database, and end who is there; or let them in again."""
    with server.connect() as connection:
        connection.execute(text(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {allowed}"))
        if allowed == "false":
            ended = select(func.pg_terminate_backend(text("pid")))
            connection.execute(
                ended.select_from(text("pg_stat_activity")).where(text("datname = :name")),
                {"name": name},
            )


@pytest.mark.parametrize("command", [["db", "check"], ["doctor"]])
def test_commands_look_at_both(team: Team, command: list[str]) -> None:
    result: Any = team.forge.app.test_cli_runner().invoke(args=["mlops", *command])
    assert result.exit_code == 0, result.output
    for engine in team.forge.engines():
        assert str(engine.url.database) in result.output
