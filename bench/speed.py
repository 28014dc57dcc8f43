"""Requests per second of every server, in turn, so that drift of the machine hits all of them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.error import URLError

from bench import names, wrk
from bench.operations import Operation
from bench.results import Results, Row, Unit
from bench.seeds import CLIENTS, Seeds

LONGEST = 10  # seconds


@dataclass(frozen=True)
class Patience:
    """How long is measured: seconds per load, and how many rounds."""

    seconds: float
    rounds: int

    def duration(self, once: float) -> float:
        """How long to drive a server that answers one request in `once` seconds.

        The slow ones get more time, so that a few of their answers are counted.
        """
        return max(self.seconds, min(LONGEST, 3 * CLIENTS * once))


def measure(
    all_seeds: Mapping[str, Seeds], operation: Operation, patience: Patience, results: Results
) -> None:
    """Compare the answers, then drive all in turn; adds a row of medians.

    A wrong answer of ours ends the run. A peer that fails is left out, with a note.
    """
    durations = _answering(all_seeds, operation, patience, results)
    rates: dict[str, list[float]] = {name: [] for name in durations}
    for _ in range(patience.rounds):
        for name, seconds in durations.items():
            speed = wrk.drive(all_seeds[name], operation, seconds)
            if speed.failed:
                _blame(name, operation, f"{speed.failed:.1%} of its answers were errors", results)
            rates[name].append(speed.rate)
    values = {name: statistics.median(found) for name, found in rates.items()}
    results.rows.append(Row(operation.name, Unit.RATE, values))


def _answering(
    all_seeds: Mapping[str, Seeds], operation: Operation, patience: Patience, results: Results
) -> dict[str, float]:
    """How long to drive each server that answers as ours does."""
    expected, once = wrk.probe(all_seeds["ours"], operation)
    durations = {"ours": patience.duration(once)}
    for name, seeds in all_seeds.items():
        if name == "ours" or (seeds.server.is_floor and not operation.floor):
            continue
        try:
            answer, once = wrk.probe(seeds, operation)
        except URLError as error:
            _blame(name, operation, f"it answered “{error}”", results)
            continue
        if answer != expected and not seeds.server.is_floor:
            raise SystemExit(f"{operation.name}: {name} answers otherwise than ours")
        durations[name] = patience.duration(once)
    return durations


def _blame(name: str, operation: Operation, what: str, results: Results) -> None:
    if name in ("ours", "floor"):
        raise SystemExit(f"{operation.name}: {name}: {what}")
    results.note(f"{names.SERVERS[name]}, {operation.name}: {what}.")
