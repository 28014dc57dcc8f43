"""Measures both servers in turn, so that drift of the machine hits both, and prints ratios."""

from __future__ import annotations

import argparse
import shutil
import statistics

from bench.loads import OPERATIONS, rate, seed
from bench.servers import servers


def main() -> None:
    """Run the benchmark; the figures of one run can be compared, those of two cannot."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="per operation, server and round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="operations whose name has this in it")
    chosen = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed: apt-get install wrk")
    with servers() as running:
        print("seeding", flush=True)
        names = {server.name: seed(server) for server in running}
        print(f"{'requests per second':28}{'ours':>10}{'stock':>10}{'ratio':>8}")
        offset = 0
        for operation in OPERATIONS:
            if chosen.only not in operation.name:
                continue
            rates: dict[str, list[float]] = {server.name: [] for server in running}
            for _ in range(chosen.rounds):
                for server in running:
                    offset += 1_000_000
                    measured = rate(server, operation, names[server.name], chosen.seconds, offset)
                    rates[server.name].append(measured)
            ours, stock = (statistics.median(rates[server.name]) for server in running)
            ratio = f"{ours / stock:.1f}x" if stock else "-"
            print(f"{operation.name:28}{ours:10.1f}{stock:10.1f}{ratio:>8}", flush=True)


if __name__ == "__main__":
    main()
