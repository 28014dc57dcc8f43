"""A value against a rule's floor and a baseline: exactly as people count, and in words."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Literal, NamedTuple

from gitlab_mlops.services.gate.policy import Rule


class Comparison(NamedTuple):
    """How a value stands to something: `0.91` and `is below the floor of 0.93`.

    `fault` is what the rule says to do about it; empty if all is well.
    """

    fault: Literal["", "fail", "warn"]
    value: str
    words: str


def with_floor(rule: Rule, value: float) -> Comparison | None:
    """How a value (not NaN) stands to the floor; None if the rule has none."""
    if rule.floor is None:
        return None
    is_good = value >= rule.floor if rule.greater_is_better else value <= rule.floor
    shown, limit = _distinct(value, rule.floor)
    if rule.greater_is_better:
        words = f"{'reaches' if is_good else 'is below'} the floor of {limit}"
    else:
        words = f"{'keeps within' if is_good else 'is above'} the limit of {limit}"
    return Comparison("" if is_good else rule.on_fail, shown, words)


def with_baseline(
    rule: Rule, value: float, baseline: float | None, branch: str
) -> Comparison | None:
    """How a value (not NaN) stands to the baseline on the target branch; None if nobody asks."""
    if rule.largest_drop is None:
        return None
    if baseline is None:
        fault = "" if rule.without_baseline == "ignore" else rule.without_baseline
        words = f"has nothing on {branch} to be compared with yet"
        return Comparison(fault, shown(value), words)
    number, base = _distinct(value, baseline)
    words = _relation(rule, value, baseline, f"the {rule.against} on {branch} ({base})")
    if not _has_dropped(rule, value, baseline):
        return Comparison("", number, words)
    percent = "%" if rule.drop_is_percent else ""
    words += f", where at most {shown(rule.largest_drop)}{percent} is allowed"
    return Comparison(rule.on_fail, number, words)


def shown(value: float) -> str:
    """A value in a sentence."""
    return f"{value:.6g}"


def _distinct(value: float, other: float) -> tuple[str, str]:
    """Both in six digits, or in as many more as tell them apart."""
    for digits in (6, 9, 12):
        texts = f"{value:.{digits}g}", f"{other:.{digits}g}"
        if value == other or texts[0] != texts[1]:
            return texts
    return repr(value), repr(other)


def _relation(rule: Rule, value: float, baseline: float, other: str) -> str:
    if value == baseline:
        return f"is as good as {other}"
    word = "worse" if _is_worse(rule, value, baseline) else "better"
    if not _are_finite(value, baseline):
        return f"is {word} than {other}"
    return f"is {shown(float(_distance(value, baseline)))} {word} than {other}"


def _has_dropped(rule: Rule, value: float, baseline: float) -> bool:
    """Whether a value is worse than the baseline by more than the rule allows."""
    if rule.largest_drop is None or not _is_worse(rule, value, baseline):
        return False
    if not _are_finite(value, baseline):
        return True
    allowed = _exact(rule.largest_drop)
    if rule.drop_is_percent:
        allowed = allowed * abs(_exact(baseline)) / 100
    return _distance(value, baseline) > allowed


def _is_worse(rule: Rule, value: float, baseline: float) -> bool:
    return value < baseline if rule.greater_is_better else value > baseline


def _are_finite(*values: float) -> bool:
    return all(map(math.isfinite, values))


def _distance(value: float, other: float) -> Decimal:
    return abs(_exact(value) - _exact(other))


def _exact(value: float) -> Decimal:
    """The number that a person reads: 0.95 is 0.01 more than 0.94, unlike in binary fractions."""
    return Decimal(repr(value))
