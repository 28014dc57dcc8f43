"""`/mlflow-artifacts/artifacts` and `/mlflow/artifacts/list`: it works, then the refusals."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete
from werkzeug.test import TestResponse

from gitlab_mlops.errors import MLOpsError, StorageFull, Unavailable
from gitlab_mlops.models import Candidate
from gitlab_mlops.services import artifacts
from gitlab_mlops.storage import Entry, Storage
from host_stub.database import db
from tests import s3
from tests.factories import Api, Forge

BASE = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


@pytest.fixture
def root(api: Api) -> str:
    """The path of a fresh run's artifacts."""
    return f"0/{api.create_run()}/artifacts"


def put(api: Api, path: str, body: bytes = b"hello", **options: Any) -> TestResponse:
    return api.call("PUT", f"{BASE}/{path}", data=body, **options)


def get(api: Api, path: str, **headers: str) -> TestResponse:
    return api.call("GET", f"{BASE}/{path}", headers=headers, buffered=True)


def listing(api: Api, path: str) -> dict[str, Any]:
    answer = api.call("GET", BASE, query_string={"path": path})
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_file_comes_back_as_it_went(api: Api, root: str) -> None:
    body = bytes(range(256)) * 5000
    answer = put(api, f"{root}/deep/er/model.bin", body)
    assert (answer.status_code, answer.get_json()) == (200, {})
    found = get(api, f"{root}/deep/er/model.bin")
    assert (found.status_code, found.data) == (200, body)
    assert found.headers["Content-Length"] == str(len(body))


def test_a_listing_has_names_relative_to_the_folder(api: Api, root: str) -> None:
    put(api, f"{root}/b.txt", b"12345")
    put(api, f"{root}/a/x.txt", b"1")
    put(api, f"{root}/a/empty", b"")
    assert listing(api, root) == {
        "files": [
            {"path": "a", "is_dir": True},
            {"path": "b.txt", "is_dir": False, "file_size": 5},
        ]
    }
    assert listing(api, f"{root}/a/") == {
        "files": [
            {"path": "empty", "is_dir": False},
            {"path": "x.txt", "is_dir": False, "file_size": 1},
        ]
    }


@pytest.mark.parametrize("path", ["", "/nope", "/b.txt", "/b.txt/below"])
def test_no_folder_lists_as_nothing(api: Api, root: str, path: str) -> None:
    if path:
        put(api, f"{root}/b.txt")
    assert listing(api, root + path) == {}


def test_a_run_lists_its_folders_with_whole_paths(api: Api, root: str) -> None:
    run_id = root.split("/")[1]
    root_uri = f"mlflow-artifacts:/{root}"
    assert api.get("artifacts/list", run_id=run_id) == {"root_uri": root_uri}
    put(api, f"{root}/a/x.txt", b"1")
    assert api.get("artifacts/list", run_uuid=run_id) == {
        "root_uri": root_uri,
        "files": [{"path": "a", "is_dir": True}],
    }
    query = {"run_id": run_id, "path": "a", "page_token": "x"}
    assert api.call("GET", "artifacts/list", query_string=query).get_json() == {
        "root_uri": root_uri,
        "files": [{"path": "a/x.txt", "is_dir": False, "file_size": 1}],
    }


def test_a_folder_that_is_too_large_for_one_list_says_so(
    api: Api, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "MAX_LISTED", 2)
    for name in ("a/1", "a/2", "b"):
        put(api, f"{root}/{name}")
    run = {"run_id": root.split("/")[1]}
    assert len(listing(api, root)["files"]) == 2
    assert len(api.get("artifacts/list", **run)["files"]) == 2
    put(api, f"{root}/c")
    # Clients would take a part of it for all, and never miss the rest.
    for path, query in ((BASE, {"path": root}), ("artifacts/list", run)):
        answer = api.call("GET", path, query_string=query)
        assert answer.status_code == 400
        assert "over 2 entries" in answer.get_json()["message"]
    assert len(listing(api, f"{root}/a")["files"]) == 2
    assert get(api, f"{root}/c").data == b"hello"


def test_a_run_that_is_missing_has_no_list(api: Api) -> None:
    refusal = api.refused("GET", "artifacts/list", query_string={"run_id": "0" * 32})
    assert refusal == (404, "RESOURCE_DOES_NOT_EXIST")
    assert api.refused("GET", "artifacts/list") == (400, "INVALID_PARAMETER_VALUE")


def test_a_path_out_of_the_run_is_refused_by_its_list(api: Api, root: str) -> None:
    query = {"run_id": root.split("/")[1], "path": "../other"}
    refusal = api.refused("GET", "artifacts/list", query_string=query)
    assert refusal == (400, "INVALID_PARAMETER_VALUE")


def test_a_missing_file_is_not_found_and_a_folder_is_no_file(api: Api, root: str) -> None:
    put(api, f"{root}/a/x.txt")
    missing = get(api, f"{root}/nope")
    assert (missing.status_code, missing.get_json()) == (
        404,
        {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": f"No such artifact: '{root}/nope'"},
    )
    for folder in (root, f"{root}/", f"{root}/a", f"{root}/a/"):
        assert api.refused("GET", f"{BASE}/{folder}") == (400, "INVALID_PARAMETER_VALUE")


def test_a_file_or_a_folder_is_deleted_and_what_is_not_there_stays_so(api: Api, root: str) -> None:
    for path in ("a/x", "a/b/y", "ab", "c"):
        put(api, f"{root}/{path}")
    for path in ("a", "c", "nope", "ab/below"):
        answer = api.call("DELETE", f"{BASE}/{root}/{path}")
        assert (answer.status_code, answer.get_json()) == (200, {})
    assert [file["path"] for file in listing(api, root)["files"]] == ["ab"]
    api.call("DELETE", f"{BASE}/{root}/")
    assert listing(api, root) == {}


def test_a_new_upload_replaces_the_file(api: Api, root: str) -> None:
    put(api, f"{root}/f", b"old")
    put(api, f"{root}/f", b"newer")
    assert get(api, f"{root}/f").data == b"newer"


def test_a_file_and_a_folder_cannot_have_one_name(api: Api, root: str) -> None:
    put(api, f"{root}/a/x")
    put(api, f"{root}/f")
    for path in ("a", "f/below", "f/far/below"):
        assert api.refused("PUT", f"{BASE}/{root}/{path}", data=b"x") == (
            400,
            "INVALID_PARAMETER_VALUE",
        )
    assert [file["path"] for file in listing(api, root)["files"]] == ["a", "f"]


@pytest.mark.parametrize(
    "name", ["r%C3%A9sum%C3%A9.txt", "with%20space", "a%2Bb", "100%25", "%E6%A8%A1", "a%22b"]
)
def test_names_of_all_kinds_can_be_written_listed_and_read(api: Api, root: str, name: str) -> None:
    assert put(api, f"{root}/{name}").status_code == 200
    listed = listing(api, root)["files"][0]["path"]
    assert get(api, f"{root}/{name}").data == b"hello"
    assert listed != name


@pytest.mark.parametrize("name", ["a%23b", "a%3Fb", "a%5Cb", "a%00b", "a%ffb", "c%3A/x"])
def test_a_name_that_would_poison_the_listing_is_refused(api: Api, root: str, name: str) -> None:
    assert api.refused("PUT", f"{BASE}/{root}/{name}", data=b"x") == (
        400,
        "INVALID_PARAMETER_VALUE",
    )
    assert listing(api, root) == {}


@pytest.mark.parametrize(
    ("wanted", "body", "content_range"),
    [
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=8-99", b"89", "bytes 8-9/10"),
        ("bytes=-99", b"0123456789", "bytes 0-9/10"),
    ],
)
def test_a_range_is_answered_alone(
    api: Api, root: str, wanted: str, body: bytes, content_range: str
) -> None:
    put(api, f"{root}/f", b"0123456789")
    found = get(api, f"{root}/f", Range=wanted)
    assert (found.status_code, found.data) == (206, body)
    assert found.headers["Content-Range"] == content_range
    assert found.headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=99-100"])
def test_a_range_outside_of_the_file_is_refused_with_its_size(
    api: Api, root: str, wanted: str
) -> None:
    put(api, f"{root}/f", b"0123456789")
    found = get(api, f"{root}/f", Range=wanted)
    assert (found.status_code, found.headers["Content-Range"]) == (416, "bytes */10")


@pytest.mark.parametrize("wanted", ["bytes=0-1,4-5", "lines=0-1", "nonsense", "bytes=4-2"])
def test_what_is_not_one_range_of_bytes_gets_the_whole_file(
    api: Api, root: str, wanted: str
) -> None:
    put(api, f"{root}/f", b"0123456789")
    found = get(api, f"{root}/f", Range=wanted)
    assert (found.status_code, found.data) == (200, b"0123456789")


def test_a_download_is_resumed_only_of_the_same_file(api: Api, root: str) -> None:
    put(api, f"{root}/f", b"0123456789")
    etag = get(api, f"{root}/f").headers["ETag"]
    same = get(api, f"{root}/f", **{"Range": "bytes=5-", "If-Range": etag})
    assert (same.status_code, same.data) == (206, b"56789")
    put(api, f"{root}/f", b"abcdefghij")
    other = get(api, f"{root}/f", **{"Range": "bytes=5-", "If-Range": etag})
    assert (other.status_code, other.data) == (200, b"abcdefghij")


def test_head_tells_about_the_file_and_sends_nothing(api: Api, root: str) -> None:
    put(api, f"{root}/f", b"0123456789")
    found = api.call("HEAD", f"{BASE}/{root}/f")
    assert (found.status_code, found.data) == (200, b"")
    assert found.headers["Content-Length"] == "10"
    assert found.headers["ETag"] == get(api, f"{root}/f").headers["ETag"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("page.html", "application/octet-stream"),
        ("image.svg", "application/octet-stream"),
        ("data.xml", "application/octet-stream"),
        ("MLmodel", "application/octet-stream"),
        ("plot.PNG", "image/png"),
        ("notes.txt", "text/plain"),
    ],
)
def test_a_browser_saves_every_file_and_runs_none(
    api: Api, root: str, name: str, kind: str
) -> None:
    put(api, f"{root}/{name}", b"<script>alert(1)</script>", headers={"Content-Type": "text/html"})
    headers = get(api, f"{root}/{name}").headers
    assert headers["Content-Type"].startswith(kind)
    assert headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox")


def test_a_name_is_quoted_in_the_header(api: Api, root: str) -> None:
    put(api, f"{root}/r%C3%A9%22.txt")
    header = get(api, f"{root}/r%C3%A9%22.txt").headers["Content-Disposition"]
    assert header == 'attachment; filename="r?\\".txt"; filename*=UTF-8\'\'r%C3%A9%22.txt'


def test_a_run_in_the_trash_is_read_and_not_written(api: Api, root: str) -> None:
    put(api, f"{root}/f")
    api.post("runs/delete", run_id=root.split("/")[1])
    assert get(api, f"{root}/f").data == b"hello"
    assert len(listing(api, root)["files"]) == 1
    for method in ("PUT", "DELETE"):
        assert api.refused(method, f"{BASE}/{root}/f", data=b"x") == (
            400,
            "INVALID_PARAMETER_VALUE",
        )
    assert get(api, f"{root}/f").data == b"hello"


@pytest.mark.parametrize(
    "path",
    [
        "0/{other}/artifacts/f",
        "1/{own}/artifacts/f",
        "00/{own}/artifacts/f",
        "0/{upper}/artifacts/f",
        "0/{own}/f",
        "0/{own}",
        "{own}/artifacts/f",
        "f",
        "99999999999/{own}/artifacts/f",
        "models/m-1/artifacts/f",
        ".uploads/1/1",
    ],
)
def test_nothing_is_outside_of_a_run_of_this_project(
    forge: Forge, api: Api, root: str, path: str
) -> None:
    stranger = forge.developer()
    other, own = stranger.create_run(), root.split("/")[1]
    put(stranger, f"0/{other}/artifacts/f", b"secret")
    path = path.format(other=other, own=own, upper=own.upper())
    for method in ("GET", "PUT", "DELETE"):
        assert api.refused(method, f"{BASE}/{path}") == (404, "RESOURCE_DOES_NOT_EXIST")
    query = {"path": path}
    assert api.refused("GET", BASE, query_string=query) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert get(stranger, f"0/{other}/artifacts/f").data == b"secret"


def test_a_reader_downloads_and_does_not_write(forge: Forge, api: Api, root: str) -> None:
    put(api, f"{root}/f")
    reporter = forge.api(api.project_id, forge.token(forge.member(api.project_id, "reporter")))
    assert get(reporter, f"{root}/f").data == b"hello"
    for method in ("PUT", "DELETE"):
        assert reporter.refused(method, f"{BASE}/{root}/f", data=b"x") == (403, "PERMISSION_DENIED")
    assert get(api, f"{root}/f").data == b"hello"


def test_a_file_over_the_limit_is_refused_at_once_and_while_it_comes(
    api: Api, root: str, small_limit: None
) -> None:
    assert put(api, f"{root}/fits", b"x" * 1000).status_code == 200
    refusal = api.refused("PUT", f"{BASE}/{root}/big", data=b"x" * 1001)
    assert refusal == (413, "INVALID_PARAMETER_VALUE")
    refusal = api.refused(
        "PUT",
        f"{BASE}/{root}/big",
        input_stream=io.BytesIO(b"x" * 1001),
        environ_overrides={"CONTENT_LENGTH": "", "wsgi.input_terminated": True},
    )
    assert refusal == (413, "INVALID_PARAMETER_VALUE")
    assert [file["path"] for file in listing(api, root)["files"]] == ["fits"]


@pytest.fixture
def small_limit(forge: Forge) -> Iterator[None]:
    """The operator takes 1,000 bytes at most."""
    extensions = forge.app.extensions
    mount = extensions["mlops"]
    settings = replace(mount.settings, max_artifact_bytes=1000)
    extensions["mlops"] = replace(mount, settings=settings)
    yield
    extensions["mlops"] = mount


def test_a_body_that_is_cut_off_stores_nothing(api: Api, root: str) -> None:
    put(api, f"{root}/f", b"old")
    refusal = api.refused(
        "PUT",
        f"{BASE}/{root}/f",
        input_stream=io.BytesIO(b"short"),
        environ_overrides={"CONTENT_LENGTH": "10"},
    )
    assert refusal == (400, "INVALID_PARAMETER_VALUE")
    assert get(api, f"{root}/f").data == b"old"


def test_no_transaction_is_open_while_bytes_come(api: Api, root: str) -> None:
    open_during_put = []

    class Body(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            open_during_put.append(db.session().in_transaction())
            return super().read(size)

    body = b"x" * 1000
    api.call("PUT", f"{BASE}/{root}/f", input_stream=Body(body))
    assert open_during_put
    assert not any(open_during_put)
    assert get(api, f"{root}/f").data == body


def test_a_run_that_is_deleted_for_good_while_bytes_come_leaves_no_file(
    forge: Forge, api: Api, root: str
) -> None:
    class Body(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            db.session.execute(delete(Candidate).where(Candidate.eid == root.split("/")[1]))
            db.session.commit()
            return super().read(size)

    refusal = api.refused("PUT", f"{BASE}/{root}/f", input_stream=Body(b"x"))
    assert refusal == (404, "RESOURCE_DOES_NOT_EXIST")
    storage = forge.app.extensions["mlops"].storage
    assert list(storage.walk(f"{api.project_id}/{root}")) == []


def test_presigned_downloads_are_not_offered(api: Api, root: str) -> None:
    answer = api.call("GET", f"/api/2.0/mlflow-artifacts/presigned/{root}/f")
    assert answer.status_code == 501
    assert answer.get_json()["error_code"] == "NOT_IMPLEMENTED"


def test_the_server_tells_what_it_can(forge: Forge, api: Api) -> None:
    anybody = forge.api(api.project_id, None)
    info = anybody.get("/api/3.0/mlflow/server-info")
    assert info == {
        "store_type": "SqlStore",
        "workspaces_enabled": False,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": True,
        "multipart_downloads_enabled": False,
    }


def test_the_api_is_the_same_over_s3(forge: Forge, api: Api, root: str, tmp_path: Path) -> None:
    mount = forge.app.extensions["mlops"]
    with s3.serve(tmp_path) as bucket:
        storage = Storage(bucket.url, bucket.options, default_folder=tmp_path)
        forge.app.extensions["mlops"] = replace(mount, storage=storage)
        try:
            put(api, f"{root}/a/x y.bin", b"0123456789")
            put(api, f"{root}/empty", b"")
            assert (bucket.folder / str(api.project_id) / root / "a/x y.bin").is_file()
            assert get(api, f"{root}/a/x%20y.bin").data == b"0123456789"
            assert get(api, f"{root}/a/x%20y.bin", Range="bytes=3-5").data == b"345"
            assert [file["path"] for file in listing(api, root)["files"]] == ["a", "empty"]
            assert api.refused("GET", f"{BASE}/{root}/a")[0] == 400
            assert api.refused("PUT", f"{BASE}/{root}/a", data=b"x")[0] == 400
            assert api.call("DELETE", f"{BASE}/{root}/a").status_code == 200
            assert [file["path"] for file in listing(api, root)["files"]] == ["empty"]
        finally:
            forge.app.extensions["mlops"] = mount


class FailingStorage(Storage):
    """A store that has no room, or is down, as `error` says."""

    error: MLOpsError

    def put(self, *_: Any, **__: Any) -> int:
        raise self.error

    def head(self, *_: Any) -> Entry:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (StorageFull("The artifact store is full."), 507, "RESOURCE_EXHAUSTED"),
        (Unavailable("The artifact store cannot be reached."), 503, "TEMPORARILY_UNAVAILABLE"),
    ],
)
def test_a_store_that_fails_is_told_apart_and_the_next_upload_works(
    forge: Forge, api: Api, root: str, error: MLOpsError, status: int, code: str
) -> None:
    mount = forge.app.extensions["mlops"]
    storage = FailingStorage("", default_folder=mount.storage.folder)
    storage.error = error
    forge.app.extensions["mlops"] = replace(mount, storage=storage)
    try:
        answer = put(api, f"{root}/f")
    finally:
        forge.app.extensions["mlops"] = mount
    assert (answer.status_code, answer.get_json()["error_code"]) == (status, code)
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert put(api, f"{root}/f").status_code == 200


@pytest.mark.parametrize("path", ["..", "a/%2e%2e/b", "a%23b"])
def test_presigned_downloads_out_of_the_run_are_refused_first(
    api: Api, root: str, path: str
) -> None:
    target = f"/api/2.0/mlflow-artifacts/presigned/{root}/{path}"
    assert api.refused("GET", target) == (400, "INVALID_PARAMETER_VALUE")
