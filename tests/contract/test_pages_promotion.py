"""Promoting a candidate: what is offered, what becomes of it, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

import pytest
from werkzeug.test import TestResponse

from gitlab_mlops.errors import Unavailable
from gitlab_mlops.storage import Storage
from tests.browsing import Browser, Page, log, upload, words
from tests.contract.registry import model, register, set_alias, version
from tests.factories import Api, Forge

EVIL = "<img src=x onerror=alert(1)>\u202e{{ 7*7 }}"


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "developer"))


def log_model(api: Api, run_id: str = "", name: str = "net", *, ready: bool = True) -> str:
    """A logged model, of the run if one is given; its id."""
    source = {"source_run_id": run_id} if run_id else {}
    made = api.post("logged-models", experiment_id="0", name=name, **source)
    model_id: str = made["model"]["info"]["model_id"]
    if ready:
        status = {"status": "LOGGED_MODEL_READY", "model_id": model_id}
        assert api.call("PATCH", f"logged-models/{model_id}", json=status).status_code == 200
    return model_id


def offered(page: Page) -> list[str]:
    return [each["value"] for each in page.all("input", name="source")]


def send(browser: Browser, candidate: int = 1, **form: str) -> TestResponse:
    url = f"{browser.base}/candidates/{candidate}/promote"
    return browser.client.post(url, data={"csrf_token": "token-of-the-session", **form})


def problems(response: TestResponse) -> list[str]:
    assert response.status_code == 400, response.location
    return [words(each.text) for each in Page(response).all("p", class_="mlops-problem")]


def test_logged_models_and_folders_with_a_model_are_offered(api: Api, browser: Browser) -> None:
    run_id = log(api, "owl")
    older, newer = log_model(api, run_id, "first"), log_model(api, run_id, "second")
    log_model(api, run_id, "unfinished", ready=False)
    log_model(api, log(api, "other"), "of another")
    used = log_model(api)
    api.post("runs/log-inputs", run_id=run_id, models=[{"model_id": used}])
    made = log_model(api)
    api.post("runs/outputs", run_id=run_id, models=[{"model_id": made, "step": "3"}])
    stolen = log_model(api, log(api, "third"))
    api.post("runs/outputs", run_id=run_id, models=[{"model_id": stolen, "step": "0"}])
    gone = log_model(api, run_id)
    assert api.call("DELETE", f"logged-models/{gone}").status_code == 200
    upload(api, run_id, "best/MLmodel")
    upload(api, run_id, "deep/er/MLmodel")
    upload(api, run_id, "plots/roc.png")
    assert offered(browser.get("candidates/1/promote")) == [
        f"models:/{made}",
        f"models:/{newer}",
        f"models:/{older}",
        f"runs:/{run_id}/best",
        f"runs:/{run_id}/deep/er",
    ]


def test_the_first_is_chosen_unless_the_address_names_another(api: Api, browser: Browser) -> None:
    run_id = log(api)
    upload(api, run_id, "a/MLmodel")
    upload(api, run_id, "b/MLmodel")

    def chosen(query: str) -> list[str]:
        page = browser.get(f"candidates/1/promote{query}")
        return [each["value"] for each in page.all("input", name="source") if "checked" in
                each.attributes]  # fmt: skip

    assert chosen("") == chosen("?source=runs:/elsewhere") == [f"runs:/{run_id}/a"]
    assert chosen(f"?source=runs:/{run_id}/b&model=churn") == [f"runs:/{run_id}/b"]


def test_a_folder_becomes_the_first_version_of_a_new_model(api: Api, browser: Browser) -> None:
    run_id = log(api)
    upload(api, run_id, "model/MLmodel")
    page = browser.get("candidates/1/promote")
    assert "checked" in page.one("input", name="is-new").attributes
    answer = send(
        browser,
        source=f"runs:/{run_id}/model",
        name=" größe v2 ",
        **{"is-new": "1", "alias": "@champion", "semver": "1.4.0-rc.1", "description": "Deeper."},
    )
    assert answer.status_code == 303
    assert answer.location == f"{browser.base}/models/gr%C3%B6%C3%9Fe%20v2/versions/1"
    made = version(api, 1, "größe v2")
    assert made["run_id"] == run_id
    assert made["source"] == f"runs:/{run_id}/model"
    assert made["aliases"] == ["champion"]
    assert made["description"] == "Deeper."
    assert made["tags"] == [{"key": "gitlab.version", "value": "1.4.0-rc.1"}]
    assert browser.raw(answer.location).status_code == 200


def test_a_logged_model_becomes_another_version_and_the_alias_moves(
    api: Api, browser: Browser
) -> None:
    run_id = log(api)
    register(api)
    first, second = log_model(api, run_id), log_model(api, run_id)
    send(browser, source=f"models:/{first}", name="churn", alias="champion")
    answer = send(browser, source=f"models:/{second}", name="churn", alias="champion")
    assert answer.location.endswith("/models/churn/versions/2")
    assert model(api)["aliases"] == [{"alias": "champion", "version": "2"}]
    assert version(api, 2)["run_id"] == run_id
    assert "tags" not in version(api, 2)


def test_a_model_that_names_no_run_becomes_one_of_the_run_that_made_it(
    api: Api, browser: Browser
) -> None:
    run_id = log(api)
    register(api)
    made = log_model(api)
    api.post("runs/outputs", run_id=run_id, models=[{"model_id": made, "step": "0"}])
    send(browser, source=f"models:/{made}", name="churn")
    assert version(api, 1)["run_id"] == run_id


def test_the_last_model_of_the_experiment_is_suggested(api: Api, browser: Browser) -> None:
    register(api)
    register(api, "other")
    run_id = log(api)
    upload(api, run_id, "model/MLmodel")
    name = browser.get("candidates/1/promote").one("input", name="name")
    assert name["value"] == ""
    send(browser, source=f"runs:/{run_id}/model", name="churn")
    upload(api, log(api), "model/MLmodel")
    page = browser.get("candidates/2/promote")
    assert page.one("input", name="name")["value"] == "churn"
    assert "checked" not in page.one("input", name="is-new").attributes
    assert {each["value"] for each in page.all("option")} == {"churn", "other"}


@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ({"source": ""}, "Choose what to promote."),
        ({"source": "runs:/" + "0" * 32 + "/model"}, "Choose what to promote."),
        ({"source": "file:///etc"}, "Choose what to promote."),
        ({"name": " "}, "A name is needed."),
        ({"name": "a/b"}, "Names cannot contain '/' or ':'."),
        ({"name": "chrun"}, "There is no model of this name; tick below to make one."),
        ({"is-new": "1"}, "There is a model of this name; untick below"),
        ({"name": "greet"}, "A prompt has this name"),
        ({"alias": "a b"}, "Names may only contain alphanumerics"),
        ({"alias": "latest"}, "is reserved"),
        ({"alias": "v3"}, "is reserved"),
        ({"semver": "1.4"}, "looks like 1.4.0"),
        ({"semver": "01.4.0"}, "looks like 1.4.0"),
        ({"semver": "1.4.0\n"}, ""),
        ({"description": "x" * 100_001}, "exceeds the maximum length"),
    ],
)
def test_what_cannot_be_is_told_where_it_was_typed(
    api: Api, browser: Browser, form: dict[str, str], problem: str
) -> None:
    run_id = log(api)
    upload(api, run_id, "model/MLmodel")
    register(api)
    register(api, "greet", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}])
    answer = send(browser, **{"source": f"runs:/{run_id}/model", "name": "churn", **form})
    if not problem:
        assert answer.status_code == 303
        return
    (told,) = problems(answer)
    assert problem in told
    assert not api.get("model-versions/search").get("model_versions")


def test_what_was_typed_stays_in_a_form_that_is_refused(api: Api, browser: Browser) -> None:
    run_id = log(api)
    upload(api, run_id, "model/MLmodel")
    page = Page(
        send(browser, source="x", name=EVIL, alias="a b", semver=EVIL[:9], description=f"\n{EVIL}")
    )
    assert page.status == 400
    assert page.one("input", name="name")["value"] == EVIL
    assert page.one("input", name="alias")["value"] == "a b"
    assert page.one("textarea").text.endswith(EVIL)
    assert not page.all("img")


def test_a_protected_alias_is_a_maintainers(forge: Forge, api: Api, browser: Browser) -> None:
    run_id = log(api)
    upload(api, run_id, "model/MLmodel")
    register(api)
    boss = forge.member(api.project_id, "maintainer")
    maintainer = Browser.open(forge, api.project_id, boss)
    maintainer.client.post(
        f"{maintainer.base}/models/churn/protect",
        data={"csrf_token": "token-of-the-session", "alias": "champion"},
    )
    form = {"source": f"runs:/{run_id}/model", "name": "churn", "alias": "champion"}
    assert problems(send(browser, **form)) == [
        "This alias is protected: only a maintainer may move it."
    ]
    assert not api.get("model-versions/search").get("model_versions")
    assert send(maintainer, **form).status_code == 303
    assert model(api)["aliases"] == [{"alias": "champion", "version": "1"}]
    set_alias(api, "challenger", 1)


def test_a_candidate_without_a_model_says_how_to_log_one(api: Api, browser: Browser) -> None:
    log(api)
    page = browser.get("candidates/1/promote")
    assert "There is nothing to promote" in page.text
    assert 'log_model(model, name="model")' in page.text


def test_what_is_in_the_trash_is_not_promoted(api: Api, browser: Browser) -> None:
    run_id = log(api)
    upload(api, run_id, "model/MLmodel")
    api.post("runs/delete", run_id=run_id)
    assert browser.get("candidates/1/promote").status == 400
    assert send(browser, source=f"runs:/{run_id}/model", name="churn").status_code == 400
    assert "/promote" not in browser.get("candidates/1").html


def test_the_button_is_there_for_who_may_write(forge: Forge, api: Api, browser: Browser) -> None:
    log(api)
    assert browser.get("candidates/1").link("Promote…").endswith("/candidates/1/promote")
    reader = Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))
    assert "/promote" not in reader.get("candidates/1").html
    assert reader.get("candidates/1/promote").status == 403


class BrokenStorage(Storage):
    """A store that cannot be reached."""

    def __init__(self) -> None:
        pass

    def walk(self, *_arguments: Any) -> NoReturn:
        raise Unavailable("The store is on fire.")


def test_without_the_store_what_is_noted_is_still_offered(
    forge: Forge, api: Api, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = log(api)
    made = log_model(api, run_id)
    history = '[{"artifact_path": "noted", "flavors": {"sklearn": {"sklearn_version": "1.5"}}}]'
    api.post("runs/set-tag", run_id=run_id, key="mlflow.log-model.history", value=history)
    assert offered(browser.get("candidates/1/promote")) == [f"models:/{made}"]
    mount = replace(forge.app.extensions["mlops"], storage=BrokenStorage())
    monkeypatch.setitem(forge.app.extensions, "mlops", mount)
    page = browser.get("candidates/1/promote")
    assert offered(page) == [f"models:/{made}", f"runs:/{run_id}/noted"]
    assert "The store is on fire. Folders may be missing below." in page.text
    assert "noted sklearn 1.5" in page.text
