"""A folder of artifacts, downloaded as a zip file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from gitlab_mlops.errors import NotFound
from gitlab_mlops.services import archive
from gitlab_mlops.storage import Entry, Storage
from host_stub.database import db
from tests.browsing import Browser, upload
from tests.factories import Api, Forge


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        return {name: found.read(name) for name in found.namelist()}


def test_a_folder_is_downloaded_as_a_zip_file(
    api: Api, browser: Browser, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(api.app.after_request_funcs, None, [])  # nothing comes from the forge
    upload(api, run_id, "my model/MLmodel", b"flavors: {}")
    upload(api, run_id, "my model/data/ü.bin", b"x" * 3000)
    upload(api, run_id, "other.txt")
    url = browser.get("candidates/1/files?path=my model").link("Download as zip")
    answer = browser.raw(url)
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="my model.zip"'
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert unpacked(answer.data) == {
        "my model/MLmodel": b"flavors: {}",
        "my model/data/ü.bin": b"x" * 3000,
    }
    head = browser.raw(url, method="HEAD")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == answer.headers["Content-Length"]


def test_all_artifacts_are_downloaded_under_the_number_of_the_candidate(
    api: Api, browser: Browser, run_id: str
) -> None:
    upload(api, run_id, "a/b.txt")
    answer = browser.raw(browser.get("candidates/1/files").link("Download as zip"))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="candidate-1.zip"'
    assert unpacked(answer.data) == {"candidate-1/a/b.txt": b"hello"}


@pytest.mark.parametrize("path", ["archive", "archive?path=nothing", "archive?path=file.txt"])
def test_what_is_no_folder_is_not_found(
    forge: Forge, api: Api, browser: Browser, run_id: str, path: str
) -> None:
    if "file" in path:
        upload(api, run_id, "file.txt")
    assert browser.raw(f"candidates/1/{path}").status_code == 404


def test_too_many_files_are_refused_with_what_to_do(
    api: Api, browser: Browser, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "MAX_FILES", 2)
    for number in range(3):
        upload(api, run_id, f"a b/{number}")
    page = browser.get("candidates/1/archive?path=a b")
    assert page.status == 400
    command = f"mlflow artifacts download --run-id {run_id} --artifact-path 'a b' --dst-path ."
    assert command in page.text


class LosingStorage(Storage):
    """A store that loses every file as soon as it has listed them."""

    def __init__(self, storage: Storage) -> None:
        self.folder, self._store = storage.folder, storage._store

    def walk(self, prefix: str, page_size: int = 1000) -> Iterator[Entry]:
        found = list(super().walk(prefix, page_size))
        for entry in found:
            self.delete(f"{prefix}/{entry.name}")
        yield from found


def test_a_file_that_vanishes_breaks_the_download(
    app: Flask, api: Api, browser: Browser, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(api, run_id, "a.txt")
    mount = app.extensions["mlops"]
    losing = replace(mount, storage=LosingStorage(mount.storage))
    monkeypatch.setitem(app.extensions, "mlops", losing)
    # The server in front of the application cuts the connection for what it raises by now.
    with pytest.raises(NotFound):
        browser.raw("candidates/1/archive")


def test_no_connection_waits_while_an_archive_is_sent(
    app: Flask, api: Api, browser: Browser, run_id: str
) -> None:
    upload(api, run_id, "a.txt", bytes(2**20))
    with app.app_context():
        pool = db.engine.pool
    held = []
    answer = browser.client.get(f"{browser.base}/candidates/1/archive", buffered=False)
    for _ in answer.iter_encoded():
        held.append(pool.checkedout())  # type: ignore[attr-defined]
    answer.close()
    assert len(held) > 2
    assert set(held) == {0}
