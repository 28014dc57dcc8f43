"""What an experiment is about: stated in MLflow's tags, or told by the names of its metrics."""

from __future__ import annotations

import pytest

from gitlab_mlops.services.objectives import (
    DIRECTION_TAG,
    NAME_TAG,
    Objective,
    by_interest,
    greater_is_better,
    objective_of,
)


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("accuracy", True),
        ("val_accuracy", True),
        ("valLoss", False),
        ("val/loss", False),
        ("RMSE", False),
        ("mean_absolute_error", False),
        ("f1_score", True),
        ("best_cv_score", True),
        ("neg_mean_squared_error", True),
        ("R2", True),
        ("epoch", None),
        ("learning_rate", None),
        ("glossary", None),
        ("system/cpu_utilization_percentage", None),
        ("", None),
        ("💐", None),
    ],
)
def test_a_name_may_tell_whether_more_is_better(key: str, expected: bool | None) -> None:
    assert greater_is_better(key) is expected


def test_what_is_stated_counts_more_than_a_name() -> None:
    tags = {NAME_TAG: "loss", DIRECTION_TAG: "True"}
    assert greater_is_better("loss", tags) is True
    assert greater_is_better("val_loss", tags) is False
    assert objective_of(tags, ["accuracy"]) == Objective("loss", True, is_stated=True)
    assert objective_of({NAME_TAG: "speed"}, []) == Objective("speed", None, is_stated=True)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["loss", "val_loss", "val_accuracy", "train_accuracy"], "val_accuracy"),
        (["train_accuracy", "loss"], "loss"),
        (["test_f1", "test_auc"], "test_f1"),
        (["epoch", "system/gpu_0_utilization_percentage"], None),
        ([], None),
    ],
)
def test_a_held_out_score_is_guessed_first(keys: list[str], expected: str | None) -> None:
    found = objective_of({}, keys)
    assert (found and found.key) == expected
    assert found is None or not found.is_stated


def test_metrics_are_shown_by_interest() -> None:
    keys = ["epoch", "system/cpu", "loss", "train_loss", "val_accuracy", "speed", "a/b"]
    rest = ["a/b", "epoch", "speed"]
    assert by_interest(keys, None) == ["val_accuracy", "loss", "train_loss", *sorted(rest, key=len)]
    stated = Objective("speed", None, is_stated=True)
    assert by_interest(keys, stated)[:2] == ["speed", "val_accuracy"]
    assert by_interest([], stated) == []
