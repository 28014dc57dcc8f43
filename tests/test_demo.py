"""`make demo`: it trains, says where to look, keeps its secrets, serves, and ends when told to."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_port

ROOT = Path(__file__).parents[1]
PATIENCE = 240
EXPECTED = {
    "Project", "Experiments", "Best candidate", "Merge request", "Issue", "Private project",
    "Sign in", "Log to it", "Tracking URI",
}  # fmt: skip


@dataclass
class Demo:
    """A demo in a folder of its own."""

    instance: Path
    port: int
    process: subprocess.Popen[str]
    printed: str = ""

    @classmethod
    def start(cls, instance: Path, *options: str, port: int | None = None) -> Demo:
        port = port or free_port()
        command = [
            sys.executable, "-m", "demo", "--port", str(port), "--instance", str(instance),
            *options,
        ]  # fmt: skip
        # Nothing of the tests' own settings; a user's shell has none of ours either.
        clean = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=clean,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return cls(instance, port, process)

    def wait_until_it_serves(self) -> None:
        assert self.process.stdout is not None
        deadline = time.monotonic() + PATIENCE
        for line in self.process.stdout:
            self.printed += line
            if line.startswith("Serving"):
                return
            assert time.monotonic() < deadline, self.printed
        pytest.fail(f"The demo ended:\n{self.printed}")

    def stop(self, how: int = signal.SIGINT) -> int:
        """Interrupt it; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=60)
        self.printed += rest
        return self.process.returncode

    def address(self, name: str) -> str:
        """What was printed after a name."""
        found = re.search(rf"^  {name} +(\S+)$", self.printed, re.MULTILINE)
        assert found, self.printed
        return found[1]

    def environment(self) -> dict[str, str]:
        """What a shell has after `source demo.env`."""
        script = f"set -e; source {shlex.quote(str(self.instance / 'demo.env'))}; env -0"
        printed = subprocess.run(
            ["bash", "-c", script], env={}, check=True, capture_output=True, text=True
        ).stdout
        return dict(pair.split("=", 1) for pair in printed.split("\0") if pair)


def read(url: str, **headers: str) -> str:
    request = urllib.request.Request(url, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as response:
        page: str = response.read().decode()
    return page


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The whole demo, with a shorter training."""
    started = Demo.start(tmp_path_factory.mktemp("demo") / "instance", "--epochs", "3")
    try:
        started.wait_until_it_serves()
        yield started
    finally:
        started.stop()


def test_it_says_where_to_look(demo: Demo) -> None:
    names = set(re.findall(r"^  (\w[\w ]*?)  +\S", demo.printed, re.MULTILINE))
    assert names >= EXPECTED


def test_its_secrets_are_for_its_owner_only_and_random(demo: Demo) -> None:
    path = demo.instance / "demo.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secrets = [demo.environment()[name] for name in ("MLFLOW_TRACKING_TOKEN", "DEMO_PASSWORD")]
    assert all(len(secret) >= 16 for secret in secrets)
    sources = "".join(source.read_text() for source in (ROOT / "demo").glob("*.py"))
    assert not any(secret in sources for secret in secrets)


@pytest.mark.parametrize("name", ["Project", "Experiments", "Best candidate"])
def test_an_address_answers(demo: Demo, name: str) -> None:
    assert "<h1" in read(demo.address(name))


@pytest.mark.parametrize("name", ["Merge request", "Issue"])
def test_the_best_candidate_is_linked_where_it_is_talked_about(demo: Demo, name: str) -> None:
    path = demo.address("Best candidate").removeprefix(f"http://127.0.0.1:{demo.port}")
    assert f'href="{path}"' in read(demo.address(name))


def test_the_best_candidate_shows_where_it_is_mentioned(demo: Demo) -> None:
    page = read(demo.address("Best candidate"))
    for name in ("Merge request", "Issue"):
        assert demo.address(name).removeprefix(f"http://127.0.0.1:{demo.port}") in page


def test_ci_trained_for_the_default_branch_and_for_the_merge_request(demo: Demo) -> None:
    printed = demo.printed.partition("Project  ")[0]
    assert re.findall(r"^Pipeline (\d) on (\S+)$", printed, re.MULTILINE) == [
        ("1", "main"), ("2", "alice/neural-network"),
    ]  # fmt: skip
    page = read(demo.address("Merge request"))
    commits = page.partition('id="commits"')[2]
    assert "Train small neural networks" in commits
    assert "Success" in commits


def test_merge_request_compares_its_candidates_and_shows_the_gate(demo: Demo) -> None:
    page = read(demo.address("Merge request"))
    best = demo.address("Best candidate").rpartition("/")[2]
    panel = page.partition("mlops-proposal")[2].partition('id="checks"')[0]
    assert f"[candidate:{best}]" in panel
    assert "on main" in panel
    assert "Gate" in panel
    checks = page.partition('id="checks"')[2].partition('id="commits"')[0]
    assert "mlops/gate" in checks
    assert re.search(r"3 rules: [^<]*2 passed", checks)


def test_best_candidate_is_stamped_by_its_job(demo: Demo) -> None:
    page = read(demo.address("Best candidate"))
    assert "/research/handwriting/-/jobs/2" in page
    assert demo.address("Merge request").removeprefix(f"http://127.0.0.1:{demo.port}") in page


def test_there_is_one_champion(demo: Demo) -> None:
    environment = demo.environment()
    found = search(environment["MLFLOW_TRACKING_URI"], environment["MLFLOW_TRACKING_TOKEN"])
    tags = [tag for run in found for tag in run["data"]["tags"]]  # type: ignore[index]
    assert [tag["value"] for tag in tags if tag["key"] == "champion"] == ["yes"]  # type: ignore[index]


def test_strangers_do_not_read_a_link_into_the_private_project(demo: Demo) -> None:
    page = read(demo.address("Issue"))
    assert "[candidate:research/tumours/" in page
    assert "/research/tumours/-/ml/candidates/" not in page


def test_both_projects_hold_a_training(demo: Demo) -> None:
    environment = demo.environment()
    private = environment["MLFLOW_TRACKING_URI"].replace("/projects/1/", "/projects/2/")
    for uri in (environment["MLFLOW_TRACKING_URI"], private):
        found = search(uri, environment["MLFLOW_TRACKING_TOKEN"])
        states = [run["info"]["status"] for run in found]
        assert len(states) == 14
        assert states.count("FAILED") == 1


def search(uri: str, token: str) -> list[dict[str, dict[str, str]]]:
    request = urllib.request.Request(
        f"{uri}/api/2.0/mlflow/runs/search",
        data=json.dumps({"experiment_ids": ["1"], "max_results": 100}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        runs: list[dict[str, dict[str, str]]] = json.load(response).get("runs", [])
    return runs


def test_a_second_demo_keeps_off_the_first(demo: Demo) -> None:
    second = Demo.start(demo.instance)
    assert second.process.wait(60) == 1
    assert second.stop() == 1
    assert "Another demo is running" in second.printed
    assert "Traceback" not in second.printed
    assert "<h1" in read(demo.address("Best candidate"))


def test_a_port_in_use_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        started = Demo.start(tmp_path / "instance", port=port)
        assert started.process.wait(60) == 1
    started.stop()
    assert f"Port {port} cannot be used" in started.printed
    assert "Traceback" not in started.printed


def test_serving_makes_a_forge_or_keeps_the_one_that_is_there(tmp_path: Path) -> None:
    first = Demo.start(tmp_path, "--serve-only")
    try:
        first.wait_until_it_serves()
        made = first.environment()
        assert "<h1" in read(first.address("Merge request"))
        assert "Best candidate" not in first.printed
    finally:
        assert first.stop(signal.SIGTERM) == 0
    second = Demo.start(tmp_path, "--serve-only")
    try:
        second.wait_until_it_serves()
        kept = second.environment()
        assert kept["DEMO_PASSWORD"] == made["DEMO_PASSWORD"]
        assert kept["DEMO_WEB_URL"].startswith(f"http://127.0.0.1:{second.port}/")
        assert search(kept["MLFLOW_TRACKING_URI"], kept["MLFLOW_TRACKING_TOKEN"]) == []
    finally:
        assert second.stop() == 0
    assert "Stopped." in second.printed
    with pytest.raises(OSError, match="refused"):
        read(second.address("Project"))


def test_a_server_that_dies_ends_the_demo_with_a_sentence(tmp_path: Path) -> None:
    started = Demo.start(tmp_path, "--serve-only")
    started.wait_until_it_serves()
    children = Path(f"/proc/{started.process.pid}/task/{started.process.pid}/children")
    os.kill(int(children.read_text().split()[0]), signal.SIGTERM)
    assert started.process.wait(60) == 1
    started.stop()
    assert "gunicorn has ended" in started.printed
    assert "Traceback" not in started.printed
