"""What a gate finds: a verdict with one result for each rule."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from gitlab_mlops.services.gate.policy import Rule

State = Literal["success", "warning", "failed", "pending"]
Outcome = Literal["passed", "warned", "failed", "pending", "ignored"]

# The first that one of the results has is the verdict's.
_STATES: tuple[tuple[Outcome, State], ...] = (
    ("failed", "failed"),
    ("pending", "pending"),
    ("warned", "warning"),
)
_ORDER: tuple[Outcome, ...] = ("failed", "pending", "warned", "passed", "ignored")


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate of the project with its value of a rule's metric (NaN too); None: it has none.

    `id` is internal, `iid` its number on pages.
    """

    id: int
    iid: int
    name: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one rule. `reason` is one sentence with the numbers, as plain text.

    `candidate` is the one that was judged, `baseline` the one of the target branch that it was
    compared with; None if there is none, or if the rule did not ask.
    """

    rule: Rule
    outcome: Outcome
    reason: str
    candidate: Judged | None = None
    baseline: Judged | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate says of a merge request. `summary` is one sentence, as plain text.

    `results` are in the order of the policy; there are none if the policy itself is wrong, which
    is then what the summary says.
    """

    state: State
    summary: str
    results: tuple[Result, ...] = ()


def verdict_of(results: tuple[Result, ...]) -> Verdict:
    """What the results of all rules come to."""
    outcomes = {each.outcome for each in results}
    state: State = next((state for outcome, state in _STATES if outcome in outcomes), "success")
    return Verdict(state, f"{counts(results)}.", results)


def counts(results: tuple[Result, ...]) -> str:
    """How many rules came out how: `3 rules: 1 failed, 2 passed`."""
    found = Counter(each.outcome for each in results)
    said = ", ".join(f"{found[each]} {each}" for each in _ORDER if found[each])
    return f"{len(results)} {'rule' if len(results) == 1 else 'rules'}: {said}"
