"""A token that asks too much is told when to come back, and nobody else notices."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gitlab_mlops.blueprints.allowance import ALLOWANCE, MOST_TOKENS, Allowance
from gitlab_mlops.errors import TooMany
from tests.factories import Api, Forge


class Clock:
    """Time that stands until it is moved, in seconds."""

    now = 6000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(forge: Forge, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Three requests a minute for each token of the forge."""
    clock, extensions = Clock(), forge.app.extensions
    mount = extensions["mlops"]
    limited = replace(mount, settings=replace(mount.settings, requests_per_minute=3))
    monkeypatch.setitem(extensions, "mlops", limited)
    monkeypatch.setitem(extensions, ALLOWANCE, Allowance(3, clock))
    return clock


def test_the_fourth_request_of_a_minute_waits_for_the_next(
    forge: Forge, api: Api, run_id: str, clock: Clock
) -> None:
    clock.now += 48.5
    for number in range(3):
        api.post("runs/set-tag", run_id=run_id, key=f"k{number}", value="v")
    body = {"run_id": run_id, "key": "k3", "value": "v"}
    answer = api.call("POST", "runs/set-tag", json=body)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "12")
    assert answer.get_json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"
    assert "more than 3 requests in a minute" in answer.get_json()["message"]
    clock.now += 12
    tags = api.get("runs/get", run_id=run_id)["run"]["data"]["tags"]
    assert {"k0", "k1", "k2"} <= {tag["key"] for tag in tags}
    assert "k3" not in {tag["key"] for tag in tags}


def test_each_token_has_its_own_requests(forge: Forge, api: Api, run_id: str, clock: Clock) -> None:
    other = forge.api(api.project_id, forge.token(forge.member(api.project_id, "developer")))
    for _ in range(3):
        api.get("runs/get", run_id=run_id)
        other.get("runs/get", run_id=run_id)
    assert api.refused("GET", "runs/get", query_string={"run_id": run_id})[0] == 429
    assert other.refused("GET", "runs/get", query_string={"run_id": run_id})[0] == 429


def test_a_token_counts_once_by_whichever_header(
    forge: Forge, api: Api, run_id: str, clock: Clock
) -> None:
    secret = api.headers["Authorization"].removeprefix("Bearer ")
    again = Api(api.app, api.project_id, {"PRIVATE-TOKEN": secret})
    for each in (api, again, api):
        each.get("runs/get", run_id=run_id)
    assert again.refused("GET", "runs/get", query_string={"run_id": run_id})[0] == 429


def test_guessing_tokens_is_counted_too(forge: Forge, api: Api, clock: Clock) -> None:
    guess = Api(api.app, api.project_id, {"Authorization": "Bearer guess"})
    found = [guess.refused("GET", "runs/get")[0] for _ in range(4)]
    assert found == [401, 401, 401, 429]


def test_inventing_tokens_does_not_fill_the_memory() -> None:
    allowance = Allowance(5, Clock())
    for number in range(MOST_TOKENS + 5):
        allowance.take(str(number))
    assert len(allowance._counts) <= MOST_TOKENS + 1
    with pytest.raises(TooMany):
        allowance.take("one more")
