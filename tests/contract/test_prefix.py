"""A forge that is mounted below a path of its host, as with gunicorn's SCRIPT_NAME."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from gitlab_mlops.blueprints.web.page import ROUTES
from host_stub import create_app
from host_stub.database import db
from tests.browsing import Browser, log
from tests.contract.test_pages_access import address, filled
from tests.factories import Api, Forge

PREFIX = "/forge"
# What makes the browser ask for something: addresses in elements, and for scripts in data.
ADDRESS = re.compile(r"""\b(?:href|src|action|hx-get|hx-post|data-[\w-]+)=["'](/[^"']*)""")


@dataclass
class Below:
    """A WSGI application that has nothing but the forge below `PREFIX`."""

    app: Callable[..., Iterable[bytes]]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if not path.startswith(f"{PREFIX}/"):
            start_response("404 Not Found", [("X-Outside", path)])
            return [b""]
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = PREFIX, path.removeprefix(PREFIX)
        return self.app(environ, start_response)


@dataclass
class ApiBelow(Api):
    """The API there."""

    @property
    def base(self) -> str:
        return PREFIX + super().base


@pytest.fixture
def below(app: Flask, config: dict[str, Any]) -> Iterator[Forge]:
    """The forge of the other tests, once more, below a path."""
    mounted = create_app({**config, "APPLICATION_ROOT": PREFIX})
    mounted.wsgi_app = Below(mounted.wsgi_app)  # type: ignore[method-assign, assignment]
    yield Forge(mounted)
    with mounted.app_context():
        db.session.remove()
        db.engine.dispose()


def reader(below: Forge, project_id: int, role: str = "owner") -> Browser:
    """A browser of a member; paths are those that a page shows."""
    browser = Browser.open(below, project_id, below.member(project_id, role))
    browser.base = PREFIX + browser.base
    return browser


def outside(html: str) -> set[str]:
    """Addresses of this host in the HTML that are not below the prefix."""
    return {
        found
        for found in map(unescape, ADDRESS.findall(html))
        if not found.startswith(f"{PREFIX}/")
    }


def test_every_address_on_every_page_is_below_the_path(forge: Forge, below: Forge) -> None:
    api = filled(forge, "private")
    log(api, tags={"mlflow.note.content": "See [candidate:1]."})
    browser = reader(below, api.project_id)
    wrong: dict[str, Any] = {}
    for route in ROUTES:
        if route.method != "GET":
            continue
        response = browser.raw(address(route))
        html = response.get_data(as_text=True) if response.mimetype == "text/html" else ""
        there = urlsplit(response.headers.get("Location", f"{PREFIX}/")).path
        if found := outside(html) | ({there} if not there.startswith(f"{PREFIX}/") else set()):
            wrong[address(route)] = found
    assert wrong == {}


def test_style_sheets_and_scripts_are_found_there(below: Forge) -> None:
    page = reader(below, below.project()).get("experiments")
    assert page.status == 200
    files = [each["href"] for each in page.all("link", rel="stylesheet")]
    files += [each["src"] for each in page.all("script") if "src" in each.attributes]
    assert any("/-/mlops/static/" in file for file in files)
    for file in files:
        assert below.app.test_client().get(file, buffered=True).status_code == 200


def test_the_tracking_uri_on_the_page_works(below: Forge) -> None:
    project = below.project()
    page = reader(below, project).get("experiments")
    (uri,) = set(re.findall(r"http://localhost[^\s\"'&<]*/ml/mlflow", page.html))
    api = below.api(project, below.token(below.member(project, "developer")))
    there = ApiBelow(below.app, project, api.headers)
    assert urlsplit(uri).path == there.base
    run_id = log(there, metrics={"loss": 1.0})
    assert there.get("runs/get", run_id=run_id)["run"]["info"]["run_id"] == run_id


def test_whoever_opens_the_tracking_uri_comes_to_the_pages(below: Forge) -> None:
    project = below.project("public")
    path = f"{PREFIX}/api/v4/projects/{below.path(project).replace('/', '%2F')}/ml/mlflow"
    answer = below.app.test_client().get(path, headers={"Accept": "text/html"})
    assert answer.headers["Location"] == f"{PREFIX}/{below.path(project)}/-/ml/experiments"


def test_whoever_has_to_sign_in_comes_back(below: Forge) -> None:
    project = below.project()
    page = f"{PREFIX}/{below.path(project)}/-/ml/experiments"
    answer = below.app.test_client().get(f"{page}?view=deleted")
    where = urlsplit(answer.headers["Location"])
    assert where.path == f"{PREFIX}/users/sign_in"
    assert "%2Fforge%2F" in where.query or f"next={PREFIX}/" in where.query


def test_parts_of_large_artifacts_are_sent_below_the_path(below: Forge) -> None:
    project = below.project()
    token = below.token(below.member(project, "developer"))
    api = ApiBelow(below.app, project, {"Authorization": f"Bearer {token}"})
    run_id = log(api)
    place = f"/api/2.0/mlflow-artifacts/mpu/{{}}/0/{run_id}/artifacts"
    made = api.post(place.format("create"), path="big.bin", num_parts=1)
    (part,) = made["credentials"]
    client = below.app.test_client()
    assert urlsplit(part["url"]).path.startswith(api.base)
    answer = client.put(urlsplit(part["url"]).path, data=b"x" * 10)
    assert answer.status_code == 200
    etag = answer.headers["ETag"]
    api.post(
        place.format("complete"),
        path="big.bin",
        upload_id=made["upload_id"],
        parts=[{"part_number": 1, "etag": etag, "url": part["url"]}],
    )
    listed = api.get("artifacts/list", run_id=run_id)
    assert [each["path"] for each in listed["files"]] == ["big.bin"]


def test_references_lead_below_the_path(below: Forge) -> None:
    project = below.project()
    token = below.token(below.member(project, "developer"))
    log(ApiBelow(below.app, project, {"Authorization": f"Bearer {token}"}))
    browser = reader(below, project)
    front = browser.base.removesuffix("/-/ml")
    new = browser.get(f"{front}/-/issues/new")
    assert new.status == 200
    form = {"title": "A", "description": "See [candidate:1].", "csrf_token": "token-of-the-session"}
    made = browser.client.post(f"{front}/-/issues/new", data=form)
    issue = browser.get(urlsplit(made.headers["Location"]).path)
    assert issue.status == 200
    assert f"{front}/-/ml/candidates/1" in {each["href"] for each in issue.all("a")}
    assert outside(issue.html) == set()
    candidate = browser.get("candidates/1")
    assert f"{front}/-/issues/1" in {each.attributes.get("href") for each in candidate.all("a")}
