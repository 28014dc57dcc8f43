"""What a run says at its end, and its part of `docs/performance.md`."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench import environments, table
from bench.postgresql import PostgreSQL
from bench.results import Results
from bench.servers import THREADS, WORKERS
from bench.targets import verdicts

BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"


def text(results: Results, surroundings: str) -> str:
    """Everything, as Markdown."""
    parts = [surroundings, table.of_rows(results)]
    if results.figures:
        parts.append(table.of_figures(results))
    parts.append(table.of_verdicts(verdicts(results)))
    if results.notes:
        parts.append("\n".join(f"- {note}" for note in results.notes))
    return "\n\n".join(parts)


def surroundings(postgresql: PostgreSQL, servers: list[str], how: str) -> str:
    """When and on what it was measured: nothing that names the machine."""
    lines = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d}, {how}.",
        f"Machine: {_processor()}, {os.cpu_count()} cores, {_memory()} GB of memory.",
        f"Versions: {', '.join(_versions(servers))}.",
        f"Processes: gunicorn with {WORKERS} workers of {THREADS} threads; "
        f"the stock server with {WORKERS} workers.",
        f"PostgreSQL {postgresql.version()} with its defaults: {postgresql.settings()}.",
    ]
    return "\n".join(f"- {line}" for line in lines)


def write(path: Path, content: str) -> None:
    """Put the content between the two marks in a file; raises `SystemExit` without them."""
    old = path.read_text(encoding="utf-8")
    pattern = re.compile(f"({re.escape(BEGIN)}).*({re.escape(END)})", re.DOTALL)
    if pattern.search(old) is None:
        raise SystemExit(f"{path} has no lines “{BEGIN}” and “{END}”")
    new = pattern.sub(lambda marks: f"{marks[1]}\n\n{content}\n\n{marks[2]}", old)
    path.write_text(new, encoding="utf-8")


def _versions(servers: list[str]) -> list[str]:
    ours = ("gitlab-mlops-plugin", "flask", "sqlalchemy", "psycopg", "gunicorn")
    found = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in ours)]
    if "stock" in servers:
        found.append(f"stock MLflow {environments.STOCK.version('mlflow')}")
    if "fasttrackml" in servers:
        found.append(f"FastTrackML {environments.FASTTRACKML.version('fasttrackml')}")
    return [*found, f"MLflow's client {version('mlflow')}", f"wrk {environments.wrk_version()}"]


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    return found[1].strip() if found else platform.machine()


def _memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)
