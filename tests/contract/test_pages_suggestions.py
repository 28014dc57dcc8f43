"""What a comment box is offered while somebody types a reference, and what it is not offered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.browsing import Browser, counted_statements, log
from tests.contract.registry import make_version, register, set_alias
from tests.factories import Api, Forge


@pytest.fixture
def api(forge: Forge) -> Api:
    api = forge.developer()
    at = api.post("experiments/create", name="digits")["experiment_id"]
    log(api, "bright-owl", experiment_id=at, start_time=0)
    log(api, "grey-cat", experiment_id=at)
    return api


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))


def offered(browser: Browser, **query: str) -> list[dict[str, str]]:
    answer = browser.raw("suggestions", query_string=query)
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    found: list[dict[str, str]] = json.loads(answer.data)["suggestions"]
    return found


def texts(browser: Browser, **query: str) -> list[str]:
    return [each["text"] for each in offered(browser, **query)]


def test_candidates_are_offered_with_what_tells_them_apart(browser: Browser) -> None:
    assert offered(browser, kind="candidate", q="owl") == [
        {
            "text": "[candidate:1]",
            "label": "1",
            "name": "bright-owl",
            "detail": "digits · running · just now",
        }
    ]
    assert texts(browser) == ["[candidate:2]", "[candidate:1]"]


def test_experiments_are_offered(browser: Browser) -> None:
    assert offered(browser, kind="experiment", q="dig") == [
        {"text": "[experiment:1]", "label": "1", "name": "digits", "detail": "just now"}
    ]


def test_models_are_offered_with_their_versions_and_aliases(api: Api, browser: Browser) -> None:
    register(api)
    make_version(api)
    set_alias(api, "champion", 1)
    register(api, "greet", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}])
    assert offered(browser, kind="model") == [
        {
            "text": "[model:greet]",
            "label": "greet",
            "name": "greet",
            "detail": "prompt · no version · just now",
        },
        {
            "text": "[model:churn]",
            "label": "churn",
            "name": "churn",
            "detail": "version 1 · just now",
        },
    ]
    assert texts(browser, kind="model", q="churn@c") == ["[model:churn@champion]"]
    assert texts(browser, kind="model", path="churn") == ["[model:churn/1]"]
    path = browser.forge.path(api.project_id)
    assert texts(browser, kind="model", path=f"{path}/churn", q="1") == ["[model:churn/1]"]
    elsewhere = Browser.open(browser.forge, browser.forge.project("public"), None)
    reader = Browser(browser.forge, browser.client, elsewhere.base)
    assert texts(reader, kind="model", path=path, q="chu") == [f"[model:{path}/churn]"]
    assert texts(reader, kind="model", path=f"{path}/churn") == [f"[model:{path}/churn/1]"]
    assert texts(elsewhere, kind="model", path=f"{path}/churn") == []


def test_a_model_that_only_an_address_can_name_is_not_offered(
    forge: Forge, api: Api, browser: Browser
) -> None:
    for name in ("a  b", "a[b]", "7", "a@b"):
        register(api, name)
    assert texts(browser, kind="model") == ["[model:7]"]
    elsewhere = Browser.open(forge, forge.project("public"))
    reader, path = Browser(forge, browser.client, elsewhere.base), forge.path(api.project_id)
    assert texts(reader, kind="model", path=path) == []


def test_another_project_is_named_by_its_path(forge: Forge, api: Api, browser: Browser) -> None:
    elsewhere = Browser.open(forge, forge.project("public"), forge.member(api.project_id, "guest"))
    path = forge.path(api.project_id)
    assert texts(elsewhere, q="owl") == []
    assert texts(elsewhere, q="owl", path=path) == []
    reader = Browser(forge, browser.client, elsewhere.base)
    assert texts(reader, q="owl", path=path) == [f"[candidate:{path}/1]"]
    assert offered(reader, q="owl", path=path)[0]["label"] == f"{path}/1"
    assert texts(browser, q="owl", path=path) == ["[candidate:1]"]


def test_a_hidden_project_offers_what_a_missing_one_does(forge: Forge, api: Api) -> None:
    for user in (None, forge.user(), forge.member(api.project_id, "guest")):
        reader = Browser.open(forge, forge.project("public"), user)
        reader.raw("suggestions")  # the first answer of a session sets its cookie

        def answer(path: str, reader: Browser = reader) -> Any:
            query = {"kind": "candidate", "q": "owl", "path": path}
            found = reader.raw("suggestions", query_string=query)
            headers = [each for each in found.headers if each[0] != "Content-Security-Policy"]
            return found.status_code, found.data, headers

        hidden = answer(forge.path(api.project_id))
        assert hidden == answer("no/such")
        assert hidden[1] == b'{"suggestions":[]}'


@pytest.mark.parametrize("path", ["/", "a", "a//b", "../..", "a\nb", "x" * 5000, "\u202e", "🦉"])
def test_a_path_that_is_none_offers_nothing(browser: Browser, path: str) -> None:
    assert offered(browser, q="owl", path=path) == []


def test_odd_questions_are_refused_with_a_sentence(browser: Browser) -> None:
    for query in ({"kind": "run"}, {"q": "a\0b"}, {"path": "a\0b"}):
        assert browser.get("suggestions", query_string=query).status == 400


@pytest.mark.parametrize("typed", ["x" * 10_000, "%", "9" * 300, "<b>", "🦉"])
def test_odd_names_are_looked_for_like_others(browser: Browser, typed: str) -> None:
    assert offered(browser, q=typed) == []


def test_an_answer_takes_few_statements(browser: Browser) -> None:
    offered(browser)
    with counted_statements(browser.forge.app) as statements:
        offered(browser, kind="candidate", q="1")
    assert len(statements) <= 6
