"""Boosted trees on the digits: each added round of trees is a step of the curves."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import ParameterGrid

from demo.train import Data, load
from gallery import results
from gallery.candidate import candidate, experiment, params_of

ROUNDS = 50
GRID = {"max_depth": [2, 3, 5], "learning_rate": [0.03, 0.1, 0.3, 1.0]}
DESCRIPTION = "How many rounds of trees are worth it, before the held-out loss rises again?"


def train() -> None:
    """Train the grid."""
    data = load("digits")
    made = experiment("digits-boosting", "loss", greater_is_better=False, note=DESCRIPTION)
    for settings in ParameterGrid(GRID):
        boost(data, made, settings)


def boost(data: Data, experiment_id: str, settings: dict[str, Any]) -> None:
    """Train one model, and measure it after each round."""
    name = f"boosting-depth{settings['max_depth']}-{settings['learning_rate']:g}"
    model = GradientBoostingClassifier(
        **settings, n_estimators=ROUNDS, subsample=0.5, max_features=8, random_state=0
    )
    tags = {"family": "boosting"}
    with candidate(name, experiment_id, params_of(model), data=data, tags=tags) as made:
        model.fit(data.x_train, data.y_train)
        seen, unseen = (model.staged_predict_proba(x) for x in (data.x_train, data.x_test))
        for number, (train, test) in enumerate(zip(seen, unseen, strict=True), 1):
            made.measure(
                number,
                train_loss=log_loss(data.y_train, train),
                loss=log_loss(data.y_test, test),
                accuracy=accuracy_score(data.y_test, np.argmax(test, axis=1)),
            )
        made.measure(ROUNDS, lowest_loss=min(p.value for p in made.points if p.key == "loss"))
        results.draw_learning(made, "train_loss", "loss")
        results.write_report(made, model, data)


if __name__ == "__main__":
    train()
