"""What a data scientist sees whose token is not good enough: one try of everything, per token.

Reads JSON from standard input: a list of objects with the tracking URI, the token (null: none)
and a run that is there. The last line that it prints is JSON: per object, what each try came to.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import mlflow
from mlflow import MlflowClient


def outcome(attempt: Callable[[], object]) -> dict[str, str]:
    """The exception in the user's terms; empty if there is none."""
    try:
        attempt()
    except Exception as error:
        return {
            "type": type(error).__name__,
            "code": getattr(error, "error_code", ""),
            "message": str(error),
        }
    return {}


def attempts(client: MlflowClient, run_id: str, folder: str) -> dict[str, Callable[[], object]]:
    """Everything that a training script begins or ends with."""
    note = Path(folder, "note.txt")
    note.write_text("hello")
    return {
        "look": lambda: client.search_experiments(),
        "find": lambda: client.get_run(run_id),
        "set_experiment": lambda: mlflow.set_experiment("digits"),
        "start_run": lambda: client.create_run("0"),
        "log": lambda: client.log_metric(run_id, "loss", 0.5),
        "upload": lambda: client.log_artifact(run_id, str(note)),
        "download": lambda: client.download_artifacts(run_id, "seen.txt", folder),
    }


def tries(case: dict[str, str | None], folder: str) -> dict[str, dict[str, str]]:
    """All attempts with one token, and what came of them."""
    os.environ.pop("MLFLOW_TRACKING_TOKEN", None)
    if case["token"] is not None:
        os.environ["MLFLOW_TRACKING_TOKEN"] = case["token"]
    mlflow.set_tracking_uri(case["uri"])
    given = attempts(MlflowClient(), case["run_id"], folder)
    return {name: outcome(attempt) for name, attempt in given.items()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        print(json.dumps([tries(case, temporary) for case in json.load(sys.stdin)]))
