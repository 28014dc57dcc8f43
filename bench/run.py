"""One run: the servers, everything that is measured of them, and in which order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from bench import client, flatness, footprint, names, speed, table
from bench.footprint import SmallForges
from bench.operations import operations
from bench.postgresql import PostgreSQL
from bench.results import Results
from bench.seeds import Scale, Seeds
from bench.servers import PEERS, SERVERS, Server
from bench.speed import Patience

Step = Callable[[], None]


class Run:
    """Servers with their seeds, and the results so far. `only` is in the names that are wanted."""

    def __init__(self, scale: Scale, patience: Patience, only: str) -> None:
        self.scale = scale
        self.patience = patience
        self.only = only
        self.results = Results(operations=[each.name for each in operations(scale)])
        self.seeds: dict[str, Seeds] = {}

    @contextmanager
    def started(
        self, folder: Path, postgresql: PostgreSQL, peers: Sequence[str]
    ) -> Iterator[list[str]]:
        """Start ours, the floor and the peers until the block ends; gives their names."""
        wanted = [name for name in SERVERS if name not in PEERS or name in peers]
        with ExitStack() as stack:
            for name in wanted:
                print(f"starting {names.SERVERS[name]}", flush=True)
                place = folder / name
                place.mkdir()
                server = SERVERS[name](place, postgresql.database(name))
                self.seeds[name] = Seeds(stack.enter_context(server), self.scale)
            yield wanted

    def measure(self, folder: Path, postgresql: PostgreSQL) -> None:
        """Everything whose name has `only` in it."""
        for name, step in self._steps(folder, postgresql):
            if self.only not in name:
                continue
            began, before = time.monotonic(), len(self.results.rows)
            step()
            print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)
            for row in self.results.rows[before:]:
                print(f"    {table.one_line(row)}", flush=True)

    def _steps(self, folder: Path, postgresql: PostgreSQL) -> Iterator[tuple[str, Step]]:
        """The sizes come first, while the tables have no gaps, and the memory after the loads."""
        results, patience, ours = self.results, self.patience, self.seeds["ours"]
        yield names.BYTES_PER_POINT, partial(footprint.measure_bytes, self.seeds, results)
        for each in operations(self.scale):
            yield each.name, partial(speed.measure, self.seeds, each, patience, results)
        yield (
            names.CLIENT,
            partial(client.measure, self.servers(), self.scale.calls, patience.rounds, results),
        )
        yield names.MEMORY, partial(footprint.measure_memory, self.seeds, results)
        yield names.SEARCH_FLATNESS, partial(flatness.measure_searches, ours, patience, results)
        yield names.LOG_FLATNESS, partial(flatness.measure_logging, ours, patience, results)
        yield names.CURVE_SLOWNESS, partial(flatness.measure_curves, ours, patience, results)
        small = SmallForges(folder, postgresql.database("small"))
        yield names.MEMORY_ADDED, partial(footprint.measure_worker, small, results)
        yield names.START_ADDED, partial(footprint.measure_start, small, patience.rounds, results)

    def servers(self) -> list[Server]:
        """Those that keep what they are told."""
        return [seeds.server for seeds in self.seeds.values() if not seeds.server.is_floor]
