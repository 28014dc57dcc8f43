"""Which metric an experiment is about, and whether more of a metric is better or worse.

MLflow has two tags for it on an experiment (`mlflow/utils/mlflow_tags.py`); they decide. Without
them the name of a metric may tell: a loss wants to be small, an accuracy large.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

NAME_TAG = "mlflow.experiment.primaryMetric.name"
DIRECTION_TAG = "mlflow.experiment.primaryMetric.greaterIsBetter"

_LESS = frozenset(
    "loss logloss error err mae mse rmse mape smape rmsle msle wer cer fid perplexity ppl nll "
    "bpc bpb deviance entropy hinge brier latency duration seconds fpr fnr".split()
)
_MORE = frozenset(
    "accuracy acc auc auroc auprc roc ap map precision recall f1 fbeta score r2 bleu rouge meteor "
    "iou dice jaccard mcc kappa ndcg mrr hit tpr tnr sensitivity specificity gini psnr ssim "
    "reward return likelihood throughput".split()
)
# "valLoss", "val_loss" and "val/loss@10" are all the words val and loss.
_WORD = re.compile(r"[A-Z]?[a-z]+\d?|[A-Z]+(?![a-z])\d?|\d+")
_HELD_OUT = frozenset("val valid validation test eval dev holdout cv".split())
_TRAINING = frozenset("train training".split())
_TURNED = frozenset({"neg", "negative"})
_OF_THE_MACHINE = "system/"


@dataclass(frozen=True, slots=True)
class Objective:
    """The main metric of an experiment. `is_stated`: somebody said so, it is not guessed."""

    key: str
    greater_is_better: bool | None
    is_stated: bool


def objective_of(tags: Mapping[str, str], keys: Iterable[str]) -> Objective | None:
    """The main metric of an experiment with these tags, whose candidates have metrics `keys`.

    Not stated, it is the metric whose name tells its direction: of those that were held out from
    training before the others, of scores before losses. None if no name tells.
    """
    if stated := tags.get(NAME_TAG):
        return Objective(stated, greater_is_better(stated, tags), is_stated=True)
    known = [key for key in keys if greater_is_better(key) is not None]
    if not known:
        return None
    key = min(known, key=_rank)
    return Objective(key, greater_is_better(key), is_stated=False)


def greater_is_better(key: str, tags: Mapping[str, str] | None = None) -> bool | None:
    """Whether more of a metric is better, by the experiment's `tags` or its name; None: unknown.

    The last word of a name that means something counts: `loss_score` is a score.
    """
    if tags and tags.get(NAME_TAG) == key and DIRECTION_TAG in tags:
        return tags[DIRECTION_TAG].strip().lower() == "true"
    return _by_name(key)


def by_interest(keys: Iterable[str], objective: Objective | None) -> list[str]:
    """The names of metrics by what people ask for first, without those of the machine.

    The main metric, then those whose name tells a direction (as in `objective_of`), then others.
    """
    main = None if objective is None else objective.key

    def place(key: str) -> tuple[Any, ...]:
        return key != main, greater_is_better(key) is None, _rank(key)

    return sorted((key for key in keys if not key.startswith(_OF_THE_MACHINE)), key=place)


# A page asks for the same few names for each of its experiments.
@lru_cache(maxsize=4096)
def _by_name(key: str) -> bool | None:
    if key.startswith(_OF_THE_MACHINE):
        return None
    words = _words(key)
    for word in reversed(words):
        if word in _LESS or word in _MORE:
            # scikit-learn turns errors into scores: neg_mean_squared_error.
            return (word in _MORE) != (words[0] in _TURNED)
    return None


def _words(key: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(key)]


@lru_cache(maxsize=4096)
def _rank(key: str) -> tuple[int, bool, int, str]:
    words = set(_words(key))
    place = 0 if words & _HELD_OUT else 2 if words & _TRAINING else 1
    return place, greater_is_better(key) is not True, len(key), key
