"""Large files, full disks, dead servers, killed workers: what the storage does at the edges."""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gitlab_mlops.errors import Invalid, NotFound, StorageFull, Unavailable
from gitlab_mlops.storage import Storage
from gitlab_mlops.storage.failures import translated
from tests import s3

MEGABYTE = 2**20
ROOT = Path(__file__).parents[2]


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[s3.Bucket]:
    with s3.serve(tmp_path / "s3") as bucket:
        yield bucket


PRELUDE = f"""
import sys
from pathlib import Path
from gitlab_mlops.storage import Storage

MEGABYTE = 2**20

def make(url, endpoint=""):
    options = dict(endpoint=endpoint, region="us-east-1",
        access_key_id={s3.ACCESS_KEY!r}, secret_access_key={s3.SECRET_KEY!r})
    return Storage(url, options if endpoint else None, default_folder=Path("/nowhere"))

def memory():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
"""


def python(code: str, *arguments: str, within: Sequence[str] = ()) -> subprocess.Popen[str]:
    """A fresh interpreter that runs `code` with `make(url, endpoint)` for a storage."""
    return subprocess.Popen(
        [*within, sys.executable, "-c", PRELUDE + textwrap.dedent(code), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def output(process: subprocess.Popen[str]) -> str:
    """What the process printed; it must end well."""
    printed, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return printed


STREAM = """
    storage = make(*sys.argv[1:])
    storage.check()
    before = peak = memory()

    def body():
        global peak
        for number in range(1200):
            peak = max(peak, memory())
            yield bytes([number % 256]) * (MEGABYTE // 4)

    storage.put("1/big", body(), 300 * MEGABYTE)
    count = 0
    for chunk in storage.open("1/big").chunks:
        count += len(chunk)
        peak = max(peak, memory())
    storage.concat(["1/big", "1/big"], "1/twice", 600 * MEGABYTE)
    peak = max(peak, memory())
    print(count // MEGABYTE, storage.head("1/twice").size // MEGABYTE, (peak - before) // MEGABYTE)
"""


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_300_megabytes_pass_through_in_less_than_64_of_memory(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    where = [str(tmp_path / "local")]
    if kind == "s3":
        bucket = request.getfixturevalue("bucket")
        where = [bucket.url, bucket.options["endpoint"]]
    read, twice, grown = map(int, output(python(STREAM, *where)).split())
    assert (read, twice) == (300, 600)
    assert grown < 64


def test_ten_thousand_files_are_listed_in_bounded_memory(tmp_path: Path) -> None:
    folder = tmp_path / "1" / "f"
    folder.mkdir(parents=True)
    for number in range(10_000):
        (folder / f"file-{number:05}").touch()
    code = """
        storage = make(sys.argv[1])
        storage.list_folder("1")
        before = memory()
        names = [entry.name for entry in storage.list_folder("1/f")]
        print(len(names), names[0], names[-1], sum(1 for _ in storage.walk("1")))
        print((memory() - before) // MEGABYTE, storage.delete_below("1"), storage.has_below("1"))
    """
    listed, deleted = output(python(code, str(tmp_path))).splitlines()
    assert listed == "10000 file-00000 file-09999 10000"
    grown, count, left = deleted.split()
    assert int(grown) < 32
    assert (count, left) == ("10000", "False")


def test_a_killed_worker_leaves_the_old_file_and_what_it_left_is_swept(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path), default_folder=tmp_path)
    storage.put("1/f", [b"old"])
    code = """
        import time

        def body():
            yield b"n" * 20 * MEGABYTE
            print("halfway", flush=True)
            time.sleep(60)

        make(sys.argv[1]).put("1/f", body())
    """
    worker = python(code, str(tmp_path))
    assert worker.stdout is not None
    assert worker.stdout.readline() == "halfway\n"
    worker.send_signal(signal.SIGKILL)
    worker.communicate()
    assert b"".join(storage.open("1/f").chunks) == b"old"
    assert [entry.name for entry in storage.list_folder("1")] == ["f"]
    time.sleep(0.01)
    assert storage.sweep(0) == 1
    assert [path.name for path in (tmp_path / "1").iterdir()] == ["f"]


FULL = """
    from gitlab_mlops.errors import StorageFull
    import subprocess
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", sys.argv[1]], check=True)
    storage = make(sys.argv[1])
    storage.put("1/old", [b"old"])
    for size in (1, 40):
        try:
            storage.put("1/big", (b"x" * MEGABYTE for _ in range(8 * size)))
        except StorageFull:
            print("full")
    print(b"".join(storage.open("1/old").chunks), [entry.name for entry in storage.walk("1")])
    storage.put("1/small", [b"fits"])
    print(storage.head("1/small").size)
"""


def test_a_full_disk_says_so_and_keeps_the_rest_and_recovers(tmp_path: Path) -> None:
    own_mounts = ["unshare", "--map-root-user", "--mount"]
    if subprocess.run([*own_mounts, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk (unshare --mount)")
    folder = tmp_path / "disk"
    folder.mkdir()
    printed = output(python(FULL, str(folder), within=own_mounts))
    assert printed.splitlines() == ["full", "full", "b'old' ['old']", "4"]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError(28, "No space left on device"), StorageFull),
        (OSError(122, "Disk quota exceeded"), StorageFull),
        (FileNotFoundError("gone"), NotFound),
        (NotADirectoryError(20, "Not a directory"), NotFound),
        (PermissionError(13, "Permission denied"), Unavailable),
        (OSError(5, "Input/output error"), Unavailable),
        (ValueError("Could not parse path"), Invalid),
    ],
)
def test_what_the_system_says_becomes_a_domain_error(
    error: Exception, expected: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(expected), translated():
        raise error


def test_the_operator_finds_the_reason_in_the_log_and_the_client_does_not_see_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(Unavailable) as refusal, translated():
        raise PermissionError(13, "Permission denied", "/srv/secret-place")
    assert "/srv/secret-place" in caplog.text
    assert "secret-place" not in str(refusal.value)


def dead(endpoint: str, tmp_path: Path, **options: str) -> Storage:
    """A storage whose server is not well."""
    keys = {"region": "us-east-1", "access_key_id": "someone", "secret_access_key": "something"}
    return Storage("s3://b/p", {"endpoint": endpoint, **keys, **options}, default_folder=tmp_path)


def test_a_server_that_is_down_is_reported_in_seconds(tmp_path: Path) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        storage = dead(f"http://127.0.0.1:{reserved.getsockname()[1]}", tmp_path)
        started = time.monotonic()
        for action in (
            lambda: storage.put("1/f", [b"x"]),
            lambda: storage.put("1/f", iter([b"x" * 6 * MEGABYTE])),
            lambda: storage.open("1/f"),
            lambda: storage.list_folder("1"),
            lambda: list(storage.walk("1")),
            lambda: storage.delete("1/f"),
        ):
            with pytest.raises(Unavailable):
                action()
        assert time.monotonic() - started < 20


def test_a_server_that_is_silent_is_given_up_after_the_read_timeout(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        storage = dead(f"http://127.0.0.1:{port}", tmp_path, read_timeout="500ms")
        started = time.monotonic()
        with pytest.raises(Unavailable):
            storage.open("1/f")
        assert time.monotonic() - started < 15


def test_a_server_that_refuses_the_credentials_is_unavailable(
    bucket: s3.Bucket, tmp_path: Path
) -> None:
    options = {**bucket.options, "secret_access_key": "wrong-secret"}
    storage = Storage(bucket.url, options, default_folder=tmp_path)
    with pytest.raises(Unavailable):
        storage.put("1/f", [b"x"])


def test_a_storage_that_was_made_but_not_used_works_after_a_fork(tmp_path: Path) -> None:
    code = """
        import os
        storage = make(sys.argv[1])
        if os.fork() == 0:
            storage.check()
            print("child", flush=True)
            os._exit(0)
        status = os.wait()[1]
        storage.check()
        print("parent", status)
    """
    assert output(python(code, str(tmp_path))) == "child\nparent 0\n"


def test_a_storage_that_was_used_before_a_fork_says_so_instead_of_hanging(tmp_path: Path) -> None:
    code = """
        import os
        storage = make(sys.argv[1])
        storage.check()
        if os.fork() == 0:
            try:
                storage.put("1/f", [b"x"])
            except RuntimeError as error:
                print(error, flush=True)
            os._exit(0)
        os.wait()
    """
    assert "before this process was forked" in output(python(code, str(tmp_path)))


def test_a_folder_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Unavailable):
        Storage(str(tmp_path / "file" / "below"), default_folder=tmp_path).put("1/f", [b"x"])


def test_an_option_that_no_store_knows_is_refused_when_the_application_starts(
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match="MLOPS_ARTIFACTS_OPTIONS"):
        dead("http://127.0.0.1:1", tmp_path, acces_key="typo")


def test_many_threads_use_one_storage(tmp_path: Path) -> None:
    storage = Storage(str(tmp_path), default_folder=tmp_path)
    bodies = [os.urandom(3 * MEGABYTE) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: storage.put("1/same", [bodies[n]]), range(8)))
        list(pool.map(lambda n: storage.put(f"1/own/{n}", [bodies[n]]), range(8)))
    assert b"".join(storage.open("1/same").chunks) in bodies
    assert [b"".join(storage.open(f"1/own/{n}").chunks) for n in range(8)] == bodies
