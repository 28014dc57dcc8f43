"""`python -m demo`: make a forge, train against it, say where to look, and serve it."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from flask import Flask

from demo import code, forge, server, training
from demo.errors import DemoError
from demo.instance import Instance, Keys, opened
from host_stub import create_app

ROOT = Path(__file__).parents[1]
ADDRESSES = """
  Project           {web_url}
  Experiments       {web_url}/-/ml/experiments
{found}  Merge request     {web_url}/-/merge_requests/1
  Issue             {web_url}/-/issues/1
  Private project   {origin}/{closed}

  Sign in           {origin}/users/sign_in
    {user:15} {password}   owns both projects
    {reader:15} {reader_password}   sees what is public

  Log to it         source {environment}
  Tracking URI      {tracking_uri}
"""


def main() -> int:
    """Run the demo until it is interrupted; the process's exit code."""
    # Also where a shell that started us in the background ignores Ctrl-C for us.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    options = _options()
    try:
        with opened(options.instance.resolve()) as instance:
            server.check_port(options.port)
            _run(instance, options)
    except DemoError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. `make serve` serves it again, `make demo` begins afresh.")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument(
        "--serve-only", action="store_true", help="keep the forge that is there, and do not train"
    )
    parser.add_argument("--epochs", type=int, default=30, help="of each training")
    parser.add_argument(
        "--instance", type=Path, default=ROOT / "instance", help="the folder that holds everything"
    )
    return parser.parse_args()


def _run(instance: Instance, options: argparse.Namespace) -> None:
    origin = f"http://{server.HOST}:{options.port}"
    kept = instance.read() if options.serve_only else None
    if kept is None:
        instance.clear()
    app = create_app(instance.config)
    if kept is not None:
        forge.upgrade(app)
    keys = forge.make(app, origin, options.epochs) if kept is None else kept.at(origin)
    instance.write(keys)
    with server.serving(instance, options.port) as running:
        if not options.serve_only:
            _train(app, instance, keys, origin, options.epochs)
        _print_addresses(app, instance, keys, origin)
        running.wait_until_gone()


def _train(app: Flask, instance: Instance, keys: Keys, origin: str, epochs: int) -> None:
    """Train both by CI and by hand, and let people talk about the best candidates."""
    print("Training on handwritten digits in CI, and on tumours by hand", flush=True)
    began = time.monotonic()
    closed_uri = forge.closed_uri(app, origin)
    by_hand = training.Training(
        "breast_cancer", closed_uri, keys.token, epochs, instance.log("training")
    )
    with by_hand.running():
        code.run_pipelines(app, forge.OPEN, keys.user, origin)
    forge.tell(
        app,
        origin,
        training.best_runs(keys.tracking_uri, keys.token, "digits"),
        training.best_runs(closed_uri, keys.token, "breast_cancer"),
    )
    print(f"Done in {time.monotonic() - began:.0f} s.")


def _print_addresses(app: Flask, instance: Instance, keys: Keys, origin: str) -> None:
    runs = training.best_runs(keys.tracking_uri, keys.token, "digits")
    found = ""
    if runs:
        page = f"{keys.web_url}/-/ml/candidates/{forge.number_of(app, runs[0])}"
        found = f"  Best candidate    {page}\n"
    environment = instance.path / "demo.env"
    shown = ADDRESSES.format(
        **vars(keys), found=found, origin=origin, closed=forge.CLOSED, environment=environment
    )
    print(shown)
    print("Serving until Ctrl-C.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
