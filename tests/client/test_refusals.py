"""Tokens that are not good enough, as the users of both clients see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from tests.client import clients
from tests.factories import Api, Forge

Tries = dict[str, dict[str, str]]
READING = {"look", "find", "download"}
WRITING = {"set_experiment", "start_run", "log", "upload"}
# When the bytes themselves are refused, the client raises an error of HTTP that quotes the answer.
BYTES = {"upload", "download"}
# MLflow 2 swallows the refusal of a new experiment, and then asks for experiment "None".
SWALLOWED = "Invalid experiment ID 'None'"


def by_role(role: str, *scopes: str, **state: bool) -> Callable[[Forge, int], str]:
    return lambda forge, project: forge.token(forge.member(project, role), *scopes, **state)


TOKENS: dict[str, Callable[[Forge, int], str | None]] = {
    "none": lambda forge, project: None,
    "made up": lambda forge, project: "glpat-" + "x" * 32,
    "expired": by_role("developer", expired=True),
    "revoked": by_role("developer", revoked=True),
    "reader": by_role("reporter"),
    "read_api": by_role("developer", "read_api"),
    "outsider": lambda forge, project: forge.token(forge.user()),
    "other project": lambda forge, project: forge.project_token(forge.project(), "maintainer"),
    "project": lambda forge, project: forge.project_token(project, "developer"),
    "job": lambda forge, project: forge.job_token(project, forge.member(project, "developer")),
}


def run_with_a_file(api: Api) -> str:
    run = api.post("runs/create", experiment_id="0", start_time=1)["run"]["info"]
    root = run["artifact_uri"].removeprefix("mlflow-artifacts:/")
    path = f"/api/2.0/mlflow-artifacts/artifacts/{root}/seen.txt"
    assert api.call("PUT", path, data=b"seen").status_code == 200
    return str(run["run_id"])


@pytest.fixture(scope="module", params=clients.CLIENTS)
def tries(
    request: pytest.FixtureRequest,
    app: Flask,
    live_url: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Tries]:
    """What came of every attempt with every token, in one private project."""
    forge = Forge(app)
    project = forge.project()
    run_id = run_with_a_file(forge.api(project, forge.project_token(project, "developer")))
    by_id = f"{live_url}/api/v4/projects/{project}/ml/mlflow"
    by_path = f"{live_url}/api/v4/projects/{quote(forge.path(project), safe='')}/ml/mlflow"
    cases = {
        name: {"uri": by_id, "token": make(forge, project), "run_id": run_id}
        for name, make in TOKENS.items()
    }
    cases["project, by its path"] = {**cases["project"], "uri": by_path}
    cases["made up, by its path"] = {**cases["made up"], "uri": by_path}
    seen: list[Tries] = clients.run_script(
        request.param, "refusals.py", uri=by_id, token=None,
        folder=tmp_path_factory.mktemp("refused"), stdin=json.dumps(list(cases.values())),
    )  # fmt: skip
    return dict(zip(cases, seen, strict=True))


def refused(tries: Tries, names: set[str], status: int, code: str) -> None:
    """Every one of these attempts ended in this refusal, in words."""
    for name in names:
        seen: dict[str, Any] = tries[name]
        if name in BYTES and seen["type"] == "HTTPError":
            assert f"{status} Client Error" in seen["message"], (name, seen)
            assert code in seen["message"], (name, seen)
        elif name != "set_experiment" or SWALLOWED not in seen["message"]:
            assert (seen["type"], seen["code"]) == ("RestException", code), (name, seen)
            assert len(seen["message"]) > len(code) + 10, (name, seen)


@pytest.mark.parametrize("token", ["none", "made up", "expired", "revoked", "made up, by its path"])
def test_without_a_good_token_everything_is_refused(tries: dict[str, Tries], token: str) -> None:
    refused(tries[token], READING | WRITING, 401, "UNAUTHENTICATED")


def test_all_bad_tokens_look_the_same(tries: dict[str, Tries]) -> None:
    seen = [
        {name: attempt["message"] for name, attempt in tries[token].items()}
        for token in ("made up", "expired", "revoked")
    ]
    assert seen[0] == seen[1] == seen[2]


@pytest.mark.parametrize("token", ["reader", "read_api"])
def test_a_reader_reads_and_is_told_that_writing_is_not_allowed(
    tries: dict[str, Tries], token: str
) -> None:
    assert {name for name in tries[token] if not tries[token][name]} == READING
    refused(tries[token], WRITING, 403, "PERMISSION_DENIED")


@pytest.mark.parametrize("token", ["outsider", "other project"])
def test_to_an_outsider_the_project_does_not_exist(tries: dict[str, Tries], token: str) -> None:
    refused(tries[token], READING | WRITING, 404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("token", ["project", "project, by its path", "job"])
def test_a_good_token_does_everything(tries: dict[str, Tries], token: str) -> None:
    assert tries[token].keys() == READING | WRITING
    assert not any(tries[token].values())
