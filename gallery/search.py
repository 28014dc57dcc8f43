"""A search for a model of the digits without a network: parents, children, grandchildren."""

from __future__ import annotations

import time
from typing import Any

from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score
from sklearn.model_selection import ParameterGrid, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from demo.train import Data, load
from gallery import results
from gallery.candidate import NOTE, Candidate, candidate, experiment, name_of, params_of

FOLDS = 3
GRIDS: dict[str, tuple[type[ClassifierMixin], dict[str, list[Any]]]] = {
    "tree": (DecisionTreeClassifier, {"max_depth": [4, 8, 16], "min_samples_leaf": [1, 5]}),
    "neighbours": (
        KNeighborsClassifier,
        {"n_neighbors": [1, 3, 5, 9, 15], "weights": ["uniform", "distance"]},
    ),
    "forest": (
        RandomForestClassifier,
        {"n_estimators": [25, 100], "max_depth": [6, 12], "max_features": [4, 8, 16]},
    ),
    "svm": (SVC, {"C": [0.1, 1, 10, 100], "gamma": [0.001, 0.003, 0.01, 0.03, 0.1]}),
}
DESCRIPTION = "Everything that is *not* a network, so that we know what a network has to beat."


def train() -> None:
    """Search each family; the whole search is the parent of all."""
    data = load("digits")
    made = experiment("digits-search", "cv_accuracy", greater_is_better=True, note=DESCRIPTION)
    params = {"families": ", ".join(GRIDS), "folds": FOLDS}
    with candidate("search", made, params, data=data) as whole:
        scores = {family: search(data, made, family, whole) for family in GRIDS}
        best = max(scores, key=lambda family: scores[family])
        whole.measure(cv_accuracy=scores[best], tried=sum(len(ParameterGrid(GRIDS[each][1]))
                                                          for each in GRIDS))  # fmt: skip
        whole.tags["best_family"] = best


def search(data: Data, experiment_id: str, family: str, whole: Candidate) -> float:
    """Try all settings of a family, and keep the best model; its score."""
    grid = GRIDS[family][1]
    params = {f"grid.{key}": values for key, values in grid.items()}
    tags = {"family": family}
    name = f"{family}-grid"
    with candidate(
        name, experiment_id, params, data=data, parent=whole.run_id, tags=tags
    ) as parent:
        tried = [
            try_settings(data, experiment_id, family, settings, parent)
            for settings in ParameterGrid(grid)
        ]
        best, model, settings = max(tried, key=lambda each: each[0].latest("cv_accuracy"))
        metrics = ["cv_accuracy", "accuracy", "f1"]
        parent.measure(**{key: best.latest(key) for key in metrics})
        parent.tags[NOTE] = (
            f"Best of {len(tried)}: " + ", ".join(f"`{k}` = {v}" for k, v in settings.items()) + "."
        )
        results.write_report(parent, model, data)
        results.write(parent, name, model, data, metrics, settings)
    return parent.latest("cv_accuracy")


def try_settings(
    data: Data, experiment_id: str, family: str, settings: dict[str, Any], parent: Candidate
) -> tuple[Candidate, ClassifierMixin, dict[str, Any]]:
    """One try: cross-validated, then judged on what was held out."""
    model = GRIDS[family][0](**settings)
    if "random_state" in model.get_params():
        model.set_params(random_state=0)
    name = name_of(family, settings, GRIDS[family][1])
    tags = {"family": family}
    with candidate(name, experiment_id, params_of(model), parent=parent.run_id, tags=tags) as made:
        folds = cross_val_score(model, data.x_train, data.y_train, cv=FOLDS)
        for number, score in enumerate(folds):
            made.measure(number, fold_accuracy=score)
        made.measure(cv_accuracy=folds.mean(), cv_deviation=folds.std())
        began = time.perf_counter()
        model.fit(data.x_train, data.y_train)
        predicted = model.predict(data.x_test)
        made.measure(
            accuracy=accuracy_score(data.y_test, predicted),
            f1=f1_score(data.y_test, predicted, average="macro"),
            fit_and_predict_seconds=time.perf_counter() - began,
        )
    return made, model, settings


if __name__ == "__main__":
    train()
