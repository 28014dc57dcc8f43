"""Which pictures are taken, and of what."""

from __future__ import annotations

from dataclasses import dataclass

TABLE = "-/ml/experiments/{networks}?order_by=metrics.accuracy+DESC"
CANDIDATE = "-/ml/candidates/{best-of-networks}"
COMPARISON = (
    "-/ml/experiments/{networks}/compare"
    "?candidates={best-4-of-networks}&baseline={best-of-networks}"
)
LONG = "-/ml/candidates/{best-of-long-trainings}/charts"
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
    Shot("filter-error", "-/ml/experiments/{networks}?filter=metrics.accuracy+>>+0.9"),
    Shot("wide", "-/ml/experiments/{networks}/wide", until=".tabulator-row"),
    Shot(
        "charts",
        "-/ml/experiments/{networks}/charts?filter=metrics.accuracy+>+0.9"
        "&x=params.learning_rate&y=metrics.accuracy&color=params.solver&log=x",
        until=CANVAS,
        height=1000,
    ),
    Shot("comparison", COMPARISON, height=900),
    Shot(
        "comparison-curves",
        "-/ml/experiments/{boosting}/compare?candidates={best-4-of-boosting}",
        until=CANVAS,
    ),
    Shot("candidate", CANDIDATE, height=900),
    Shot("curves", LONG, until=CANVAS),
    Shot("artifact", f"{CANDIDATE}/files?path=figures/confusion_matrix.png", until=".mlops img"),
    Shot("artifact-table", f"{CANDIDATE}/files?path=predictions.csv"),
    Shot("merge-request", "-/merge_requests/1", until="h1"),
    Shot("experiment-dark", TABLE, scheme="dark", height=900),
    Shot("comparison-dark", COMPARISON, scheme="dark", height=900),
    Shot("curves-dark", LONG, until=CANVAS, scheme="dark"),
    Shot("experiment-phone", TABLE, is_phone=True),
    Shot("candidate-phone", CANDIDATE, is_phone=True),
    Shot("curves-phone", f"{CANDIDATE}/charts", until=CANVAS, is_phone=True),
)
