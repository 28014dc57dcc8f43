"""Runs a script with bash, in a process group of its own: its end, and what it printed."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

MAX_LOG = 200_000
"""Bytes of a log that are kept, half of them from its end."""
POLL = 1.0
"""Seconds after which it is asked again whether the script is still wanted."""


def run_script(
    lines: Iterable[str],
    folder: Path,
    environment: Mapping[str, str],
    place: Path,
    timeout: float,
    is_canceled: Callable[[], bool],
) -> tuple[str, bytes]:
    """Run lines in a folder; how it ended (`success`, `failed`, `canceled`), and the log.

    `place` is a folder for the script and its output. After `timeout` seconds it is ended, and
    whatever it left running when it ends. It gets this environment and nothing else.
    """
    script, log = place / "script", place / "log"
    script.write_text(_script(lines))
    with log.open("wb") as output:
        # What it runs is the project's own choice: that is what a runner is for.
        process = subprocess.Popen(  # noqa: S603
            ["/usr/bin/env", "bash", str(script)],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status, note = _wait(process, timeout, is_canceled)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return status, _bounded(log) + note.encode()


def _wait(
    process: subprocess.Popen[bytes], timeout: float, is_canceled: Callable[[], bool]
) -> tuple[str, str]:
    """Wait for the end; gives the status, and what there is to say about it."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            code = process.wait(min(POLL, max(0.0, deadline - time.monotonic())))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= deadline:
                return "failed", f"\nThe job took longer than {timeout:g} s.\n"
            if is_canceled():
                return "canceled", "\nThe job was canceled.\n"
        else:
            return ("success", "") if code == 0 else ("failed", f"\nEnded with {code}.\n")


def _script(lines: Iterable[str]) -> str:
    """A script that says each line before it runs it, and ends with the first that fails."""
    said = (f"echo {shlex.quote('$ ' + line)}\n{line}" for line in lines)
    return "\n".join(["set -eo pipefail", *said, ""])


def _bounded(log: Path) -> bytes:
    size, half = log.stat().st_size, MAX_LOG // 2
    with log.open("rb") as file:
        if size <= MAX_LOG:
            return file.read()
        start = file.read(half)
        file.seek(size - half)
        return start + f"\n[{size - MAX_LOG} bytes are left out here]\n".encode() + file.read()
