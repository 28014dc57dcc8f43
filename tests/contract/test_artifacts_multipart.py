"""`/mlflow-artifacts/mpu`: files in parallel parts, each part with an address of its own."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from mlflow.store.artifact.mlflow_artifacts_repo import MlflowArtifactsRepository
from werkzeug.test import TestResponse

from gitlab_mlops.services import tickets, uploads
from gitlab_mlops.services.tickets import Secrets
from gitlab_mlops.services.uploads import Upload
from gitlab_mlops.storage import Storage
from host_stub.database import db
from tests.factories import Api, Forge

MPU = "/api/2.0/mlflow-artifacts/mpu"
FILES = "/api/2.0/mlflow-artifacts/artifacts"
INVALID = (400, "INVALID_PARAMETER_VALUE")
MISSING = (404, "RESOURCE_DOES_NOT_EXIST")
FORBIDDEN = (403, "PERMISSION_DENIED")


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


@pytest.fixture
def root(api: Api) -> str:
    """The path of a fresh run's artifacts."""
    return f"0/{api.create_run()}/artifacts"


@pytest.fixture
def storage(forge: Forge) -> Storage:
    found: Storage = forge.app.extensions["mlops"].storage
    return found


@pytest.fixture
def changed(forge: Forge) -> Iterator[Any]:
    """A function that changes the operator's settings for this test."""
    mount = forge.app.extensions["mlops"]

    def change(**settings: Any) -> None:
        changed = replace(mount.settings, **settings)
        forge.app.extensions["mlops"] = replace(mount, settings=changed)

    yield change
    forge.app.extensions["mlops"] = mount


def post(api: Api, route: str, **body: Any) -> dict[str, Any]:
    """POST that must succeed; the answer's JSON."""
    answer = api.call("POST", f"{MPU}/{route}", json=body)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, Any] = answer.get_json()
    return found


def begin(api: Api, root: str, parts: int = 2, path: str = "/home/me/big.bin") -> dict[str, Any]:
    """A new upload to a folder."""
    return post(api, f"create/{root}", path=path, num_parts=parts)


def send(api: Api, credential: dict[str, Any], body: bytes) -> TestResponse:
    """PUT a part as the client does: to the address as it is, without any token."""
    url = urlsplit(credential["url"])
    return api.app.test_client().put(url.path, data=body, headers=credential.get("headers"))


def send_all(api: Api, upload: dict[str, Any], *bodies: bytes) -> list[dict[str, Any]]:
    """PUT all parts; what the client then names them by."""
    sent = []
    for credential, body in zip(upload["credentials"], bodies, strict=True):
        answer = send(api, credential, body)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        number = credential["part_number"]
        url = credential["url"]
        sent.append({"part_number": number, "etag": answer.headers["ETag"], "url": url})
    return sent


def completion(upload: dict[str, Any], parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"path": "/home/me/big.bin", "upload_id": upload["upload_id"], "parts": parts}


def listed(api: Api, root: str) -> list[str]:
    answer = api.call("GET", FILES, query_string={"path": root}).get_json()
    return [file["path"] for file in answer.get("files", [])]


def waiting(storage: Storage, api: Api) -> list[str]:
    """Names of the parts that wait, and of the marks of what is done."""
    return [entry.name for entry in storage.walk(f"{api.project_id}/.uploads")]


def secrets_of(forge: Forge) -> Secrets:
    return [str(forge.app.secret_key).encode()]


def test_parts_become_the_artifact_and_go(api: Api, root: str, storage: Storage) -> None:
    upload = begin(api, f"{root}/deep", 3)
    assert [part["part_number"] for part in upload["credentials"]] == [1, 2, 3]
    parts = send_all(api, upload, b"a" * 100_000, b"b" * 100_000, b"c")
    assert listed(api, root) == []
    assert post(api, f"complete/{root}/deep", **completion(upload, parts)) == {}
    found = api.call("GET", f"{FILES}/{root}/deep/big.bin", buffered=True)
    assert found.data == b"a" * 100_000 + b"b" * 100_000 + b"c"
    assert [name.rpartition("/")[2] for name in waiting(storage, api)] == ["done"]


def test_parts_may_come_in_any_order_and_twice(api: Api, root: str) -> None:
    upload = begin(api, root)
    first, second = upload["credentials"]
    send(api, second, b"2")
    send(api, first, b"wrong")
    parts = send_all(api, upload, b"1", b"2")
    post(api, f"complete/{root}", **completion(upload, parts[::-1]))
    assert api.call("GET", f"{FILES}/{root}/big.bin", buffered=True).data == b"12"


def test_a_completion_whose_answer_was_lost_succeeds_again(api: Api, root: str) -> None:
    upload = begin(api, root)
    body = completion(upload, send_all(api, upload, b"1", b"2"))
    for _ in range(3):
        assert post(api, f"complete/{root}", **body) == {}
    assert api.call("GET", f"{FILES}/{root}/big.bin", buffered=True).data == b"12"


def test_an_aborted_upload_leaves_nothing(api: Api, root: str, storage: Storage) -> None:
    upload = begin(api, root)
    parts = send_all(api, upload, b"1", b"2")
    ids = {"path": "big.bin", "upload_id": upload["upload_id"]}
    assert post(api, f"abort/{root}", **ids) == {}
    assert waiting(storage, api) == []
    assert api.refused("POST", f"{MPU}/complete/{root}", json=completion(upload, parts)) == INVALID


def test_a_part_that_is_missing_or_another_is_refused(api: Api, root: str) -> None:
    upload = begin(api, root)
    send(api, upload["credentials"][0], b"1")
    named = [{"part_number": number, "etag": "x"} for number in (1, 2)]
    complete = f"{MPU}/complete/{root}"
    assert api.refused("POST", complete, json=completion(upload, named)) == INVALID
    parts = send_all(api, upload, b"1", b"2")
    for wrong in (parts[:1], [*parts, parts[0]], [parts[0], {**parts[1], "etag": "other"}], []):
        assert api.refused("POST", complete, json=completion(upload, wrong)) == INVALID
    assert listed(api, root) == []
    assert post(api, f"complete/{root}", **completion(upload, parts)) == {}


def test_an_upload_belongs_to_its_path(forge: Forge, api: Api, root: str) -> None:
    upload = begin(api, root)
    body = completion(upload, send_all(api, upload, b"1", b"2"))
    assert api.refused("POST", f"{MPU}/complete/{root}/elsewhere", json=body) == MISSING
    other = {**body, "path": "other.bin"}
    assert api.refused("POST", f"{MPU}/complete/{root}", json=other) == MISSING
    known = tickets.read_upload(secrets_of(forge), body["upload_id"])
    forged = {**body, "upload_id": tickets.sign_upload([b"another key"], known)}
    assert api.refused("POST", f"{MPU}/complete/{root}", json=forged) == MISSING


def test_an_upload_of_another_project_is_not_there(forge: Forge, api: Api, root: str) -> None:
    upload = begin(api, root)
    body = completion(upload, send_all(api, upload, b"1", b"2"))
    stranger = forge.developer()
    own = f"0/{stranger.create_run()}/artifacts"
    for path in (root, own):
        assert stranger.refused("POST", f"{MPU}/complete/{path}", json=body) == MISSING
    assert stranger.refused("POST", f"{MPU}/abort/{own}", json=body) == MISSING
    assert post(api, f"complete/{root}", **body) == {}


@pytest.mark.parametrize("change", ["another key", "one letter", "empty", "upload"])
def test_an_address_that_was_not_given_out_is_refused(
    forge: Forge, api: Api, root: str, storage: Storage, change: str
) -> None:
    upload = begin(api, root)
    path, _, ticket = urlsplit(upload["credentials"][0]["url"]).path.rpartition("/")
    forged = {
        "another key": tickets.sign_part([b"another key"], Upload(api.project_id, "id", "p", 1), 1),
        "one letter": "A" + ticket,
        "empty": ".",
        "upload": upload["upload_id"],
    }[change]
    answer = api.app.test_client().put(f"{path}/{forged}", data=b"x")
    assert (answer.status_code, answer.get_json()["error_code"]) == FORBIDDEN
    assert waiting(storage, api) == []


def test_an_address_expires(api: Api, root: str, changed: Any) -> None:
    upload = begin(api, root)
    changed(upload_url_seconds=-1)
    answer = send(api, upload["credentials"][0], b"x")
    assert (answer.status_code, answer.get_json()["error_code"]) == FORBIDDEN


def test_a_new_secret_key_still_takes_what_the_old_one_signed(forge: Forge) -> None:
    upload = Upload(1, "id", "path", 2)
    ticket = tickets.sign_part([b"old"], upload, 1)
    assert tickets.read_part([b"old", b"new"], ticket, 60).number == 1
    assert tickets.read_upload([b"old", b"new"], tickets.sign_upload([b"old"], upload)) == upload


def test_a_part_of_a_project_that_is_gone_is_refused(forge: Forge, api: Api) -> None:
    ticket = tickets.sign_part(secrets_of(forge), Upload(2**40, "id", "path", 1), 1)
    answer = api.app.test_client().put(f"{api.base}{MPU}/parts/{ticket}", data=b"x")
    assert (answer.status_code, answer.get_json()["error_code"]) == MISSING


def test_who_may_not_write_any_more_cannot_send_parts(forge: Forge) -> None:
    project = forge.project()
    user = forge.member(project, "developer")
    api = forge.api(project, forge.token(user))
    upload = begin(api, f"0/{api.create_run()}/artifacts")
    assert send(api, upload["credentials"][0], b"x").status_code == 200
    forge.add_member(project, user, "reporter")
    assert send(api, upload["credentials"][1], b"x").status_code == 403


def test_a_part_that_is_cut_off_is_not_stored(api: Api, root: str, storage: Storage) -> None:
    upload = begin(api, root)
    url = urlsplit(upload["credentials"][0]["url"]).path
    answer = api.app.test_client().put(
        url, data=b"short", environ_overrides={"CONTENT_LENGTH": "10"}
    )
    assert answer.status_code == 400
    assert waiting(storage, api) == []


def test_all_parts_together_are_held_to_the_limit_of_a_single_file(
    api: Api, root: str, storage: Storage, changed: Any
) -> None:
    changed(max_artifact_bytes=10)
    upload = begin(api, root)
    first, second = upload["credentials"]
    assert send(api, first, b"x" * 11).status_code == 413
    assert send(api, first, b"x" * 6).status_code == 200
    for _ in range(2):
        assert send(api, second, b"x" * 5).status_code == 413
    # A part that is sent again takes the place of the first.
    assert send(api, first, b"y" * 5).status_code == 200
    assert send(api, second, b"x" * 5).status_code == 200
    assert sorted(entry.size for entry in storage.walk(f"{api.project_id}/.uploads")) == [5, 5]
    assert listed(api, root) == []


def test_parts_whose_length_nobody_told_are_held_to_it_as_they_come(
    api: Api, root: str, storage: Storage, changed: Any
) -> None:
    changed(max_artifact_bytes=10)
    first, second = begin(api, root)["credentials"]
    assert send(api, first, b"x" * 6).status_code == 200
    answer = api.app.test_client().put(
        urlsplit(second["url"]).path,
        input_stream=io.BytesIO(b"x" * 5),
        environ_overrides={"CONTENT_LENGTH": "", "wsgi.input_terminated": True},
    )
    assert answer.status_code == 413
    assert [name.rpartition("/")[2] for name in waiting(storage, api)] == ["1"]


def test_parts_that_came_before_the_limit_do_not_become_an_artifact(
    api: Api, root: str, storage: Storage, changed: Any
) -> None:
    upload = begin(api, root)
    body = completion(upload, send_all(api, upload, b"x" * 6, b"x" * 6))
    changed(max_artifact_bytes=10)
    refusal = api.refused("POST", f"{MPU}/complete/{root}", json=body)
    assert refusal == (413, "INVALID_PARAMETER_VALUE")
    assert waiting(storage, api) == []
    assert listed(api, root) == []


def test_no_transaction_is_open_while_a_part_comes(api: Api, root: str) -> None:
    url = urlsplit(begin(api, root)["credentials"][0]["url"]).path
    seen = []

    class Body(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            seen.append(db.session().in_transaction())
            return super().read(size)

    assert api.app.test_client().put(url, input_stream=Body(b"x")).status_code == 200
    assert seen
    assert not any(seen)


@pytest.mark.parametrize("path", ["C:\\Users\\me\\big.bin", "/home/me/big.bin", "big.bin"])
def test_the_name_is_the_last_part_of_the_clients_path(api: Api, root: str, path: str) -> None:
    upload = begin(api, root, 1, path)
    parts = send_all(api, upload, b"x")
    post(api, f"complete/{root}", **{**completion(upload, parts), "path": path})
    assert listed(api, root) == ["big.bin"]


@pytest.mark.parametrize("path", ["..", "a#b", "a?b", "x/..", "", "x/"])
def test_a_name_that_cannot_be_is_refused_before_anything_is_sent(
    api: Api, root: str, path: str
) -> None:
    body = {"path": path, "num_parts": 1}
    assert api.refused("POST", f"{MPU}/create/{root}", json=body) == INVALID


@pytest.mark.parametrize("parts", [-1, 10_001])
def test_a_number_of_parts_that_cannot_be_is_refused(api: Api, root: str, parts: int) -> None:
    body = {"path": "f", "num_parts": parts}
    assert api.refused("POST", f"{MPU}/create/{root}", json=body) == INVALID


def test_readers_and_strangers_begin_nothing(forge: Forge, api: Api, root: str) -> None:
    body = {"path": "f", "num_parts": 1}
    reporter = forge.api(api.project_id, forge.token(forge.member(api.project_id, "reporter")))
    assert reporter.refused("POST", f"{MPU}/create/{root}", json=body) == FORBIDDEN
    other = forge.developer()
    assert other.refused("POST", f"{MPU}/create/{root}", json=body) == MISSING
    api.post("runs/delete", run_id=root.split("/")[1])
    assert api.refused("POST", f"{MPU}/create/{root}", json=body) == INVALID


def test_without_multipart_the_client_is_told_in_the_words_it_knows(
    api: Api, root: str, changed: Any
) -> None:
    changed(multipart_uploads=False)
    answer = api.call("POST", f"{MPU}/create/{root}", json={"path": "f", "num_parts": 1})
    assert answer.status_code == 501
    assert answer.get_json()["message"].startswith(
        "Multipart upload is not supported for the current artifact repository"
    )
    assert api.get("/api/3.0/mlflow/server-info")["multipart_uploads_enabled"] is False


def test_uploads_that_stand_still_are_swept_and_others_stay(
    api: Api, root: str, storage: Storage
) -> None:
    old, new = begin(api, root), begin(api, root, path="new.bin")
    for upload in (old, new):
        send_all(api, upload, b"1", b"2")
    send(api, begin(api, root, 1, "third.bin")["credentials"][0], b"3")
    assert storage.folder is not None
    secrets = [str(api.app.secret_key).encode()]
    left = tickets.read_upload(secrets, old["upload_id"])
    for part in (storage.folder / left.folder).iterdir():
        os.utime(part, (0, 0))
    before = len(waiting(storage, api))
    assert uploads.sweep(storage, 3600) == 1
    assert len(waiting(storage, api)) == before - 2
    assert not storage.has_below(left.folder)


def test_the_stock_client_uploads_in_parts(
    live_url: str, forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = forge.developer()
    run_id = api.create_run()
    for name, value in {
        "MLFLOW_TRACKING_TOKEN": api.headers["Authorization"].removeprefix("Bearer "),
        "MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE": "1",
        "MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE": str(5 * 2**20),
    }.items():
        monkeypatch.setenv(name, value)
    body = os.urandom(12 * 2**20)
    (tmp_path / "big.bin").write_bytes(body)
    repository = MlflowArtifactsRepository(
        f"mlflow-artifacts:/0/{run_id}/artifacts", tracking_uri=live_url + api.base
    )
    sent: list[str] = []
    original = repository._upload_part

    def upload_part(credential: Any, *args: Any, **options: Any) -> Any:
        sent.append(credential.url)
        return original(credential, *args, **options)

    monkeypatch.setattr(repository, "_upload_part", upload_part)
    repository.log_artifact(str(tmp_path / "big.bin"), "weights")
    assert len(sent) == 3
    assert all(url.startswith(live_url + api.base) for url in sent)
    assert [file.path for file in repository.list_artifacts("weights")] == ["weights/big.bin"]
    fetched = repository.download_artifacts("weights/big.bin", str(tmp_path))
    assert Path(fetched).read_bytes() == body
