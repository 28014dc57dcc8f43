"""The storage does the same on a local folder, in memory and on a real S3 server."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gitlab_mlops.errors import Invalid, MLOpsError, NotFound
from gitlab_mlops.settings import Settings
from gitlab_mlops.storage import Blob, Storage
from tests import s3

MEGABYTE = 2**20


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Bucket]:
    with s3.serve(tmp_path_factory.mktemp("s3")) as bucket:
        yield bucket


@pytest.fixture(params=["local", "memory", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """An empty storage of each kind."""
    if request.param == "local":
        return Storage("", default_folder=tmp_path / "artifacts")
    if request.param == "memory":
        return Storage("memory:///", default_folder=tmp_path)
    bucket = request.getfixturevalue("bucket")
    return Storage(f"{bucket.url}/{tmp_path.name}", bucket.options, default_folder=tmp_path)


def read(blob: Blob) -> bytes:
    """All of the bytes that were opened."""
    return b"".join(blob.chunks)


def content(storage: Storage, key: str) -> bytes:
    """All bytes of an object."""
    return read(storage.open(key))


def names(storage: Storage, prefix: str) -> list[str]:
    """Names of all files below a prefix."""
    return sorted(entry.name for entry in storage.walk(prefix))


def cut_off(*chunks: bytes) -> Iterator[bytes]:
    """A body whose sender goes away."""
    yield from chunks
    raise Invalid("the client is gone")


def test_what_was_put_can_be_opened(storage: Storage) -> None:
    assert storage.put("1/a/b.bin", iter([b"abc", b"", b"def"]), 6) == 6
    blob = storage.open("1/a/b.bin")
    assert (blob.size, blob.start, blob.stop, read(blob)) == (6, 0, 6, b"abcdef")


def test_an_empty_file_is_a_file(storage: Storage) -> None:
    storage.put("1/empty", iter([]), 0)
    assert content(storage, "1/empty") == b""
    assert storage.head("1/empty").size == 0
    assert [(entry.name, entry.size) for entry in storage.list_folder("1")] == [("empty", 0)]


def test_many_parts_come_back_in_order(storage: Storage) -> None:
    body = [bytes([number]) * MEGABYTE for number in range(23)]
    storage.put("1/big", iter(body), 23 * MEGABYTE)
    assert content(storage, "1/big") == b"".join(body)


@pytest.mark.parametrize("span", [(0, 1), (1, 3), (0, 6), (5, 6)])
def test_a_span_is_read_alone(storage: Storage, span: tuple[int, int]) -> None:
    storage.put("1/f", [b"abc", b"def"])
    blob = storage.open("1/f", span)
    assert (blob.start, blob.stop, blob.size) == (*span, 6)
    assert read(blob) == b"abcdef"[slice(*span)]


def test_a_new_file_takes_the_place_of_the_old(storage: Storage) -> None:
    storage.put("1/f", [b"old"])
    old_tag = storage.head("1/f").etag
    storage.put("1/f", [b"newer"])
    assert content(storage, "1/f") == b"newer"
    assert storage.head("1/f").etag != old_tag


@pytest.mark.parametrize("size", [3, 12 * MEGABYTE])
def test_a_body_that_fails_stores_nothing_and_its_own_error_comes_out(
    storage: Storage, size: int
) -> None:
    with pytest.raises(Invalid, match="the client is gone"):
        storage.put("1/f", cut_off(b"x" * size))
    assert names(storage, "1") == []
    assert not storage.exists("1/f")


def test_a_body_that_fails_leaves_the_old_file(storage: Storage) -> None:
    storage.put("1/f", [b"old"])
    with pytest.raises(Invalid):
        storage.put("1/f", cut_off(b"x" * 12 * MEGABYTE))
    assert content(storage, "1/f") == b"old"
    assert names(storage, "1") == ["f"]


def test_an_error_of_the_connection_is_not_taken_for_one_of_the_store(storage: Storage) -> None:
    def gone() -> Iterator[bytes]:
        yield b"x"
        raise ConnectionResetError("gone")

    with pytest.raises(ConnectionResetError):
        storage.put("1/f", gone())


@pytest.mark.parametrize(("length", "message"), [(7, "after 6 of 7"), (5, "longer than the 5")])
def test_a_body_of_another_length_than_announced_stores_nothing(
    storage: Storage, length: int, message: str
) -> None:
    with pytest.raises(Invalid, match=message):
        storage.put("1/f", [b"abc", b"def"], length)
    assert not storage.exists("1/f")


def test_readers_never_see_a_part(storage: Storage) -> None:
    storage.put("1/f", [b"old"])
    seen = []

    def slow() -> Iterator[bytes]:
        for _ in range(3):
            yield b"n" * 6 * MEGABYTE
            if storage.folder is not None:  # other stores cannot be asked from inside of a put
                seen.append((storage.folder / "1/f").read_bytes())

    storage.put("1/f", slow())
    assert set(seen) <= {b"old"}
    assert storage.head("1/f").size == 18 * MEGABYTE


def test_who_has_opened_a_local_file_reads_it_to_its_end(tmp_path: Path) -> None:
    storage = Storage("", default_folder=tmp_path)
    storage.put("1/f", [b"old" * MEGABYTE])
    blob = storage.open("1/f")
    first = next(blob.chunks)
    storage.put("1/f", [b"new" * MEGABYTE])
    assert first + read(blob) == b"old" * MEGABYTE


def test_a_folder_lists_what_is_right_in_it_by_name(storage: Storage) -> None:
    for key in ("1/b", "1/a", "1/c/d", "1/c/e/f", "10/x", "1.txt"):
        storage.put(key, [b"12"])
    found = [(entry.name, entry.is_folder, entry.size) for entry in storage.list_folder("1")]
    assert found == [("a", False, 2), ("b", False, 2), ("c", True, 0)]
    assert names(storage, "1") == ["a", "b", "c/d", "c/e/f"]


def test_the_top_lists_every_first_segment(storage: Storage) -> None:
    for key in ("1/b", "2/a"):
        storage.put(key, [b""])
    assert [entry.name for entry in storage.list_folder("")] == ["1", "2"]


@pytest.mark.parametrize("prefix", ["nope", "1/f", "1/f/below"])
def test_a_file_or_nothing_lists_as_nothing(storage: Storage, prefix: str) -> None:
    storage.put("1/f", [b"x"])
    assert storage.list_folder(prefix) == []
    assert not storage.has_below(prefix)


@pytest.mark.parametrize("key", ["nope", "1", "1/f/below", "1/" + "n" * 255])
def test_what_is_no_file_is_not_found(storage: Storage, key: str) -> None:
    storage.put("1/f", [b"x"])
    with pytest.raises(NotFound):
        storage.open(key)
    with pytest.raises(NotFound):
        storage.head(key)
    assert not storage.exists(key)
    storage.delete(key)
    assert content(storage, "1/f") == b"x"


@pytest.mark.parametrize("key", ["../x", "1/../../x", "/etc/passwd", "1//x", "1/.", "a\0b", "1/"])
def test_a_key_that_leads_elsewhere_is_refused_by_every_method(storage: Storage, key: str) -> None:
    for method in (
        lambda: storage.put(key, [b"x"]),
        lambda: storage.open(key),
        lambda: storage.head(key),
        lambda: storage.delete(key),
        lambda: storage.list_folder(key),
        lambda: list(storage.walk(key)),
    ):
        with pytest.raises(Invalid):
            method()


def test_deleting_below_takes_the_folder_and_nothing_next_to_it(storage: Storage) -> None:
    for key in ("1/a/x", "1/a/y/z", "1/ab", "2/a"):
        storage.put(key, [b"x"])
    assert storage.delete_below("1/a") == 2
    assert names(storage, "1") == ["ab"]
    assert names(storage, "2") == ["a"]
    assert storage.delete_below("1/a") == 0


def test_parts_are_strung_together(storage: Storage) -> None:
    storage.put("1/parts/1", [b"a" * 6 * MEGABYTE])
    storage.put("1/parts/2", [b"b"])
    storage.concat(["1/parts/1", "1/parts/2"], "1/whole", 6 * MEGABYTE + 1)
    assert content(storage, "1/whole") == b"a" * 6 * MEGABYTE + b"b"


def test_parts_are_strung_together_while_an_event_loop_runs(storage: Storage) -> None:
    """A forge may run under ASGI."""
    storage.put("1/parts/1", [b"a"])

    async def string() -> None:
        storage.concat(["1/parts/1", "1/parts/1"], "1/whole", 2)

    # In a thread, because the browser tests leave a loop running in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, string()).result()
    assert content(storage, "1/whole") == b"aa"


def test_a_missing_part_leaves_the_old_file(storage: Storage) -> None:
    storage.put("1/whole", [b"old"])
    storage.put("1/parts/1", [b"a"])
    with pytest.raises(NotFound):
        storage.concat(["1/parts/1", "1/parts/2"], "1/whole", 2)
    assert content(storage, "1/whole") == b"old"


@pytest.mark.parametrize(
    "name", ["with space", "ünï", "a+b", "a&b=c", "x~y", "a'b\"c", "😀", "%41"]
)
def test_names_come_back_as_they_were(storage: Storage, name: str) -> None:
    storage.put(f"1/{name}", [b"x"])
    assert names(storage, "1") == [name]
    assert [entry.name for entry in storage.list_folder("1")] == [name]
    assert content(storage, f"1/{name}") == b"x"


def test_the_etag_of_a_listing_is_that_of_the_file(storage: Storage) -> None:
    for key, size in (("1/a", 3), ("1/b", 11 * MEGABYTE)):
        storage.put(key, [b"x" * size])
    assert [entry.etag for entry in storage.list_folder("1")] == [
        storage.head("1/a").etag,
        storage.head("1/b").etag,
    ]
    blob = storage.open("1/a")
    blob.close()
    assert blob.etag == storage.head("1/a").etag != ""


def test_the_check_leaves_nothing(storage: Storage) -> None:
    storage.check()
    assert storage.list_folder("") == []


def test_unfinished_local_files_are_hidden_and_swept(tmp_path: Path) -> None:
    storage = Storage("", default_folder=tmp_path)
    storage.put("1/f", [b"x"])
    (tmp_path / "1/f#1").write_bytes(b"part")
    (tmp_path / "1/g#12").write_bytes(b"part")
    os.utime(tmp_path / "1/f#1", (0, 0))
    assert [entry.name for entry in storage.list_folder("1")] == ["f"]
    with pytest.raises(MLOpsError):
        storage.open("1/f#1")
    assert storage.sweep(3600) == 1
    assert sorted(path.name for path in (tmp_path / "1").iterdir()) == ["f", "g#12"]


@pytest.mark.parametrize("url", ["ftp://x/y", "relative/folder", "file://host/x", "s4://b"])
def test_a_url_that_means_nothing_is_refused_when_the_application_starts(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="MLOPS_ARTIFACTS_URL"):
        Storage(url, default_folder=tmp_path)


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    storage = Storage(f"file://{tmp_path}/a%20b", default_folder=tmp_path / "other")
    storage.put("1/f", [b"x"])
    assert (tmp_path / "a b/1/f").read_bytes() == b"x"


def test_the_settings_choose_the_storage(tmp_path: Path) -> None:
    chosen = Settings(artifacts_url=str(tmp_path / "chosen"))
    assert Storage.from_settings(chosen, tmp_path / "default").folder == tmp_path / "chosen"
    assert Storage.from_settings(Settings(), tmp_path / "default").folder == tmp_path / "default"


def test_credentials_do_not_show(tmp_path: Path) -> None:
    options = {"access_key_id": "someone", "secret_access_key": "hidden"}
    storage = Storage("s3://b/p", options, default_folder=tmp_path)
    assert "hidden" not in repr(storage)
