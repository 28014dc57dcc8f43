"""The pages of registered models: the list, a model with its card, aliases and tags; prompts."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from tests.browsing import Browser, Page, log, words
from tests.contract.registry import make_version, model, register, set_alias, version
from tests.factories import Api, Forge

ODD = "Überwachung 異常 & <b>50 %?#"


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    """A developer of the project."""
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "developer"))


@pytest.fixture
def maintainer(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "maintainer"))


def send(browser: Browser, path: str, **fields: str) -> TestResponse:
    """Send a form of a page."""
    url = path if path.startswith("/") else f"{browser.base}/{path}"
    return browser.client.post(url, data={"csrf_token": "token-of-the-session", **fields})


def filled(page: Page, **typed: str) -> dict[str, str]:
    """The fields of the form for the name and card as a page has them, with what is typed."""
    seen = {f"seen-{name}": page.one("input", name=f"seen-{name}")["value"]
            for name in ("name", "note")}  # fmt: skip
    name = page.one("input", id="mlops-edit-name")["value"]
    note = page.one("textarea", name="note").text.removeprefix("\n")
    return {**seen, "name": name, "note": note, **typed}


def register_prompt(api: Api, name: str, text: str) -> None:
    """A prompt with one version, as MLflow registers it."""
    tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    api.post("registered-models/create", name=name, tags=tags)
    tags.append({"key": "mlflow.prompt.text", "value": text})
    api.post("model-versions/create", name=name, source="dummy-source", tags=tags)


def test_a_project_without_models_shows_how_to_register_one(
    forge: Forge, api: Api, browser: Browser
) -> None:
    page = browser.get("models")
    assert page.one("h2", id="mlops-start").text == "Register your first model"
    assert f"/api/v4/projects/{api.project_id}/ml/mlflow" in page.text
    assert 'registered_model_name="iris"' in page.text
    assert page.all("table") == []
    reader = Browser.open(forge, api.project_id).get("models")
    assert "sign in with an account that may write" in reader.text


def test_the_forge_marks_its_entry_for_models(api: Api, browser: Browser) -> None:
    register(api)
    for path in ("models", "models/churn", "models/nobody"):
        current = browser.get(path).all("a", aria_current="page", href=f"{browser.base}/models")
        assert "Models" in [words(each.text) for each in current]


def test_the_list_tells_what_there_is_of_each_model(api: Api, browser: Browser) -> None:
    register(api, description="# Who leaves\nand why")
    tag = {"key": "gitlab.version", "value": "1.2.0-rc.1"}
    make_version(api)
    make_version(api, tags=[tag])
    set_alias(api, "champion", 1)
    register(api, ODD)
    page = browser.get("models")
    first, second = page.rows("Models")
    assert first[:3] == [ODD, "–none yet", "–none"]
    assert second[0] == "churnWho leaves"
    assert second[1] == "2 is the newest version of churn1.2.0-rc.1"
    assert second[2] == "@champion is version 1"
    assert [page.status for page in (browser.get(each["href"]) for each in page.all(
        "a", class_="mlops-name"))] == [200, 200]  # fmt: skip


def test_the_list_is_searched_and_sorted(api: Api, browser: Browser) -> None:
    for name in ("b 100%", "a 100", "Churn"):
        register(api, name)

    def names(query: str) -> list[str]:
        return [words(each.text) for each in browser.get(query).all("a", class_="mlops-name")]

    assert names("models") == ["Churn", "a 100", "b 100%"]
    assert names("models?name=0%25") == ["b 100%"]
    assert names("models?name=CHURN") == ["Churn"]
    assert names("models?sort=name&name=100") == ["a 100", "b 100%"]
    assert "contains “zzz”" in browser.get("models?name=zzz").text
    api.call("PATCH", "registered-models/update", json={"name": "b 100%", "description": "x"})
    assert names("models") == ["b 100%", "Churn", "a 100"]


@pytest.mark.parametrize("sort", ["activity", "name"])
def test_the_list_goes_on_where_it_ended(
    api: Api, browser: Browser, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr("gitlab_mlops.blueprints.web.models.PER_PAGE", 2)
    for number in range(5):
        register(api, f"model {number}")
    seen: list[str] = []
    path = f"models?sort={sort}"
    for _ in range(3):
        page = browser.get(path)
        seen += [words(each.text) for each in page.all("a", class_="mlops-name")]
        path = page.link("Next page") if page.has_link("Next page") else ""
    assert path == ""
    assert sorted(seen) == [f"model {number}" for number in range(5)]
    assert browser.get(page.link("First page")).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "models?after=x", "models?after=e30=", "models?kind=x", "models?sort=x", "models?name=%00",
        "models?after=eyJhZnRlciI6WyJ4IiwxXX0=", "models/churn?before=x",
        "models/churn?moves=-1", "models/churn?before=99999999999999999999",
    ],
)  # fmt: skip
def test_an_address_that_no_page_has_is_refused(api: Api, browser: Browser, path: str) -> None:
    register(api)
    assert browser.get(path).status == 400


def test_prompts_are_apart(api: Api, browser: Browser) -> None:
    register(api)
    register_prompt(api, "summary", "Say {{ this }} in one line")
    assert [row[0] for row in browser.get("models").rows()] == ["churn"]
    page = browser.get("models?kind=prompts")
    assert [row[0] for row in page.rows("Prompts")] == ["summary"]
    page = browser.get("models/summary")
    assert "Say {{ this }} in one line" in page.rows("Versions")[0][0]
    assert "mlflow.prompt" not in page.text
    assert 'mlflow.genai.load_prompt("prompts:/summary/1")' in page.text
    page = browser.get("models/summary/versions/1")
    assert page.one("pre", aria_label="The template of the prompt").text.strip() == (
        "Say {{ this }} in one line"
    )
    assert not page.has_link("Files")
    assert browser.get("models/summary/versions/1/files").status == 404


def test_the_messages_of_a_chat_show_by_role(api: Api, browser: Browser) -> None:
    register_prompt(api, "chat", '[{"role": "system", "content": "Be {{ kind }}"}, {"role": "u"}]')
    register_prompt(api, "list", '["<b>", 1]')
    page = browser.get("models/chat/versions/1")
    assert "system Be {{ kind }}" in page.text
    assert '["<b>", 1]' in browser.get("models/list/versions/1").text


@pytest.mark.parametrize("name", [ODD, " edges ", ".hidden", "a\nb", "%2F", "x" * 256, "a@b"])
def test_a_name_of_any_kind_has_a_page(api: Api, browser: Browser, name: str) -> None:
    register(api, name)
    make_version(api, name)
    page = browser.get("models")
    (link,) = page.all("a", class_="mlops-name")
    page = browser.get(link["href"])
    assert page.status == 200
    assert page.one("h1").text == name
    (link,) = page.all("a", class_="mlops-name")
    assert browser.get(link["href"]).status == 200
    for action in ("edit", "delete", "versions/1/edit", "versions/1/delete", "versions/1/files"):
        assert browser.get(f"models/{quote(name, safe='')}/{action}").status == 200
    answer = send(browser, f"models/{quote(name, safe='')}/alias", alias="best", version="1")
    assert browser.get(answer.location).status == 200
    assert model(api, name)["aliases"] == [{"alias": "best", "version": "1"}]


@pytest.mark.parametrize("name", ["nobody", "a%00b", "%2e%2e", "churn%2Fx"])
def test_a_model_that_is_not_there(api: Api, browser: Browser, name: str) -> None:
    register(api)
    assert browser.get(f"models/{name}").status == 404
    assert browser.get(f"models/{name}/versions/1").status == 404


def test_the_card_is_markdown_that_is_safe(api: Api, browser: Browser) -> None:
    register(api, description="## Use\n<script>alert(1)</script> **not** [x](javascript:alert(1))")
    page = browser.get("models/churn")
    assert "<script>alert(1)" not in page.html
    assert "not" in [words(each.text) for each in page.all("strong")]
    assert not any("javascript:" in each["href"] for each in page.all("a"))


def test_versions_show_what_their_candidates_reached(api: Api, browser: Browser) -> None:
    register(api)
    for value in (0.5, 0.25):
        run_id = log(api, metrics={"auc": value, "zeal": 1.0})
        make_version(api, source=f"runs:/{run_id}/model", description="*Because*\nx")
    set_alias(api, "champion", 1)
    api.post("model-versions/transition-stage", name="churn", version="1", stage="production",
             archive_existing_versions=False)  # fmt: skip
    second, first = browser.get("models/churn").rows("Versions")
    assert first[0] == "Version 1ProductionBecause"
    assert first[1:3] == ["@champion", "0.5 auc(higher is better) candidate:1"]
    assert second[1:3] == ["–none", "0.25 auc(higher is better) candidate:2"]


def test_versions_and_moves_go_on_page_by_page(
    api: Api, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gitlab_mlops.blueprints.web.models.VERSIONS_PER_PAGE", 2)
    monkeypatch.setattr("gitlab_mlops.blueprints.web.models.MOVES_PER_PAGE", 1)
    register(api)
    for number in (1, 2, 3):
        make_version(api)
        set_alias(api, "best", number)
    page = browser.get("models/churn")
    assert [row[0] for row in page.rows("Versions")] == ["Version 3", "Version 2"]
    assert page.rows("Moves")[0][:3] == ["@best", "version 2", "version 3"]
    assert [row[0] for row in browser.get(page.link("Next page")).rows("Vers")] == ["Version 1"]
    earlier = browser.get(page.link("Earlier moves"))
    assert earlier.rows("Moves")[0][:3] == ["@best", "version 1", "version 2"]


def test_the_card_and_the_name_are_edited(api: Api, browser: Browser) -> None:
    register(api)
    form = filled(browser.get("models/churn/edit"), name=ODD, note="A *card*\r\nof two lines")
    answer = send(browser, "models/churn/edit", **form)
    assert answer.status_code == 303
    assert browser.get(answer.location).one("h1").text == ODD
    assert model(api, ODD)["description"] == "A *card*\nof two lines"


def test_two_people_who_edit_a_card_see_both(api: Api, browser: Browser) -> None:
    register(api, description="old")
    form = filled(browser.get("models/churn/edit"), note="mine")
    api.call("PATCH", "registered-models/update", json={"name": "churn", "description": "theirs"})
    answer = Page(send(browser, "models/churn/edit", **form))
    assert answer.status == 409
    assert answer.one("pre", aria_label="What it says now").text == "theirs"
    assert model(api)["description"] == "theirs"
    send(browser, "models/churn/edit", **filled(answer))
    assert model(api)["description"] == "mine"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "needs a name"),
        ("a/b", "cannot contain"),
        ("x" * 257, "256"),
        ("taken", "has this name"),
        ("..", "folder"),
    ],
)
def test_a_name_that_cannot_be_is_refused_next_to_it(
    api: Api, browser: Browser, name: str, said: str
) -> None:
    register(api)
    register(api, "taken")
    form = filled(browser.get("models/churn/edit"), name=name, note="new")
    answer = Page(send(browser, "models/churn/edit", **form))
    assert answer.status == 400
    assert said in answer.one("div", id="mlops-edit-name-problem").text
    assert "description" not in model(api)


def test_an_alias_is_set_moved_and_removed(api: Api, browser: Browser) -> None:
    register(api)
    for _ in range(2):
        make_version(api)
    assert send(browser, "models/churn/alias", alias=" best ", version="1").status_code == 303
    assert (
        send(browser, "models/churn/alias", alias="best", version="2", seen="1").status_code == 303
    )
    assert version(api, 2)["aliases"] == ["best"]
    assert send(browser, "models/churn/remove-alias", alias="best", seen="2").status_code == 303
    assert "aliases" not in model(api)
    moves = browser.get("models/churn").rows("Moves")
    assert [row[:3] for row in moves] == [
        ["@best", "version 2", "removed"],
        ["@best", "version 1", "version 2"],
        ["@best", "new", "version 1"],
    ]


def test_an_alias_that_somebody_else_moved_stays(api: Api, browser: Browser) -> None:
    register(api)
    for _ in range(3):
        make_version(api)
    set_alias(api, "best", 3)
    moved = Page(send(browser, "models/churn/alias", alias="best", version="2", seen="1"))
    assert moved.status == 400
    assert "at version 3 now" in moved.text
    assert send(browser, "models/churn/remove-alias", alias="best", seen="1").status_code == 400
    assert model(api)["aliases"] == [{"alias": "best", "version": "3"}]


@pytest.mark.parametrize(
    "fields",
    [
        {"alias": "latest", "version": "1"},
        {"alias": "v1", "version": "1"},
        {"alias": "a b", "version": "1"},
        {"alias": "best", "version": "x"},
        {"alias": "best\0", "version": "1"},
    ],
)
def test_an_alias_that_cannot_be_is_refused(
    api: Api, browser: Browser, fields: dict[str, str]
) -> None:
    register(api)
    make_version(api)
    assert send(browser, "models/churn/alias", **fields).status_code == 400
    assert "aliases" not in model(api)


def test_a_protected_alias_is_for_maintainers(
    api: Api, browser: Browser, maintainer: Browser
) -> None:
    register(api)
    for _ in range(2):
        make_version(api)
    set_alias(api, "champion", 1)
    assert send(browser, "models/churn/protect", alias="champion").status_code == 403
    assert send(maintainer, "models/churn/protect", alias="champion").status_code == 303
    page = browser.get("models/churn")
    assert "Only maintainers move it." in page.text
    assert not any(each["action"].endswith("remove-alias") for each in page.all("form"))
    for action in ("alias", "remove-alias"):
        refused = send(browser, f"models/churn/{action}", alias="champion", version="2", seen="1")
        assert refused.status_code == 403
    assert "only a maintainer may delete it" in browser.get("models/churn/delete").text
    assert send(browser, "models/churn/delete").status_code == 403
    assert send(browser, "models/churn/versions/1/delete").status_code == 403
    form = filled(browser.get("models/churn/edit"), name="other")
    assert "protected" in Page(send(browser, "models/churn/edit", **form)).text
    moved = send(maintainer, "models/churn/alias", alias="champion", version="2", seen="1")
    assert moved.status_code == 303
    assert version(api, 2)["aliases"] == ["champion"]
    assert send(maintainer, "models/churn/unprotect", alias="champion").status_code == 303
    assert send(browser, "models/churn/remove-alias", alias="champion").status_code == 303


def test_tags_are_set_and_removed_but_for_those_of_mlflow(api: Api, browser: Browser) -> None:
    register(api)
    make_version(api)
    for path in ("models/churn", "models/churn/versions/1"):
        assert send(browser, f"{path}/tag", key="team", value="<b>red").status_code == 303
        assert "team <b>red" in browser.get(path).text
        assert send(browser, f"{path}/remove-tag", key="team").status_code == 303
        assert "<b>red" not in browser.get(path).text
        for key in ("", "mlflow.prompt.is_prompt", "_mlflow_prompt_type", "x" * 251):
            assert send(browser, f"{path}/tag", key=key, value="true").status_code == 400
    assert "tags" not in model(api)


def test_a_model_is_deleted_after_a_question(api: Api, browser: Browser) -> None:
    register(api)
    make_version(api)
    assert "Its 1 version will be gone" in browser.get("models/churn/delete").text
    answer = send(browser, "models/churn/delete")
    page = browser.get(answer.location)
    assert "churn was deleted." in page.text
    assert browser.get("models/churn").status == 404


def test_who_may_only_read_sees_no_form(forge: Forge, api: Api) -> None:
    register(api)
    make_version(api)
    reader = Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))
    for path in ("models/churn", "models/churn/versions/1"):
        page = reader.get(path)
        forms: list[Any] = [
            each for each in page.all("form") if f"{reader.base}/" in each["action"]
        ]
        assert forms == []
        assert not page.has_link("Edit")
