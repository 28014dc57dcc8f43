"""Which pictures are taken, and of what."""

from __future__ import annotations

from dataclasses import dataclass

NETWORKS = "-/ml/experiments/{networks}"
TABLE = f"{NETWORKS}?order_by=metrics.accuracy+DESC"
CANDIDATE = "-/ml/candidates/{best-of-networks}"
COMPARISON = f"{NETWORKS}/compare?candidates={{best-4-of-networks}}&baseline={{best-of-networks}}"
LONG = "-/ml/candidates/{best-of-long-trainings}/charts?chart=batch_loss&chart=loss&chart=accuracy"
LEARNED = "&filter=metrics.accuracy+>+0.9"
"""The other networks learned next to nothing, and would be all that one sees."""
COLUMNS = "&columns=".join(
    ("", "status", "metrics.accuracy", "metrics.f1", "metrics.loss", "metrics.train_accuracy",
     "metrics.train_loss", "params.activation", "params.alpha")
)  # fmt: skip
CANVAS = ".mlops canvas"


@dataclass(frozen=True)
class Shot:
    """One picture: `docs/screenshots/<name>.png`.

    `path` is below the project, with names of numbers (`stories.numbers`) in braces. What matches
    `until` shows when the page is complete; what matches `at` is scrolled to the top.
    """

    name: str
    path: str
    until: str = ".mlops h1"
    at: str = ""
    scheme: str = "light"
    is_phone: bool = False
    height: int = 800


SHOTS = (
    Shot("experiments", "-/ml/experiments"),
    Shot("experiment", TABLE, height=900),
    Shot("tree", "-/ml/experiments/{search}?rows=tree&open={parents}", height=900),
    Shot("filter-error", f"{NETWORKS}?filter=metrics.accuracy+>>+0.9"),
    Shot("wide", f"{NETWORKS}/wide?heat=1{COLUMNS}{LEARNED}", until=".tabulator-row"),
    Shot(
        "charts",
        f"{NETWORKS}/charts?x=params.learning_rate&y=metrics.accuracy&color=params.solver&log=x"
        f"{LEARNED}",
        until=CANVAS,
        height=1000,
    ),
    Shot(
        "parallel-coordinates",
        f"{NETWORKS}/charts?axes_color=metrics.accuracy{LEARNED}",
        until="#mlops-parallel canvas",
        at="#mlops-parallel",
    ),
    Shot("comparison", COMPARISON, height=900),
    Shot(
        "comparison-curves",
        "-/ml/experiments/{boosting}/compare?candidates={best-4-of-boosting}"
        "&chart=loss&chart=train_loss&scale=log",
        until=CANVAS,
        at="#mlops-curves-section",
    ),
    Shot(
        "comparison-images",
        f"{COMPARISON}&image=figures/confusion_matrix.png",
        until="#mlops-images img",
        at="#mlops-images",
    ),
    Shot("candidate", CANDIDATE, height=900),
    Shot("curves", LONG, until=CANVAS),
    Shot("artifact", f"{CANDIDATE}/files?path=figures/confusion_matrix.png", until=".mlops img"),
    Shot("merge-request", "-/merge_requests/1", until="h1"),
    Shot(
        "merge-request-candidates",
        "-/merge_requests/1",
        until="h1",
        at="#mlops-proposal",
        height=900,
    ),
    Shot("experiment-dark", TABLE, scheme="dark", height=900),
    Shot("curves-dark", LONG, until=CANVAS, scheme="dark"),
    Shot("experiment-phone", TABLE, at="#mlops-region", is_phone=True),
    Shot("candidate-phone", CANDIDATE, is_phone=True),
    Shot("curves-phone", f"{CANDIDATE}/charts", until=CANVAS, at="#mlops-curves", is_phone=True),
)
