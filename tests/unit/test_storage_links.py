"""Addresses with which anybody gets a file from the store itself, for a while."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPMessage
from pathlib import Path

import pytest

from gitlab_mlops.errors import Invalid
from gitlab_mlops.storage import Storage
from tests import s3


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Bucket]:
    with s3.serve(tmp_path_factory.mktemp("s3")) as bucket:
        yield bucket


@pytest.fixture
def storage(bucket: s3.Bucket, tmp_path: Path) -> Storage:
    return Storage(bucket.url, bucket.options, default_folder=tmp_path)


def fetch(url: str | None) -> tuple[int, bytes, HTTPMessage]:
    """What somebody without any key gets."""
    assert url is not None
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.read(), response.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, b"", error.headers


def test_anybody_gets_the_file_with_its_address(storage: Storage) -> None:
    storage.put("1/a b/é%20.bin", [b"hello"])
    assert fetch(storage.sign("1/a b/é%20.bin", 60))[:2] == (200, b"hello")


def test_an_address_is_good_for_one_file_and_one_verb(storage: Storage) -> None:
    storage.put("1/f", [b"hello"])
    storage.put("1/g", [b"secret"])
    url = storage.sign("1/f", 60)
    assert url is not None
    assert fetch(url.replace("/1/f?", "/1/g?"))[0] == 403
    assert fetch(url.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"))[0] == 403
    assert fetch(url[:-4] + ("0000" if url[-4:] != "0000" else "1111"))[0] == 403


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("page.html", "application/octet-stream"),
        ("image.svg", "application/octet-stream"),
        ("plot.PNG", "image/png"),
        ("ü.txt", "text/plain"),
    ],
)
@pytest.mark.parametrize("size", [5, 6 * 2**20])
def test_the_store_tells_browsers_to_save_every_file(
    storage: Storage, name: str, media_type: str, size: int
) -> None:
    storage.put(f"1/{name}", [b"x" * size])
    _, body, headers = fetch(storage.sign(f"1/{name}", 60))
    assert len(body) == size
    assert headers["Content-Type"] == media_type
    assert headers["Content-Disposition"].startswith("attachment; filename=")


def test_so_it_does_of_what_was_put_together(storage: Storage) -> None:
    storage.put("1/.uploads/1", [b"<script>"])
    storage.concat(["1/.uploads/1"], "1/page.html", 8)
    _, body, headers = fetch(storage.sign("1/page.html", 60))
    assert body == b"<script>"
    assert headers["Content-Type"] == "application/octet-stream"
    assert headers["Content-Disposition"] == 'attachment; filename="page.html"'


def test_a_folder_and_memory_give_no_addresses(tmp_path: Path) -> None:
    for url in ("", "memory:///"):
        storage = Storage(url, default_folder=tmp_path)
        assert not storage.can_sign
        assert storage.sign("1/f", 60) is None


def test_a_key_that_leads_elsewhere_gets_no_address(storage: Storage) -> None:
    with pytest.raises(Invalid):
        storage.sign("1/../2", 60)
