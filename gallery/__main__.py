"""`python -m gallery`: make a forge, train a few hundred candidates, take pictures of the pages."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from demo import server
from demo.errors import DemoError
from demo.forge import upgrade
from demo.instance import Instance, Keys, opened
from demo.training import SETTINGS
from gallery import forge
from gallery.shots import SHOTS
from gallery.training import Training, Trainings
from host_stub import create_app

PICTURES = Path(__file__).parents[1] / "docs" / "screenshots"


def main() -> int:
    """Do what the options say; the process's exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    options = _options()
    try:
        with _folder(options.keep) as path, opened(path) as instance:
            return _run(instance, options)
    except DemoError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m gallery", description=__doc__)
    parser.add_argument(
        "--keep", type=Path, metavar="DIR",
        help="keep the forge in this folder, and use the one that is there instead of training",
    )  # fmt: skip
    parser.add_argument("--afresh", action="store_true", help="train, whatever is in the folder")
    parser.add_argument("--serve", action="store_true", help="serve the forge, take no pictures")
    parser.add_argument("--port", type=int, default=0, help="default: a free one")
    parser.add_argument("--to", type=Path, default=PICTURES, help="folder of the pictures")
    parser.add_argument("--only", default="", help="take the pictures whose name has this in it")
    return parser.parse_args()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="gallery-") as folder:
        yield Path(folder)


def _run(instance: Instance, options: argparse.Namespace) -> int:
    port = options.port or _free_port()
    server.check_port(port)
    origin = f"http://{server.HOST}:{port}"
    kept = None if options.afresh else instance.read()
    if kept is None:
        instance.clear()
    app = create_app(instance.config)
    if kept is None:
        keys, token_of_bob = forge.make(app, origin)
    else:
        upgrade(app)
        keys = kept.at(origin)
    # For the client in this process.
    os.environ |= {
        **SETTINGS, "MLFLOW_TRACKING_URI": keys.tracking_uri, "MLFLOW_TRACKING_TOKEN": keys.token
    }  # fmt: skip
    with server.serving(instance, port) as running:
        if kept is None:
            fill(app, instance, keys, token_of_bob)
        # Only now, so that a training that was interrupted is no forge to keep.
        instance.write(keys)
        if options.serve:
            print(f"{keys.web_url}/-/ml/experiments\n{keys.user} {keys.password}", flush=True)
            running.wait_until_gone()
        return _take_pictures(app, keys, options)


def _take_pictures(app: Flask, keys: Keys, options: argparse.Namespace) -> int:
    # These need what trains and what tests, and the first the tracking server's address.
    from gallery import camera, stories

    shots = [each for each in SHOTS if options.only in each.name]
    missing = camera.take_all(shots, keys, stories.numbers(app), options.to)
    for sentence in missing:
        print(f"Not taken: {sentence}", file=sys.stderr)
    return 1 if missing else 0


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind((server.HOST, 0))
        return int(listener.getsockname()[1])


def fill(app: Flask, instance: Instance, keys: Keys, token_of_bob: str) -> None:
    """Train everything, and let people talk about it."""
    # It needs the address of the tracking server when it is imported.
    from gallery import stories

    print(f"Training, logging to {keys.tracking_uri}", flush=True)
    began = time.monotonic()
    branch = forge.start_job(app, "train-networks", ref=forge.BRANCH)
    main = forge.start_job(app, "train-networks")
    nightly = forge.start_job(app, "screening")
    nobody: dict[str, str] = {}
    stories.begin()
    Trainings(keys.tracking_uri, instance.path).run(
        [
            Training("networks", branch.token, "alice", branch.environment, ("adam",)),
            Training("search", token_of_bob, "bob", nobody),
            Training("networks", main.token, "alice", main.environment, ("sgd",)),
            Training("screening", nightly.token, "alice", nightly.environment),
            Training("boosting", token_of_bob, "bob", nobody),
            Training("long_run", keys.token, "alice", nobody),
            Training("progression", keys.token, "alice", nobody),
        ]
    )
    for job in (branch, main, nightly):
        forge.finish_job(app, job)
    stories.tell(app)
    stories.throw_away()
    count = len(forge.numbers(app))
    print(f"{count} candidates in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
