"""Whether ours stays as fast when there is much more: medians of one client, in turn."""

from __future__ import annotations

import statistics
import time
import urllib.request
from collections.abc import Callable
from urllib.parse import urlsplit

from bench import names, wrk
from bench.operations import Operation, logging_into, search_large, search_small
from bench.results import Results
from bench.seeds import HISTORY, Seeds
from bench.speed import Patience

ASKED = 10
"""How often a curve is asked for in each round."""


def measure_searches(seeds: Seeds, patience: Patience, results: Results) -> None:
    """The same search in the large experiment and in a small one."""
    large, small = _medians(seeds, (search_large(seeds.scale), search_small()), patience)
    many = seeds.scale.candidates
    results.figures[names.SEARCH_TIME.format(1000)] = small * 1000
    results.figures[names.SEARCH_TIME.format(many)] = large * 1000
    results.figures[names.SEARCH_FLATNESS] = large / small


def measure_logging(seeds: Seeds, patience: Patience, results: Results) -> None:
    """Log into the longest history, and into one that is empty at first."""
    points = seeds.scale.points
    operations = (logging_into(points, seeds["longest"]), logging_into(0, seeds["empty"]))
    long, short = _medians(seeds, operations, patience)
    results.figures[names.LOG_TIME.format(0)] = short * 1000
    results.figures[names.LOG_TIME.format(points)] = long * 1000
    results.figures[names.LOG_FLATNESS] = long / short


def measure_curves(seeds: Seeds, patience: Patience, results: Results) -> None:
    """What a chart of the longest history asks for, and one of 10,000 points."""
    points = seeds.scale.points
    questions = [_curve_of(seeds, run) for run in ("longest", "long")]
    taken: list[list[float]] = [[], []]
    sizes = [0, 0]
    for _ in range(patience.rounds * ASKED):
        for which, ask in enumerate(questions):
            began = time.perf_counter()
            sizes[which] = ask()
            taken[which].append(time.perf_counter() - began)
    long, short = map(statistics.median, taken)
    results.figures[names.CURVE_TIME.format(10_000)] = short * 1000
    results.figures[names.CURVE_TIME.format(points)] = long * 1000
    results.figures[names.CURVE_SLOWNESS] = long / short
    results.figures[names.CURVE_BYTES.format(10_000)] = sizes[1]
    results.figures[names.CURVE_BYTES.format(points)] = sizes[0]
    results.figures[names.CURVE_GROWTH] = sizes[0] / sizes[1]


def _medians(
    seeds: Seeds, operations: tuple[Operation, Operation], patience: Patience
) -> list[float]:
    """The median seconds of a request of each operation, with one client."""
    found: list[list[float]] = [[], []]
    for operation in operations:
        wrk.probe(seeds, operation)
    for _ in range(patience.rounds):
        for which, operation in enumerate(operations):
            speed = wrk.drive(seeds, operation, patience.seconds, clients=1)
            if speed.failed:
                raise SystemExit(f"{operation.name}: {speed.failed:.1%} of the requests failed")
            found[which].append(speed.median)
    return [statistics.median(each) for each in found]


def _curve_of(seeds: Seeds, run: str) -> Callable[[], int]:
    """A function that asks as the script of the page does, and gives the bytes of the answer."""
    server = seeds.server
    if server.forge is None:
        raise SystemExit("only ours has curves")
    query = "SELECT iid FROM mlops_candidates WHERE eid = %s"
    iid = server.database.value(query, seeds[run])
    parts = urlsplit(server.uri)
    url = (
        f"{parts.scheme}://{parts.netloc}/{server.forge.project_path}/-/ml/curves"
        f"?candidates={iid}&metrics={HISTORY}"
    )
    request = urllib.request.Request(url, headers={"Cookie": server.forge.cookie})

    def ask() -> int:
        with urllib.request.urlopen(request, timeout=60) as response:
            content: bytes = response.read()
        if b'"shown"' not in content:
            raise SystemExit(f"{url} shows no curve: {content[:200]!r}")
        return len(content)

    return ask
