"""How far will the diabetes be in a year? Regressions, of which some fail."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.datasets import load_diabetes
from sklearn.ensemble import GradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import ElasticNet, Lasso, Ridge, SGDRegressor
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import ParameterGrid, train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.svm import SVR

from demo.train import Data
from gallery import results
from gallery.candidate import candidate, experiment, name_of, params_of

STRENGTHS = np.logspace(-3, 1, 9).round(4).tolist()
GRIDS: list[tuple[type[RegressorMixin], dict[str, list[Any]]]] = [
    (Ridge, {"alpha": STRENGTHS}),
    (Lasso, {"alpha": STRENGTHS}),
    (ElasticNet, {"alpha": STRENGTHS[:5], "l1_ratio": [0.2, 0.5, 0.8]}),
    (SGDRegressor, {"alpha": [0.0001, 0.01], "eta0": [0.01, 0.1, 1e150]}),
    (KNeighborsRegressor, {"n_neighbors": [5, 10, 20, 40], "weights": ["uniform", "distance"]}),
    (SVR, {"C": [1, 10, 100], "gamma": [0.1, 1.0, 10.0]}),
    (RandomForestRegressor, {"n_estimators": [50, 100], "max_depth": [3, 6], "max_features": [3]}),
    (
        GradientBoostingRegressor,
        {"n_estimators": [200], "max_depth": [1, 2, 4], "learning_rate": [0.01, 0.05, 0.2]},
    ),
]
GOOD = 0.42
"""Share of the variance from which on a model leaves everything behind."""
DESCRIPTION = "How far is the diabetes a year after ten measurements? 442 patients."


def train() -> None:
    """Train all of them."""
    data = load()
    made = experiment("diabetes-progression", "rmse", greater_is_better=False, note=DESCRIPTION)
    for kind, grid in GRIDS:
        for settings in ParameterGrid(grid):
            regress(data, made, name_of(kind.__name__, settings, grid), kind(**settings))


def load() -> Data:
    """The patients, a quarter of them held out."""
    bunch = load_diabetes(as_frame=True)
    split = train_test_split(bunch.data, bunch.target.to_numpy(), random_state=0)
    return Data("diabetes", [], *split)


def regress(data: Data, experiment_id: str, name: str, model: RegressorMixin) -> None:
    """Train one model; those that build up get a point per round."""
    if "random_state" in model.get_params():
        model.set_params(random_state=0)
    params = params_of(model)
    with candidate(name, experiment_id, params, data=data) as made:
        model.fit(data.x_train, data.y_train)
        for step, (seen, unseen) in enumerate(predictions(model, data)):
            made.measure(step, **errors(data, seen, unseen))
        if made.latest("r2") >= GOOD:
            results.draw_residuals(made, model, data)
            wanted = ["rmse", "mae", "r2", "train_rmse"]
            results.write(made, name, model, data, wanted, params)


def predictions(model: RegressorMixin, data: Data) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What it foresees for the seen and the unseen, after each round if it has rounds."""
    if hasattr(model, "staged_predict"):
        seen, unseen = (model.staged_predict(x) for x in (data.x_train, data.x_test))
        yield from zip(seen, unseen, strict=True)
    else:
        yield model.predict(data.x_train), model.predict(data.x_test)


def errors(data: Data, seen: np.ndarray, unseen: np.ndarray) -> dict[str, float]:
    """How far off it is."""
    return {
        "rmse": root_mean_squared_error(data.y_test, unseen),
        "mae": mean_absolute_error(data.y_test, unseen),
        "r2": r2_score(data.y_test, unseen),
        "train_rmse": root_mean_squared_error(data.y_train, seen),
    }


if __name__ == "__main__":
    train()
