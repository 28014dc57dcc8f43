"""Downloads of what a filter finds, as CSV and as JSON: whole, or visibly broken."""

from __future__ import annotations

import csv
import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event
from werkzeug.test import TestResponse

from gitlab_mlops import Ability
from gitlab_mlops.blueprints.web import export
from host_stub.database import db
from host_stub.projects import Project, remove_member
from tests.browsing import Browser, Page, counted_statements, log
from tests.factories import Api, Forge
from tests.test_conformance import SmallForge

FORMATS = ("csv", "json")


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id)


@pytest.fixture
def pieces_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make two candidates a piece, so that a few need several."""
    monkeypatch.setattr(export, "PER_PIECE", 2)


def fill(api: Api, count: int) -> None:
    for number in range(count):
        log(
            api,
            f"try-{number}",
            start_time=1_700_000_000_000 + number,
            metrics={"auc": number / 8},
            params={"depth": str(number % 2)},
            tags={"team": "blue"},
        )


def rows_of(response: TestResponse) -> list[dict[str, str]]:
    assert response.status_code == 200
    return list(csv.DictReader(StringIO(response.get_data(as_text=True), newline="")))


def objects_of(response: TestResponse) -> list[dict[str, Any]]:
    assert response.status_code == 200
    found: list[dict[str, Any]] = json.loads(response.data)
    return found


def test_a_csv_has_everything_about_every_candidate(api: Api, browser: Browser) -> None:
    run_id = log(api, "a, b", metrics={"auc": 0.1, "m:2": "NaN"}, params={"p": "x"})
    log(api, "=1+1", tags={"team": "blue", "mlflow.user": "mira"})
    second, first = rows_of(browser.raw("experiments/0/export.csv?order_by=attributes.run_name"))
    assert first["name"] == "a, b"
    assert first["run_id"] == run_id
    assert (first["iid"], first["reference"]) == ("1", "[candidate:1]")
    assert first["url"] == f"http://localhost{browser.base}/candidates/1"
    assert first["status"] == "RUNNING"
    assert first["start_time"] == "2023-11-14T22:13:20.000Z"
    assert (first["metrics.auc"], first["metrics.m:2"], first["params.p"]) == ("0.1", "NaN", "x")
    assert first["tags.team"] == ""
    assert (second["name"], second["tags.team"]) == ("'=1+1", "blue")
    assert not any("mlflow" in column for column in first)
    assert first["author"].startswith("user-")


def test_json_has_the_same_in_groups(api: Api, browser: Browser) -> None:
    run_id = log(api, "=1", metrics={"auc": "Infinity"}, params={"p": "x"}, tags={"team": "blue"})
    [found] = objects_of(browser.raw("experiments/0/export.json"))
    assert (found["iid"], found["run_id"], found["name"]) == (1, run_id, "=1")
    assert found["metrics"] == {"auc": "Infinity"}
    assert found["params"] == {"p": "x"}
    assert found["tags"] == {"team": "blue"}
    assert found["end_time"] is None


@pytest.mark.usefixtures("pieces_of_two")
@pytest.mark.parametrize("count", [1, 2, 3, 4, 7])
def test_every_candidate_is_there_once_and_in_order(api: Api, browser: Browser, count: int) -> None:
    fill(api, count)
    query = "order_by=metrics.auc+DESC"
    rows = rows_of(browser.raw(f"experiments/0/export.csv?{query}"))
    objects = objects_of(browser.raw(f"experiments/0/export.json?{query}"))
    wanted = [f"try-{number}" for number in reversed(range(count))]
    assert [row["name"] for row in rows] == wanted
    assert [each["name"] for each in objects] == wanted


def test_nothing_found_is_still_a_whole_file(api: Api, browser: Browser) -> None:
    log(api, metrics={"auc": 1})
    query = "filter=metrics.auc+>+2"
    assert browser.raw(f"experiments/0/export.csv?{query}").data.count(b"\n") == 1
    assert objects_of(browser.raw(f"experiments/0/export.json?{query}")) == []


@pytest.mark.usefixtures("pieces_of_two")
def test_what_the_filter_finds_is_exported_and_no_more(api: Api, browser: Browser) -> None:
    fill(api, 7)
    query = "filter=metrics.auc+>+0.3+and+params.depth+=+'1'"
    rows = rows_of(browser.raw(f"experiments/0/export.csv?{query}"))
    assert [row["name"] for row in rows] == ["try-5", "try-3"]
    assert len(objects_of(browser.raw(f"experiments/0/export.json?{query}"))) == 2


def test_the_trash_is_exported_on_its_own(api: Api, browser: Browser) -> None:
    kept, gone = log(api, "kept"), log(api, "gone")
    api.post("runs/delete", run_id=gone)
    assert [row["run_id"] for row in rows_of(browser.raw("experiments/0/export.csv"))] == [kept]
    [row] = rows_of(browser.raw("experiments/0/export.csv?view=deleted"))
    assert row["run_id"] == gone


def test_columns_choose_what_was_logged_in_their_order(api: Api, browser: Browser) -> None:
    log(api, "a", metrics={"auc": 0.5, "loss": 1}, tags={"mlflow.source.name": "train.py"})
    query = "columns=tags.mlflow.source.name&columns=metrics.auc&columns=author&columns=params.none"
    [row] = rows_of(browser.raw(f"experiments/0/export.csv?{query}"))
    assert list(row)[-3:] == ["tags.mlflow.source.name", "metrics.auc", "params.none"]
    assert list(row.values())[-3:] == ["train.py", "0.5", ""]
    [found] = objects_of(browser.raw(f"experiments/0/export.json?{query}"))
    assert found["metrics"] == {"auc": 0.5}
    assert found["tags"] == {"mlflow.source.name": "train.py"}


def test_few_candidates_bring_their_own_columns_only(api: Api, browser: Browser) -> None:
    log(api, "a", params={"p": "x"})
    log(api, "b", params={"q": "x"}, metrics={"m": 1})
    path = "experiments/0/export.csv?filter=attributes.run_name+=+'a'"
    [row] = rows_of(browser.raw(path))
    assert "params.p" in row
    assert not {"params.q", "metrics.m"} & set(row)


@pytest.mark.usefixtures("pieces_of_two")
def test_many_candidates_have_the_columns_of_the_experiment(api: Api, browser: Browser) -> None:
    for number in range(5):
        log(api, params={f"p{number}": "x"}, start_time=1_700_000_000_000 + number)
    rows = rows_of(browser.raw("experiments/0/export.csv"))
    assert [row[f"params.p{number}"] for number, row in enumerate(reversed(rows))] == ["x"] * 5


@pytest.mark.parametrize("suffix", FORMATS)
def test_browsers_save_it_under_a_good_name(
    forge: Forge, api: Api, browser: Browser, suffix: str
) -> None:
    iid = api.post("experiments/create", name='Größe "../a;b"\u202e')["experiment_id"]
    headers = browser.raw(f"experiments/{iid}/export.{suffix}").headers
    disposition = headers["Content-Disposition"]
    assert disposition.startswith(f'attachment; filename="vision-Gr??e-..-a-b-candidates.{suffix}"')
    assert f"filename*=UTF-8''vision-Gr%C3%B6%C3%9Fe-..-a-b-candidates.{suffix}" in disposition
    kinds = {"csv": "text/csv; charset=utf-8", "json": "application/json"}
    assert headers["Content-Type"] == kinds[suffix]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    "query",
    ["filter=metrics.auc+>>+1", "order_by=nonsense", "columns=nonsense", "view=x", "filter=%00"],
)
def test_what_cannot_be_exported_is_refused_before_anything_is_sent(
    api: Api, browser: Browser, suffix: str, query: str
) -> None:
    log(api)
    page = browser.get(f"experiments/0/export.{suffix}?{query}")
    assert page.status == 400
    assert "Content-Disposition" not in page.response.headers
    assert page.one("h1").text == "That does not work"


@pytest.mark.parametrize("suffix", FORMATS)
def test_there_is_no_export_of_a_missing_experiment(browser: Browser, suffix: str) -> None:
    assert browser.raw(f"experiments/99/export.{suffix}").status_code == 404


@contextmanager
def failing(app: Flask, after: int) -> Iterator[None]:
    """A database that fails for good, so many statements from now."""
    left = [after]

    def fail(*_arguments: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise ConnectionError("the database is gone")

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", fail)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", fail)


@pytest.mark.usefixtures("pieces_of_two")
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_failure_in_the_middle_breaks_the_answer_off(
    api: Api, browser: Browser, suffix: str
) -> None:
    fill(api, 5)
    response = browser.client.get(f"{browser.base}/experiments/0/export.{suffix}")
    pieces = iter(response.response)
    received = next(pieces) + (next(pieces) if suffix == "csv" else b"")
    assert received.count(b"[candidate:") == 2
    with failing(browser.forge.app, 0), pytest.raises(ConnectionError):
        next(pieces)
    assert not received.endswith(b"]\n")


@pytest.mark.usefixtures("pieces_of_two")
def test_permission_that_ends_meanwhile_breaks_the_answer_off(forge: Forge) -> None:
    api = forge.developer()
    fill(api, 5)
    user = forge.member(api.project_id, "developer")
    browser = Browser.open(forge, api.project_id, user)
    response = browser.client.get(f"{browser.base}/experiments/0/export.csv")
    pieces = iter(response.response)
    received = next(pieces) + next(pieces)
    with forge.stored():
        remove_member(db.session.get_one(Project, api.project_id), user)
    with pytest.raises(Exception, match="may not see"):
        next(pieces)
    assert received.count(b"[candidate:") == 2


@pytest.mark.usefixtures("pieces_of_two")
def test_a_slow_reader_holds_no_connection(api: Api, browser: Browser) -> None:
    fill(api, 7)
    response = browser.client.get(f"{browser.base}/experiments/0/export.csv")
    with browser.forge.app.app_context():
        pool = db.engine.pool
    for _piece in response.response:
        assert pool.checkedout() == 0  # type: ignore[attr-defined]


@pytest.mark.usefixtures("pieces_of_two")
@pytest.mark.parametrize("order", ["", "&order_by=metrics.auc", "&order_by=params.depth"])
def test_statements_per_piece_do_not_grow(api: Api, browser: Browser, order: str) -> None:
    fill(api, 8)
    path = f"{browser.base}/experiments/0/export.csv?filter=metrics.auc+>=+0{order}"
    browser.raw(path)
    with counted_statements(browser.forge.app) as statements:
        pieces = iter(browser.client.get(path).response)
        counts = []
        for _piece in pieces:
            counts.append(len(statements))
            statements.clear()
    # The head is made with the first piece; only the last has to look whether there is more.
    _head, first, second, third, last = counts
    assert second == third <= 12
    assert last <= third + 1
    assert not first


def test_a_download_changes_nothing(api: Api, browser: Browser) -> None:
    fill(api, 3)
    with counted_statements(browser.forge.app) as statements:
        browser.raw("experiments/0/export.csv")
    assert {each.split()[0] for each in statements} <= {"SELECT", "WITH"}


@pytest.mark.parametrize("suffix", FORMATS)
def test_who_asks_for_the_head_alone_gets_no_candidates(
    api: Api, browser: Browser, suffix: str
) -> None:
    log(api)
    response = browser.raw(f"experiments/0/export.{suffix}", method="HEAD")
    assert (response.status_code, response.data) == (200, b"")
    assert "Content-Disposition" in response.headers


def test_the_page_of_the_experiment_leads_to_the_exports(api: Api, browser: Browser) -> None:
    log(api, metrics={"auc": 1})
    page: Page = browser.get("experiments/0?filter=metrics.auc+>+0&order_by=metrics.auc+DESC")
    links = {each["href"] for each in page.all("a") if "/export." in each["href"]}
    assert len(links) == 2
    for link in links:
        assert len(browser.raw(link).data.splitlines()) in (2, 3)


@pytest.mark.usefixtures("pieces_of_two")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_forge_of_another_make_streams_too(tmp_path: Path, database_url: str) -> None:
    small = SmallForge(tmp_path, f"sqlite:///{tmp_path / 'forge.sqlite3'}")
    project, user = small.add_project("public"), small.add_user()
    small.add_member(project, user, Ability.WRITE)
    credential = small.add_token(user, "basic", None)
    name = f"{credential.username}:{credential.secret}".encode()
    basic = {"Authorization": f"Basic {b64encode(name).decode()}"}
    fill(Api(small.app, project.id, basic), 5)
    with small.app.test_client() as client:
        response = client.get(f"/{project.path}/-/ml/experiments/0/export.csv")
        assert [row["iid"] for row in rows_of(response)] == ["5", "4", "3", "2", "1"]
    pool = small.db.get_bind().pool
    assert pool.checkedout() == 0
