"""Around the trainings: the best is chosen, the worst thrown away, people talk about the rest."""

from __future__ import annotations

from typing import Any

import mlflow
from flask import Flask
from mlflow.entities import Run

from gallery import forge, texts
from gallery.candidate import CLIENT, NOTE

BAD = 3
"""Candidates that go into the trash."""


def begin() -> None:
    """Make what is older than all trainings: an experiment in the trash, and an empty one."""
    CLIENT.delete_experiment(CLIENT.create_experiment("first-try"))
    CLIENT.create_experiment("digits-ensembles", tags={NOTE: "Nothing yet; to come after !1."})


def tell(app: Flask) -> None:
    """Choose the best network, tag it, and mention it where people talk."""
    best = _best("digits-networks", "metrics.accuracy DESC", "metrics.loss ASC")
    failed = _best("digits-networks", "attributes.start_time", status="FAILED")
    rivals = {
        family: _best("digits-search", "metrics.cv_accuracy DESC", family=family)
        for family in ("svm", "tree")
    }
    accuracy = best.data.metrics["accuracy"]
    CLIENT.set_tag(best.info.run_id, "champion", "yes")
    rival = rivals["svm"].data.metrics["accuracy"]
    CLIENT.set_tag(best.info.run_id, NOTE, texts.CROWNED.format(accuracy=accuracy, rival=rival))
    at = forge.numbers(app)
    rows = [(best, "network"), (rivals["svm"], "support vector machine"), (rivals["tree"], "tree")]
    words = {
        "best": _mention(best, at),
        "accuracy": accuracy,
        "baseline": _mention(rivals["tree"], at),
        "baseline_accuracy": rivals["tree"].data.metrics["accuracy"],
        "wrong": _wrong(best),
        "baseline_wrong": _wrong(rivals["tree"]),
        "failed": _mention(failed, at),
        "rows": "\n".join(_row(run, what, at) for run, what in rows),
    }
    forge.tell(app, words)


def throw_away() -> None:
    """Put the worst networks into the trash."""
    for run in _found("digits-networks", "metrics.accuracy ASC")[:BAD]:
        CLIENT.delete_run(run.info.run_id)


def numbers(app: Flask) -> dict[str, str]:
    """The numbers that addresses of pages need, by the names that `shots.py` has for them."""
    names = ("networks", "search", "boosting", "long-trainings")
    found = {name: mlflow.get_experiment_by_name(f"digits-{name}") for name in names}
    numbers = {name: each.experiment_id for name, each in found.items() if each is not None}
    at = forge.numbers(app)
    for name in names:
        runs = _found(f"digits-{name}", "metrics.accuracy DESC", "metrics.loss ASC")
        best = [str(at[run.info.run_id]) for run in runs]
        numbers |= {f"best-of-{name}": best[0], f"best-4-of-{name}": ",".join(best[:4])}
    parents = {run.data.tags.get("mlflow.parentRunId") for run in _found("digits-search")}
    numbers["parents"] = ",".join(sorted(str(at[eid]) for eid in parents - {None}))
    return numbers


def _best(name: str, *order: str, status: str = "FINISHED", family: str = "") -> Run:
    found = _found(name, *order, status=status, family=family)
    return found[0]


def _found(name: str, *order: str, status: str = "FINISHED", family: str = "") -> list[Run]:
    wanted = f"attributes.status = '{status}'"
    if family:
        wanted += f" and tags.family = '{family}'"
    runs: list[Run] = mlflow.search_runs(
        experiment_names=[name], filter_string=wanted, order_by=list(order), output_format="list"
    )
    return runs


def _mention(run: Run, at: dict[str, int]) -> str:
    return f"[candidate:{at[run.info.run_id]}]"


def _wrong(run: Run) -> int:
    return round((1 - run.data.metrics["accuracy"]) * texts.SAMPLES)


def _row(run: Run, what: str, at: dict[str, int]) -> str:
    metrics: dict[str, Any] = run.data.metrics
    return texts.ROW.format(
        candidate=_mention(run, at), what=what, accuracy=metrics["accuracy"], f1=metrics["f1"]
    )
