"""What each server takes: bytes in PostgreSQL, and memory; and what mounting the plugin adds."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from bench import environments, names, small_forge
from bench.bulk import Batch, add_candidates
from bench.postgresql import Database
from bench.processes import children_of, free_port, memory_of, proportional, running
from bench.results import Results, Row, Unit
from bench.seeds import CLIENTS, Seeds, new_experiment
from bench.servers import HOST, gunicorn

STEPS = 1000
"""Points of each metric, when the bytes per point are measured."""
POINTS = 10 * STEPS
"""Points of each candidate then."""
APPLICATIONS = {"without": "bench.small_forge:without()", "with": "bench.small_forge:mounted()"}


def measure_bytes(all_seeds: Mapping[str, Seeds], results: Results) -> None:
    """How much all tables grow by a million points, which as many candidates log as there are
    clients; and for ours, how much if all candidates log at once.
    """
    stored = {
        name: _bytes_per_point(seeds, "bytes", CLIENTS)
        for name, seeds in all_seeds.items()
        if not seeds.server.is_floor
    }
    results.rows.append(Row(names.BYTES_PER_POINT, Unit.BYTES, stored))
    ours = all_seeds["ours"]
    everybody = ours.scale.points // POINTS
    worst = _bytes_per_point(ours, "worst", everybody)
    results.figures[names.BYTES_AT_WORST.format(everybody)] = worst


def _bytes_per_point(seeds: Seeds, name: str, at_once: int) -> float:
    server, points = seeds.server, seeds.scale.points
    batch = Batch(name, new_experiment(server, name), points // POINTS, STEPS, at_once)
    server.database.tidy()
    before = server.database.size()
    add_candidates(server, batch)
    return (server.database.size() - before) / points


def measure_memory(all_seeds: Mapping[str, Seeds], results: Results) -> None:
    """The memory of all processes of each server, after what it has been asked."""
    found = {name: memory_of(seeds.server.pid) for name, seeds in all_seeds.items()}
    megabytes = {name: taken / 1e6 for name, (taken, _) in found.items()}
    results.rows.append(Row(names.MEMORY, Unit.MEGABYTES, megabytes))
    processes = (f"{names.SERVERS[name]} {number}" for name, (_, number) in found.items())
    results.note(f"Number of processes: {', '.join(processes)}.")


class SmallForges:
    """The small forge, with the plugin and without, on a database that is empty at first."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self.url = database.sqlalchemy_url
        self.environment = {small_forge.DATABASE: self.url, small_forge.FOLDER: str(folder)}


def measure_worker(forges: SmallForges, results: Results) -> None:
    """The memory of a worker that has answered, with the plugin and without."""
    small_forge.prepare(forges.url)
    found = {}
    with ExitStack() as stack:
        for which, application in APPLICATIONS.items():
            origin = f"http://{HOST}:{(port := free_port())}"
            command = gunicorn(application, port, workers="1")
            log = forges.folder / f"{which}.log"
            process = running(command, forges.environment, log, f"{origin}/")
            pid = stack.enter_context(process)
            small_forge.use(origin, has_plugin=which == "with")
            found[which] = proportional(children_of(pid)[0]) / 1e6
            results.figures[names.WORKER_MEMORY.format(which)] = found[which]
    results.figures[names.MEMORY_ADDED] = found["with"] - found["without"]


def measure_start(forges: SmallForges, rounds: int, results: Results) -> None:
    """How long a fresh process takes until the application is made, in turn."""
    taken: dict[str, list[float]] = {which: [] for which in APPLICATIONS}
    for _ in range(2 * rounds + 1):
        for which, application in APPLICATIONS.items():
            module, _, call = application.partition(":")
            code = f"import {module} as forge; forge.{call}"
            began = time.perf_counter()
            subprocess.run(
                [sys.executable, "-c", code], check=True, cwd=environments.ROOT,
                env={**os.environ, **forges.environment},
            )  # fmt: skip
            taken[which].append(time.perf_counter() - began)
    # The first of each compiles, and reads from the disk.
    medians = {which: statistics.median(seconds[1:]) for which, seconds in taken.items()}
    for which, seconds in medians.items():
        results.figures[names.START_TIME.format(which)] = seconds
    results.figures[names.START_ADDED] = medians["with"] - medians["without"]
