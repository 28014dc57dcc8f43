"""Webhooks, sent to stock and to us. With a token of their own: they are for maintainers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.factories import Forge

from .call import Scenario
from .calls_webhooks import SCENARIOS
from .compare import mismatches
from .replay import Replay, Target, replay
from .test_differential import complain


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_we_answer_as_stock_does(
    scenario: Scenario,
    stock_answers: Callable[[Scenario], Replay],
    live_project: Any,
    forge: Forge,
) -> None:
    stock = stock_answers(scenario)
    token = forge.token(forge.member(live_project.id, "maintainer"))
    target = Target(live_project.tracking_uri, token)
    ours = replay(scenario, target, stock.saved["unique"])
    complain(mismatches(stock, ours, {}), scenario)
