"""Starts servers as processes, waits until they answer, and ends them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 180  # seconds until a server answers; the stock one makes its tables first


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], log: Path, answers: str
) -> Iterator[int]:
    """Run a server until the block ends; gives its process id once the URL `answers`.

    It leads a process group of its own, so that all its processes end with it.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**os.environ, **environment},
            stdout=output,
            stderr=output,
            cwd=Path(__file__).parents[1],
            start_new_session=True,
        )
    try:
        _wait(answers, process, log)
        yield process.pid
    finally:
        _end(process)


def memory_of(pid: int) -> tuple[int, int]:
    """Bytes of all processes that `running` started as `pid`, and how many these are."""
    family = [each for each in map(_number, os.listdir("/proc")) if each and _leader(each) == pid]
    return sum(map(proportional, family)), len(family)


def proportional(pid: int) -> int:
    """Bytes of one process, each shared page divided by those who share it (PSS)."""
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))


def children_of(pid: int) -> list[int]:
    """The processes that a process started."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(number) for number in file.read().split()]


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _leader(pid: int) -> int:
    """The process that leads the session of this one; 0 if it is gone."""
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not answer:\n{log.read_text(errors='replace')[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(15)
    except ProcessLookupError:
        process.wait()
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
