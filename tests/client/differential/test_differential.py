"""Every recorded call, sent to stock and to us: the answers are alike, but for what is listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from .call import Scenario
from .compare import mismatches, report
from .differences import DIFFERENCES
from .replay import Replay, Target, replay
from .scenarios import SCENARIOS, all_calls

StockAnswers = Callable[[Scenario], Replay]

each_scenario = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)


@each_scenario
def test_we_answer_as_stock_does(
    scenario: Scenario, stock_answers: StockAnswers, live_project: Any
) -> None:
    stock = stock_answers(scenario)
    target = Target(live_project.tracking_uri, live_project.token)
    ours = replay(scenario, target, stock.saved["unique"])
    complain(mismatches(stock, ours, DIFFERENCES), scenario)


@each_scenario
def test_stock_answers_as_stock_does(
    scenario: Scenario, stock_answers: StockAnswers, stock_server: Target
) -> None:
    """What is compared must not depend on ids, times or what else is on the server."""
    first, second = stock_answers(scenario), replay(scenario, stock_server)
    complain(mismatches(first, second, {}), scenario)
    for answer in first.answers:
        said = (answer.json() or {}).get("message", "") if answer.call.says else ""
        assert said.startswith(answer.call.says), answer.call.name


def complain(found: list[str], scenario: Scenario) -> None:
    if found:
        pytest.fail(report(found, len(scenario.calls)), pytrace=False)


def test_there_are_many_calls() -> None:
    assert len(all_calls()) >= 150


def test_a_listed_difference_names_one_call() -> None:
    times = Counter(call.name for call in all_calls())
    assert {name: times[name] for name in DIFFERENCES if times[name] != 1} == {}


def test_a_listed_difference_has_a_reason() -> None:
    assert all(wanted.reason.endswith(".") for wanted in DIFFERENCES.values())
