"""Malignant or benign? Classifiers on the shape of cell nuclei, trained by a CI job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    confusion_matrix,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import ParameterGrid
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from demo.train import Data, load
from gallery import results
from gallery.candidate import candidate, experiment, name_of, params_of

GRIDS: list[tuple[type[ClassifierMixin], dict[str, list[Any]]]] = [
    (LogisticRegression, {"C": np.logspace(-3, 2, 11).round(4).tolist(), "max_iter": [2000]}),
    (SVC, {"C": [0.1, 1, 10, 100], "kernel": ["linear", "rbf", "poly"]}),
    (KNeighborsClassifier, {"n_neighbors": [3, 5, 9, 15, 25], "weights": ["uniform", "distance"]}),
    (RandomForestClassifier, {"n_estimators": [20, 100], "max_depth": [3, 6, None]}),
    (GradientBoostingClassifier, {"n_estimators": [50, 100], "max_depth": [1, 2, 3]}),
]
DESCRIPTION = """\
A tumour that is **missed** is worse than a false alarm: look at `recall` and `missed` before
`accuracy`. 143 samples are held out, so one of them is 0.7 %.
"""


def train() -> None:
    """Train all of them; class 1 is what we look for, the malignant."""
    data = malignant_first(load("breast_cancer"))
    made = experiment("tumours-screening", "auc", greater_is_better=True, note=DESCRIPTION)
    for name, model in models():
        judge(data, made, name, model)


def malignant_first(data: Data) -> Data:
    """The same data, with what is looked for as class 1."""
    data.labels.reverse()
    data.y_train, data.y_test = 1 - data.y_train, 1 - data.y_test
    return data


def models() -> Iterator[tuple[str, ClassifierMixin]]:
    """All models of all grids, with names that tell them apart."""
    for kind, grid in GRIDS:
        for settings in ParameterGrid(grid):
            model = kind(**settings)
            if "random_state" in model.get_params():
                model.set_params(random_state=0)
            yield name_of(kind.__name__, settings, grid), model


def judge(data: Data, experiment_id: str, name: str, model: ClassifierMixin) -> None:
    """Train one model; the figures are for the best only."""
    params = params_of(model)
    with candidate(name, experiment_id, params, data=data, tags={"stage": "screening"}) as made:
        model.fit(data.x_train, data.y_train)
        made.measure(**scores(model, data))
        if made.latest("missed") <= 2:
            results.draw_roc(made, model, data)
            results.write_report(made, model, data)
        if made.latest("missed") <= 1:
            wanted = ["auc", "recall", "precision", "accuracy", "missed", "false_alarms"]
            results.write(made, name, model, data, wanted, params)


def scores(model: ClassifierMixin, data: Data) -> dict[str, float]:
    """How well the malignant are found, and what that costs."""
    predicted = model.predict(data.x_test)
    if hasattr(model, "decision_function"):
        surety = model.decision_function(data.x_test)
    else:
        surety = model.predict_proba(data.x_test)[:, 1]
    (_, false_alarms), (missed, _) = confusion_matrix(data.y_test, predicted)
    return {
        "auc": roc_auc_score(data.y_test, surety),
        "average_precision": average_precision_score(data.y_test, surety),
        "recall": recall_score(data.y_test, predicted),
        "precision": precision_score(data.y_test, predicted),
        "accuracy": accuracy_score(data.y_test, predicted),
        "train_accuracy": model.score(data.x_train, data.y_train),
        "missed": missed,
        "false_alarms": false_alarms,
    }


if __name__ == "__main__":
    train()
