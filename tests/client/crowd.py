"""Many clients of one team begin the same new experiment at the same moment.

Each is a process of its own; they are forked, because MLflow takes seconds to import. The last
line printed is JSON: the experiment id that each of them got, or what went wrong.
"""

import json
import multiprocessing
import sys
from typing import Any

import mlflow


def begin(barrier: Any, name: str, answers: Any) -> None:
    """Wait for the others, then set the experiment."""
    barrier.wait(60)
    try:
        answers.put(mlflow.set_experiment(name).experiment_id)
    except Exception as error:
        answers.put(f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    size, name = int(sys.argv[1]), sys.argv[2]
    fork = multiprocessing.get_context("fork")
    barrier, answers = fork.Barrier(size), fork.Queue()
    crowd = [fork.Process(target=begin, args=(barrier, name, answers)) for _ in range(size)]
    for client in crowd:
        client.start()
    print(json.dumps([answers.get(timeout=120) for _ in crowd]))
