"""Folders of any size are listed as far as somebody asks, on every kind of store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import obstore
import pytest

from gitlab_mlops.storage import Storage, listing
from tests import s3


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3.Bucket]:
    with s3.serve(tmp_path_factory.mktemp("s3")) as bucket:
        yield bucket


@pytest.fixture(params=["local", "memory", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A storage of each kind, with a folder of some files and of some folders with more."""
    if request.param == "local":
        storage = Storage("", default_folder=tmp_path / "artifacts")
    elif request.param == "memory":
        storage = Storage("memory:///", default_folder=tmp_path)
    else:
        bucket = request.getfixturevalue("bucket")
        storage = Storage(f"{bucket.url}/{tmp_path.name}", bucket.options, default_folder=tmp_path)
    for name in ("b", "e", "k", "c/1", "c/2", "c/3", "c/4", "c/5/6", "d/1", "h0", "h/1", "h/2"):
        storage.put(f"1/{name}", [b"12"])
    for number in range(5):
        storage.put(f"1/many/{number}", [b""])
        storage.put(f"10/{number}", [b""])
    return storage


EVERYTHING = ["b", "c", "d", "e", "h", "h0", "k", "many"]


@pytest.fixture(params=[1, 2, 3, 5, 1000])
def pages(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers of the store of so many keys."""
    monkeypatch.setattr(listing, "LIST_PAGE", request.param)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 9, 1000])
def test_the_first_entries_are_listed(storage: Storage, pages: None, limit: int) -> None:
    found = storage.list_folder("1", limit)
    assert [entry.name for entry in found] == EVERYTHING[:limit]
    assert found == storage.list_folder("1")[:limit]


def test_a_part_of_the_top_is_listed(storage: Storage) -> None:
    assert [entry.name for entry in storage.list_folder("", 1)] == ["1"]
    assert [entry.name for entry in storage.list_folder("", 9)] == ["1", "10"]


@pytest.mark.parametrize("prefix", ["nope", "1/b", "1/b/below"])
def test_nothing_and_a_file_list_as_nothing(storage: Storage, prefix: str) -> None:
    assert storage.list_folder(prefix, 5) == []


def test_entries_are_what_a_look_at_them_tells(storage: Storage) -> None:
    for entry in storage.list_folder("1", 100):
        if not entry.is_folder:
            head = storage.head(f"1/{entry.name}")
            assert (entry.size, entry.etag) == (head.size, head.etag)
            assert entry.modified is not None
            assert head.modified is not None
            assert abs((entry.modified - head.modified).total_seconds()) < 1


def test_a_folder_of_thousands_is_left_out_in_one_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage("memory:///", default_folder=tmp_path)
    for number in range(2500):
        storage.put(f"1/deep/{number}", [b""])
    for name in ("a", "z"):
        storage.put(f"1/{name}", [b""])
    read: list[int] = []
    original = obstore.list

    def counted(*arguments: Any, **options: Any) -> Iterator[Any]:
        for page in original(*arguments, **options):
            read.append(len(page))
            yield page

    monkeypatch.setattr(obstore, "list", counted)
    assert [entry.name for entry in storage.list_folder("1", 10)] == ["a", "deep", "z"]
    assert read == [1000, 1]


def test_a_store_that_keeps_no_order_is_asked_for_the_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = Storage("memory:///", default_folder=tmp_path)
    for name in ("a", "b/1", "c"):
        storage.put(f"1/{name}", [b""])
    original = obstore.list

    def shuffled(*arguments: Any, **options: Any) -> Iterator[Any]:
        return (list(reversed(page)) for page in original(*arguments, **options))

    monkeypatch.setattr(obstore, "list", shuffled)
    assert [entry.name for entry in storage.list_folder("1", 2)] == ["a", "b"]


def test_what_is_no_text_or_not_complete_is_in_no_listing(tmp_path: Path) -> None:
    storage = Storage("", default_folder=tmp_path)
    storage.put("1/f", [b""])
    (tmp_path / "1" / "g#1").touch()
    (tmp_path / "1" / "dangling").symlink_to(tmp_path / "nowhere")
    (Path(str(tmp_path)) / "1" / "bad\udcff").touch()
    assert [entry.name for entry in storage.list_folder("1")] == ["f"]
