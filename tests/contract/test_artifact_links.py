"""Downloads from the object store itself, where the operator allows them: addresses, no bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import pytest

from gitlab_mlops.storage import Storage
from tests import s3
from tests.browsing import Browser, log
from tests.factories import Api, Forge

FILES = "/api/2.0/mlflow-artifacts/artifacts"
PRESIGNED = "/api/2.0/mlflow-artifacts/presigned"
INFO = "/api/3.0/mlflow/server-info"
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")
INVALID = (400, "INVALID_PARAMETER_VALUE")
BODY = b"<script>alert(1)</script>"


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Bucket]:
    with s3.serve(tmp_path_factory.mktemp("s3")) as bucket:
        yield bucket


@pytest.fixture
def configured(forge: Forge, bucket: s3.Bucket, tmp_path: Any) -> Iterator[Any]:
    """A function that puts artifacts into the bucket, with these settings."""
    mount = forge.app.extensions["mlops"]

    def configure(**settings: Any) -> None:
        storage = Storage(bucket.url, bucket.options, default_folder=tmp_path)
        changed = replace(mount.settings, **settings)
        forge.app.extensions["mlops"] = replace(mount, storage=storage, settings=changed)

    yield configure
    forge.app.extensions["mlops"] = mount


@pytest.fixture
def api(forge: Forge, configured: Any) -> Api:
    configured(artifacts_redirect=True, artifacts_url_seconds=77)
    return forge.developer("public")


@pytest.fixture
def root(api: Api) -> str:
    """The path of the artifacts of candidate 1, which has a file."""
    root = f"0/{log(api)}/artifacts"
    assert api.call("PUT", f"{FILES}/{root}/a/x y.html", data=BODY).status_code == 200
    return root


def fetch(url: str, **headers: str) -> tuple[bytes, Any]:
    """What anybody gets from the store."""
    with urlopen(Request(url, headers=headers), timeout=10) as response:
        return response.read(), response.headers


def test_a_download_leads_to_the_store_for_a_while(api: Api, root: str) -> None:
    answer = api.call("GET", f"{FILES}/{root}/a/x y.html")
    assert (answer.status_code, answer.data) == (302, b"")
    url = answer.headers["Location"]
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["77"]
    body, headers = fetch(url)
    assert body == BODY
    # The page of another site that this is now must not be shown there either.
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"] == 'attachment; filename="x y.html"'
    assert fetch(url, Range="bytes=1-6")[0] == b"script"


def test_a_page_leads_there_too(forge: Forge, api: Api, root: str) -> None:
    answer = Browser.open(forge, api.project_id).raw("candidates/1/artifacts/a/x%20y.html")
    assert answer.status_code == 302
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert fetch(answer.headers["Location"])[0] == BODY


def test_head_and_conditions_are_answered_here(api: Api, root: str) -> None:
    head = api.call("HEAD", f"{FILES}/{root}/a/x y.html")
    assert (head.status_code, head.headers["Content-Length"]) == (200, str(len(BODY)))
    known = {"If-None-Match": head.headers["ETag"]}
    assert api.call("GET", f"{FILES}/{root}/a/x y.html", headers=known).status_code == 304


def test_newer_clients_are_told_and_get_the_address(api: Api, root: str) -> None:
    assert api.get(INFO)["multipart_downloads_enabled"] is True
    answer = api.get(f"{PRESIGNED}/{root}/a/x y.html")
    assert (answer["file_size"], answer["headers"]) == (len(BODY), {})
    assert fetch(answer["url"])[0] == BODY


@pytest.mark.parametrize("route", [FILES, PRESIGNED])
def test_there_is_no_address_of_what_is_not_there(api: Api, root: str, route: str) -> None:
    assert api.refused("GET", f"{route}/{root}/nope") == MISSING
    assert api.refused("GET", f"{route}/{root}/a") == INVALID
    assert api.refused("GET", f"{route}/{root}/../x") == INVALID
    assert api.refused("GET", f"{route}/0/{'0' * 32}/artifacts/f") == MISSING


@pytest.mark.parametrize("route", [FILES, PRESIGNED])
def test_who_may_not_read_gets_no_address(forge: Forge, route: str, configured: Any) -> None:
    configured(artifacts_redirect=True)
    api = forge.developer("private")
    file = f"0/{api.create_run()}/artifacts/f"
    api.call("PUT", f"{FILES}/{file}", data=BODY)
    assert api.call("GET", f"{route}/{file}").status_code in (200, 302)
    assert forge.developer().refused("GET", f"{route}/{file}") == MISSING
    stranger = forge.api(api.project_id, forge.token(forge.user()))
    assert stranger.refused("GET", f"{route}/{file}") == MISSING


def test_without_the_setting_bytes_go_through_the_forge(
    forge: Forge, api: Api, root: str, configured: Any
) -> None:
    configured()
    answer = api.call("GET", f"{FILES}/{root}/a/x y.html")
    assert (answer.status_code, answer.data) == (200, BODY)
    assert api.call("GET", f"{PRESIGNED}/{root}/a/x y.html").status_code == 501
    assert api.get(INFO)["multipart_downloads_enabled"] is False


def test_a_folder_of_the_disk_gives_no_addresses(forge: Forge, configured: Any) -> None:
    storage = forge.app.extensions["mlops"].storage
    configured(artifacts_redirect=True)
    mount = forge.app.extensions["mlops"]
    forge.app.extensions["mlops"] = replace(mount, storage=storage)
    api = forge.developer()
    file = f"0/{api.create_run()}/artifacts/f"
    api.call("PUT", f"{FILES}/{file}", data=BODY)
    assert api.call("GET", f"{FILES}/{file}", buffered=True).data == BODY
    assert api.call("GET", f"{PRESIGNED}/{file}").status_code == 501
    assert api.get(INFO)["multipart_downloads_enabled"] is False
