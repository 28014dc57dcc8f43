"""A folder as a zip file that is made while it is sent."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gitlab_mlops.errors import Invalid, NotFound, Unavailable
from gitlab_mlops.services import archive
from gitlab_mlops.services.archive import Archive, collect
from gitlab_mlops.services.artifacts import Amount, Place, measure_folder, read_part
from gitlab_mlops.storage import Blob, Entry, Storage
from tests import s3

PLACE = Place("wire path", "7/0/run/artifacts", "model", is_frozen=False)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage("", default_folder=tmp_path / "artifacts")


def put(storage: Storage, name: str, body: bytes = b"hello") -> None:
    storage.put(f"{PLACE.key}/{name}", [body], len(body))


def unpacked(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        return {info.filename: found.read(info) for info in found.infolist()}


def test_every_file_below_the_folder_is_in_it(storage: Storage) -> None:
    files = {
        "MLmodel": b"a",
        "data/empty": b"",
        "data/b.bin": bytes(1000) * 700,
        "ünï 💐.txt": b"x",
    }
    for name, body in files.items():
        put(storage, name, body)
    storage.put("7/0/run/artifacts/other", [b"x"], 1)
    storage.put("7/0/run/artifacts/model2/x", [b"x"], 1)
    found = collect(storage, PLACE, "model")
    data = b"".join(found.chunks())
    assert unpacked(data) == {f"model/{name}": body for name, body in files.items()}
    assert len(data) == found.size()


def test_an_object_store_gives_the_same(tmp_path: Path) -> None:
    with s3.serve(tmp_path) as bucket:
        storage = Storage(bucket.url, bucket.options, default_folder=tmp_path / "none")
        files = {"MLmodel": b"a", "data/empty": b"", "data/b.bin": bytes(700_000)}
        for name, body in files.items():
            put(storage, name, body)
        found = collect(storage, PLACE, "model")
        data = b"".join(found.chunks())
        assert unpacked(data) == {f"model/{name}": body for name, body in files.items()}
        assert len(data) == found.size()
        assert measure_folder(storage, PLACE, 2).has_more
        assert measure_folder(storage, PLACE, 3) == Amount(3, 700_001, has_more=False)
        file = Place("", PLACE.root, "model/data/b.bin", is_frozen=False)
        assert read_part(storage, file, 10, 20) == bytes(10)


def test_files_keep_their_times_and_can_be_read_by_others(storage: Storage) -> None:
    put(storage, "a")
    found = collect(storage, PLACE, "model")
    (info,) = zipfile.ZipFile(io.BytesIO(b"".join(found.chunks()))).infolist()
    age = datetime.now(UTC) - datetime(*info.date_time, tzinfo=UTC)
    assert -2 <= age.total_seconds() < 60
    assert info.external_attr >> 16 == 0o644
    assert info.compress_type == zipfile.ZIP_STORED


@pytest.mark.parametrize("year", [1970, 2200, None])
def test_a_time_that_zip_does_not_know_breaks_nothing(storage: Storage, year: int | None) -> None:
    put(storage, "a")
    moment = datetime(year, 1, 1, tzinfo=UTC) if year else None
    found = Archive(storage, PLACE, "model", [Entry("a", 5, modified=moment)])
    assert unpacked(b"".join(found.chunks())) == {"model/a": b"hello"}


def test_ten_thousand_files_fit_and_more_do_not(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert archive.MAX_FILES == 10_000
    monkeypatch.setattr(archive, "MAX_FILES", 20)
    for number in range(20):
        put(storage, f"{number}")
    assert len(unpacked(b"".join(collect(storage, PLACE, "model").chunks()))) == 20
    put(storage, "20")
    with pytest.raises(Invalid, match="over 20 files"):
        collect(storage, PLACE, "model")


@pytest.mark.parametrize("path", ["nothing", "model/a"])
def test_what_is_no_folder_has_no_archive(storage: Storage, path: str) -> None:
    put(storage, "a")
    with pytest.raises(NotFound):
        collect(storage, Place("", PLACE.root, path, is_frozen=False), "x")


class HugeStorage(Storage):
    """A store of files that nobody has room for: they come as nothing but zeros."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self.sizes = sizes

    def walk(self, prefix: str, page_size: int = 1000) -> Iterator[Entry]:
        for name, size in self.sizes.items():
            yield Entry(name, size)

    def open(self, key: str, span: Any = None) -> Blob:
        size = self.sizes[key.removeprefix(f"{PLACE.key}/")]
        piece = memoryview(bytes(2**24))
        return Blob(size, 0, size, "", iter(_zeros(size, piece)))


def _zeros(size: int, piece: memoryview) -> Iterator[bytes]:
    while size:
        yield bytes(piece[: min(size, len(piece))])
        size -= min(size, len(piece))


@pytest.mark.parametrize(
    "sizes",
    [
        {"a": 2**31 - 2},
        {"a": 2**31 - 1, "b": 1},
        {"a": 2**31, "b": 1},
        {"a": 2**32 + 1, "b": 2**32 + 1, "c": 0},
        {"a": 1, "b": 2**31 - 1, "ü": 2**31 - 1, "c": 7},
        {"a": int(2**31 / 1.05), "b": int(2**31 / 1.05) + 1},
    ],
)
def test_the_length_is_known_before_the_bytes_also_of_a_huge_one(
    sizes: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Checksums of gigabytes are what takes long here, and they have no influence on the length.
    monkeypatch.setattr(zipfile, "crc32", lambda *_: 0)
    found = collect(HugeStorage(sizes), PLACE, "model")
    assert sum(map(len, found.chunks())) == found.size()


class FaultyStorage(Storage):
    """A store whose n-th file from 0 is not what its listing said."""

    def __init__(self, storage: Storage, number: int, fault: str) -> None:
        self.folder = storage.folder
        self._store = storage._store
        self.number, self.fault, self.opened = number, fault, 0

    def open(self, key: str, span: Any = None) -> Blob:
        self.opened += 1
        if self.opened <= self.number:
            return super().open(key, span)
        if self.fault == "gone":
            raise NotFound("There is no such artifact.")
        chunks = {"shorter": [b"hell"], "longer": [b"hello" * 1000], "broken": self._broken()}
        size = {"shorter": 4, "longer": 5000}.get(self.fault, 5)
        return Blob(size, 0, size, "", iter(chunks.get(self.fault, [b"hel"])))

    def _broken(self) -> Iterator[bytes]:
        yield b"he"
        raise Unavailable("The artifact store cannot be reached.")


@pytest.mark.parametrize("number", [0, 1, 2])
@pytest.mark.parametrize("fault", ["gone", "shorter", "longer", "broken", "ended early"])
def test_a_fault_in_the_middle_leaves_no_archive_that_seems_whole(
    storage: Storage, fault: str, number: int
) -> None:
    for name in "abc":
        put(storage, name)
    found = collect(FaultyStorage(storage, number, fault), PLACE, "model")
    sent = bytearray()
    with pytest.raises((NotFound, Unavailable)):
        _send(found, sent)
    assert len(sent) < found.size()
    assert not zipfile.is_zipfile(io.BytesIO(sent))


def _send(found: Archive, sent: bytearray) -> None:
    for chunk in found.chunks():
        sent += chunk


def test_a_client_that_leaves_closes_the_file_that_it_was_at(storage: Storage) -> None:
    put(storage, "a", bytes(2**20))
    chunks = collect(storage, PLACE, "model").chunks()
    assert next(chunks)
    chunks.close()  # type: ignore[attr-defined]  (an open file would be a warning, so an error)


@pytest.mark.skipif(not shutil.which("unzip"), reason="there is no unzip")
def test_unzip_agrees(storage: Storage, tmp_path: Path) -> None:
    put(storage, "a")
    put(storage, "b/ü.bin", bytes(2**20))
    target = tmp_path / "model.zip"
    target.write_bytes(b"".join(collect(storage, PLACE, "model").chunks()))
    subprocess.run(["unzip", "-t", str(target)], check=True, capture_output=True)
