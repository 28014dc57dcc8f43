"""What a data scientist's script does all day, timed; a process of its own runs it.

`python -m bench.training` reads servers and rounds from its standard input, and writes seconds. The
servers take turns in each round. The client is MLflow's own, with its own way to log.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from typing import Any

WARM_UP = 10
"""Calls of the first round."""


def main() -> None:
    """Train against each server in turn; the seconds of each, by server and by what was done."""
    asked = json.load(sys.stdin)
    # They are of the client's, and nothing that this measures.
    warnings.simplefilter("ignore")
    found: dict[str, dict[str, list[float]]] = {}
    for number in range(asked["rounds"] + 1):
        for server in asked["servers"]:
            os.environ["MLFLOW_TRACKING_TOKEN"] = server["token"]
            seconds = _train(server["uri"], WARM_UP if number == 0 else asked["calls"])
            # The first round warms the client up.
            if number > 0:
                for what, taken in seconds.items():
                    found.setdefault(what, {}).setdefault(server["name"], []).append(taken)
    json.dump(found, sys.stdout)


def _train(uri: str, points: int) -> dict[str, float]:
    import mlflow

    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("training")
    began = time.perf_counter()
    with mlflow.start_run():
        for step in range(points):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
    logged = time.perf_counter()
    _fit()
    return {"loop": logged - began, "autolog": time.perf_counter() - logged}


def _fit() -> None:
    """A fit that logs by itself, without what FastTrackML has no endpoint for."""
    import mlflow.sklearn
    from sklearn.datasets import load_iris  # type: ignore[import-untyped]
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

    mlflow.sklearn.autolog(log_models=False, log_datasets=False, silent=True)
    features: Any
    features, kinds = load_iris(return_X_y=True)
    with mlflow.start_run() as run:
        LogisticRegression(max_iter=200).fit(features, kinds)
    logged = mlflow.get_run(run.info.run_id).data
    if "training_accuracy_score" not in logged.metrics or "max_iter" not in logged.params:
        raise SystemExit("autolog logged nothing")


if __name__ == "__main__":
    main()
