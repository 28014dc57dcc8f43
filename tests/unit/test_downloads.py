"""Files as answers, by RFC 9110: conditions, ranges and addresses, on a disk and over S3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from flask import Flask, request
from werkzeug.datastructures import Headers
from werkzeug.http import http_date

from gitlab_mlops.blueprints import downloads
from gitlab_mlops.errors import NotFound
from gitlab_mlops.storage import Entry, Storage
from tests import s3

BODY = b"0123456789"
KEY = "1/f.txt"
WHOLE = (200, BODY)


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Bucket]:
    with s3.serve(tmp_path_factory.mktemp("s3")) as bucket:
        yield bucket


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A store with one file of ten bytes."""
    if request.param == "folder":
        storage = Storage(str(tmp_path), default_folder=tmp_path)
    else:
        bucket = request.getfixturevalue("bucket")
        storage = Storage(bucket.url, bucket.options, default_folder=tmp_path)
    storage.put(KEY, [BODY])
    return storage


@pytest.fixture
def settled(tmp_path: Path) -> Storage:
    """A folder whose file was stored a while ago, so that its time tells it from others."""
    storage = Storage(str(tmp_path), default_folder=tmp_path)
    storage.put(KEY, [BODY])
    os.utime(tmp_path / KEY, (1_700_000_000, 1_700_000_000))
    return storage


STORED = http_date(1_700_000_000)
EARLIER = http_date(1_699_999_999)
LATER = http_date(1_700_000_001)


class Answer(NamedTuple):
    """What came."""

    status_code: int
    headers: Headers
    body: bytes


def answer(storage: Storage, method: str = "GET", link_seconds: int = 0, **headers: str) -> Answer:
    """What a request with these headers gets; `_` in their names stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with Flask("test").test_request_context("/", method=method, headers=named) as context:
        response = downloads.send_file(
            request,
            storage,
            KEY,
            "f.txt",
            link_seconds=link_seconds,  # type: ignore[arg-type]
        )
        body = b"".join(response.get_app_iter(context.request.environ))
        response.close()
        return Answer(response.status_code, response.headers, body)


def told(response: Answer) -> tuple[int, bytes]:
    return response.status_code, response.body


def test_a_whole_file_has_its_length_and_etag_and_offers_ranges(storage: Storage) -> None:
    found = answer(storage)
    assert told(found) == WHOLE
    assert found.headers["Content-Length"] == "10"
    assert found.headers["Accept-Ranges"] == "bytes"
    assert found.headers["ETag"] == f'"{storage.head(KEY).etag}"'
    assert found.headers["Cache-Control"] == "private, no-cache"


def test_head_is_get_without_the_bytes_and_knows_no_range(storage: Storage) -> None:
    head, whole = answer(storage, "HEAD", Range="bytes=2-4"), answer(storage)
    assert told(head) == (200, b"")
    same = ("Content-Length", "Content-Type", "ETag", "Accept-Ranges", "Content-Disposition")
    assert [head.headers[name] for name in same] == [whole.headers[name] for name in same]


@pytest.mark.parametrize(
    ("wanted", "body", "content_range"),
    [
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=8-99999999999999999999", b"89", "bytes 8-9/10"),
        ("bytes=-99", BODY, "bytes 0-9/10"),
    ],
)
def test_one_range_is_answered_alone(
    storage: Storage, wanted: str, body: bytes, content_range: str
) -> None:
    found = answer(storage, Range=wanted)
    assert told(found) == (206, body)
    assert found.headers["Content-Range"] == content_range
    assert found.headers["Content-Length"] == str(len(body))
    assert found.headers["ETag"] == answer(storage).headers["ETag"]


@pytest.mark.parametrize("wanted", ["bytes=10-", "bytes=99-100"])
def test_a_range_outside_of_the_file_is_refused_with_its_size(
    storage: Storage, wanted: str
) -> None:
    found = answer(storage, Range=wanted)
    assert told(found) == (416, b"")
    assert found.headers["Content-Range"] == "bytes */10"


@pytest.mark.parametrize(
    "wanted", ["bytes=0-1,4-5", "lines=0-1", "nonsense", "bytes=4-2", "bytes=a-b", "bytes=", "0-1"]
)
def test_what_is_not_one_range_of_bytes_gets_the_whole_file(storage: Storage, wanted: str) -> None:
    assert told(answer(storage, Range=wanted)) == WHOLE


@pytest.mark.parametrize("wanted", ["bytes=0-", "bytes=-5", "bytes=3-4"])
def test_an_empty_file_is_sent_whole(storage: Storage, wanted: str) -> None:
    storage.put(KEY, [])
    assert told(answer(storage, Range=wanted)) == (200, b"")


def test_a_download_goes_on_if_the_file_is_the_same(storage: Storage) -> None:
    etag = answer(storage).headers["ETag"]
    assert told(answer(storage, Range="bytes=5-", If_Range=etag)) == (206, b"56789")
    storage.put(KEY, [b"abcdefghij"])
    assert told(answer(storage, Range="bytes=5-", If_Range=etag)) == (200, b"abcdefghij")


def test_a_weak_etag_is_not_enough_to_go_on(storage: Storage) -> None:
    etag = answer(storage).headers["ETag"]
    assert told(answer(storage, Range="bytes=5-", If_Range=f"W/{etag}")) == WHOLE


@pytest.mark.parametrize(
    ("moment", "expected"),
    [(STORED, (206, b"56789")), (EARLIER, WHOLE), (LATER, WHOLE), ("never", WHOLE)],
)
def test_a_download_goes_on_by_the_exact_time_of_the_file(
    settled: Storage, moment: str, expected: tuple[int, bytes]
) -> None:
    assert told(answer(settled, Range="bytes=5-", If_Range=moment)) == expected


def test_the_time_of_a_file_is_told_once_nothing_else_can_have_the_same(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = storage.head(KEY).modified
    assert stored is not None
    monkeypatch.setattr(downloads, "SETTLED", timedelta(hours=1))
    assert "Last-Modified" not in answer(storage).headers
    monkeypatch.setattr(downloads, "SETTLED", timedelta(hours=-1))
    assert answer(storage).headers["Last-Modified"] == http_date(int(stored.timestamp()))


NOT_MODIFIED = (304, b"")
FAILED = (412, b"")


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("If-None-Match", '"{etag}"', NOT_MODIFIED),
        ("If-None-Match", 'W/"{etag}"', NOT_MODIFIED),
        ("If-None-Match", '"x", "{etag}"', NOT_MODIFIED),
        ("If-None-Match", "*", NOT_MODIFIED),
        ("If-None-Match", '"x"', WHOLE),
        ("If-Match", '"{etag}"', WHOLE),
        ("If-Match", "*", WHOLE),
        ("If-Match", '"x"', FAILED),
        ("If-Match", 'W/"{etag}"', FAILED),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_etags_are_compared(
    storage: Storage, method: str, header: str, value: str, expected: tuple[int, bytes]
) -> None:
    named = {header: value.format(etag=storage.head(KEY).etag)}
    found = answer(storage, method, **named)
    assert found.status_code == expected[0]
    assert found.body == (b"" if method == "HEAD" else expected[1])
    assert found.headers["ETag"] == f'"{storage.head(KEY).etag}"'


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("If-Modified-Since", STORED, NOT_MODIFIED),
        ("If-Modified-Since", LATER, NOT_MODIFIED),
        ("If-Modified-Since", EARLIER, WHOLE),
        ("If-Modified-Since", "yesterday", WHOLE),
        ("If-Unmodified-Since", STORED, WHOLE),
        ("If-Unmodified-Since", EARLIER, FAILED),
    ],
)
def test_times_are_compared(
    settled: Storage, header: str, value: str, expected: tuple[int, bytes]
) -> None:
    assert told(answer(settled, **{header: value})) == expected


@pytest.mark.parametrize("header", ["If-Modified-Since", "If-Unmodified-Since", "If-Range"])
@pytest.mark.parametrize(
    "moment",
    [
        "Mon, 01 Jan 0001 00:00:00 +999999999999999999999999",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Sat, 99 Zed 2026 25:61:61 GMT",
        "9" * 5000,
        "",
    ],
)
def test_a_time_that_cannot_be_is_no_condition(settled: Storage, header: str, moment: str) -> None:
    found = answer(settled, **{header: moment, "Range": "bytes=2-4"})
    assert told(found) in (WHOLE, (206, b"234"), NOT_MODIFIED)


def test_an_etag_counts_more_than_a_time(settled: Storage) -> None:
    found = answer(settled, If_None_Match='"x"', If_Modified_Since=LATER)
    assert told(found) == WHOLE
    etag = answer(settled).headers["ETag"]
    found = answer(settled, If_Match=etag, If_Unmodified_Since=EARLIER)
    assert told(found) == WHOLE


def test_a_condition_comes_before_a_range(storage: Storage) -> None:
    etag = answer(storage).headers["ETag"]
    assert told(answer(storage, Range="bytes=2-4", If_None_Match=etag)) == NOT_MODIFIED
    assert told(answer(storage, Range="bytes=2-4", If_None_Match='"x"')) == (206, b"234")
    assert told(answer(storage, Range="bytes=2-4", If_Match='"x"')) == FAILED


class Replaced(Storage):
    """A file that is replaced between the look at it and the opening."""

    def head(self, key: str) -> Entry:
        found = super().head(key)
        self.put(key, [b"new"])
        return found


def test_no_range_mixes_two_versions(tmp_path: Path) -> None:
    storage = Replaced(str(tmp_path), default_folder=tmp_path)
    storage.put(KEY, [BODY])
    assert told(answer(storage, Range="bytes=1-2")) == (200, b"new")


@pytest.mark.parametrize("headers", [{}, {"Range": "bytes=0-1"}, {"If-None-Match": "*"}])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("link_seconds", [0, 60])
def test_a_file_that_is_missing_is_not_found(
    storage: Storage, method: str, headers: dict[str, str], link_seconds: int
) -> None:
    storage.delete(KEY)
    with pytest.raises(NotFound):
        answer(storage, method, link_seconds, **headers)


def test_only_a_store_that_gives_addresses_out_redirects(storage: Storage) -> None:
    found = answer(storage, link_seconds=60)
    if storage.folder is not None:
        assert told(found) == WHOLE
        return
    assert told(found) == (302, b"")
    assert "X-Amz-Expires=60" in found.headers["Location"]
    assert found.headers["Cache-Control"] == "private, no-store"
    assert found.headers["Referrer-Policy"] == "no-referrer"
    assert told(answer(storage, "HEAD", link_seconds=60)) == (200, b"")
    etag = storage.head(KEY).etag
    assert answer(storage, link_seconds=60, If_None_Match=f'"{etag}"').status_code == 304
    # The range is for the store to answer, which gets it with the redirected request.
    assert answer(storage, link_seconds=60, Range="bytes=2-4").status_code == 302
