"""`python -m bench`: ours, the stock server, FastTrackML and a floor under the same load.

All are on one PostgreSQL and take turns, so that drift of the machine hits all; what counts are the
ratios of one run, and figures of two runs cannot be compared.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench import postgresql, report
from bench.run import Run
from bench.seeds import Scale
from bench.servers import PEERS
from bench.speed import Patience

QUICK = Scale(candidates=2000, points=20_000, calls=100)


def main() -> None:
    """Measure what the options say, print it, and write it where they say."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed: apt-get install wrk")
    patience = Patience(1, 1) if options.quick else Patience(options.seconds, options.rounds)
    began = time.monotonic()
    with ExitStack() as stack:
        folder = stack.enter_context(_folder())
        server = stack.enter_context(postgresql.running())
        run = Run(QUICK if options.quick else Scale(), patience, options.only)
        names = stack.enter_context(run.started(folder, server, options.peers))
        run.measure(folder, server)
        how = (
            f"{patience.rounds} rounds of {patience.seconds:g} s, {_minutes(began)} minutes in all"
        )
        if options.only:
            how += f", only what has “{options.only}” in its name"
        content = report.text(run.results, report.surroundings(server, names, how))
    print(f"\n{content}")
    if options.write is not None:
        report.write(options.write, content)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=2, help="of each load (default: 2)")
    parser.add_argument("--rounds", type=int, default=3, help="of each load (default: 3)")
    parser.add_argument(
        "--only", default="", metavar="WORD", help="measure what has this in its name"
    )
    parser.add_argument(
        "--peers", default=",".join(PEERS), metavar="NAMES",
        help=f"of {' and '.join(PEERS)}, separated by a comma; or none (default: both)",
    )  # fmt: skip
    parser.add_argument(
        "--quick", action="store_true",
        help="one short round on little data: shows that it works, and nothing else",
    )  # fmt: skip
    parser.add_argument(
        "--write", type=Path, metavar="FILE",
        help="put the tables between the marks in this file, such as docs/performance.md",
    )  # fmt: skip
    options = parser.parse_args()
    options.peers = [name for name in options.peers.split(",") if name not in ("", "none")]
    if unknown := set(options.peers) - set(PEERS):
        parser.error(f"there is no peer {', '.join(sorted(unknown))}")
    return options


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def _minutes(began: float) -> str:
    return f"{(time.monotonic() - began) / 60:.1f}"


if __name__ == "__main__":
    main()
