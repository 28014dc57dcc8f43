"""The pages of a version: what its files tell, the files, stage, description, deletion."""

from __future__ import annotations

import io
import zipfile

import pytest
from werkzeug.test import TestResponse

from gitlab_mlops.errors import Unavailable
from gitlab_mlops.storage import Storage
from tests.browsing import Browser, Page, counted_statements, log, upload, words
from tests.contract.registry import make_version, register, set_alias, version
from tests.factories import Api, Forge

MLMODEL = b"""\
flavors:
  python_function:
    loader_module: mlflow.sklearn
  sklearn:
    pickled_model: model.pkl
mlflow_version: 3.17.2
model_uuid: m-1
run_id: secret-run
signature:
  inputs: '[{"type": "double", "name": "alcohol"}, {"type": "long", "name": "<b>"}]'
  outputs: '[{"type": "string"}]'
"""
EXAMPLE = b'{"columns": ["alcohol", "<b>"], "data": [[14.5, 1], [12.25, 2]]}'
PIXEL = b"GIF89a"
LIMIT = 30
"""Statements of the page of a version, those of the forge's own frame included."""


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    """A developer of the project."""
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "developer"))


@pytest.fixture
def made(api: Api) -> str:
    """The run of version 1 of churn, whose files are a folder of its artifacts."""
    run_id = log(api, "forest", metrics={"auc": 0.875, "loss": 0.25})
    upload(api, run_id, "model/MLmodel", MLMODEL)
    upload(api, run_id, "model/input_example.json", EXAMPLE)
    upload(api, run_id, "model/plots/roc.gif", PIXEL)
    upload(api, run_id, "private.txt", b"not of the version")
    register(api)
    make_version(api, source=f"runs:/{run_id}/model", run_id=run_id)
    return run_id


def send(browser: Browser, action: str, **fields: str) -> TestResponse:
    """Send a form of the page of version 1."""
    url = f"{browser.base}/models/churn/versions/1/{action}"
    return browser.client.post(url, data={"csrf_token": "token-of-the-session", **fields})


@pytest.mark.usefixtures("made")
def test_a_version_shows_what_it_takes_and_gives(browser: Browser) -> None:
    page = browser.get("models/churn/versions/1")
    assert page.rows("Inputs") == [["alcohol", "double"], ["<b>", "long"]]
    assert page.rows("Outputs") == [["(0)", "string"]]
    assert page.rows("Flavor sklearn") == [["pickled_model", "model.pkl"]]
    assert "secret-run" not in page.text
    example = page.html[page.html.index('id="mlops-example"') :]
    assert "12.25" in example
    assert [each.text for each in page.all("dd") if each.text in ("0.875", "0.25")] == [
        "0.875",
        "0.25",
    ]
    assert page.link("forest") == f"{browser.base}/candidates/1"


@pytest.mark.usefixtures("made")
def test_a_version_is_loaded_by_its_alias_or_number(api: Api, browser: Browser) -> None:
    assert 'load_model("models:/churn/1")' in browser.get("models/churn/versions/1").text
    set_alias(api, "champion", 1)
    set_alias(api, "b", 1)
    page = browser.get("models/churn/versions/1")
    assert 'load_model("models:/churn@b")' in page.text
    assert "[model:churn/1]" in page.text
    assert 'load_model("models:/churn@champion")' in browser.get("models/churn").text


@pytest.mark.usefixtures("made")
def test_the_files_of_a_version_are_its_folder_and_no_more(browser: Browser) -> None:
    page = browser.get("models/churn/versions/1/files")
    assert [row[0] for row in page.rows("Files")] == ["plots", "input_example.json", "MLmodel"]
    assert page.rows("Inputs")
    page = browser.get("models/churn/versions/1/files?path=plots/roc.gif")
    (image,) = page.all("img")
    assert browser.raw(image["src"]).data == PIXEL
    (link,) = [each for each in page.all("a") if each.attributes.get("title") == "Download"]
    answer = browser.raw(link["href"])
    assert answer.data == PIXEL
    assert "attachment" in answer.headers["Content-Disposition"]
    assert browser.get("models/churn/versions/1/files?path=private.txt").all("pre") == []
    assert browser.raw("models/churn/versions/1/artifacts/private.txt").status_code == 404


@pytest.mark.parametrize(
    "path", ["../private.txt", "plots/../../private.txt", "%2e%2e/private.txt"]
)
@pytest.mark.usefixtures("made")
def test_no_path_leads_out_of_a_version(browser: Browser, path: str) -> None:
    for page in ("artifacts/", "preview/", "files?path=", "archive?path="):
        assert browser.raw(f"models/churn/versions/1/{page}{path}").status_code in (400, 404)


@pytest.mark.usefixtures("made")
def test_a_version_comes_as_a_zip_file(browser: Browser) -> None:
    answer = browser.raw("models/churn/versions/1/archive")
    names = zipfile.ZipFile(io.BytesIO(answer.data)).namelist()
    assert sorted(names) == [
        "version-1/MLmodel", "version-1/input_example.json", "version-1/plots/roc.gif",
    ]  # fmt: skip
    page = browser.get("models/churn/versions/1/files")
    assert browser.raw(page.link("Download as zip")).status_code == 200


def test_a_logged_model_shows_its_own_files(api: Api, browser: Browser) -> None:
    run_id = log(api, "forest")
    made = api.post("logged-models", experiment_id="0", name="m", source_run_id=run_id)
    model_id = made["model"]["info"]["model_id"]
    path = f"/api/2.0/mlflow-artifacts/artifacts/models/{model_id}/artifacts/MLmodel"
    assert api.call("PUT", path, data=MLMODEL).status_code == 200
    register(api)
    make_version(api, source=f"models:/{model_id}")
    page = browser.get("models/churn/versions/1")
    assert page.rows("Outputs") == [["(0)", "string"]]
    assert model_id in page.text
    page = browser.get("models/churn/versions/1/files")
    assert [row[0] for row in page.rows("Files")] == ["MLmodel"]


def test_a_version_without_a_model_says_so(api: Api, browser: Browser) -> None:
    register(api)
    make_version(api)
    page = browser.get("models/churn/versions/1")
    assert "There is no file MLmodel among the files of this version" in page.text
    assert "No artifacts were logged." in browser.get("models/churn/versions/1/files").text


@pytest.mark.usefixtures("made")
def test_a_store_that_is_down_takes_nothing_else_along(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_arguments: object) -> None:
        raise Unavailable("The store is away.")

    monkeypatch.setattr(Storage, "list_folder", fail)
    page = browser.get("models/churn/versions/1")
    assert page.status == 200
    assert "The store is away." in page.text
    assert page.has_link("forest")


@pytest.mark.parametrize("number", ["2", "0", "x", "99999999999", "-1"])
@pytest.mark.usefixtures("made")
def test_a_version_that_is_not_there(browser: Browser, number: str) -> None:
    assert browser.raw(f"models/churn/versions/{number}").status_code == 404


@pytest.mark.usefixtures("made")
def test_a_version_moves_to_a_stage(api: Api, browser: Browser) -> None:
    make_version(api)
    for number in ("1", "2"):
        api.post("model-versions/transition-stage", name="churn", version=number, stage="staging",
                 archive_existing_versions=False)  # fmt: skip
    answer = send(browser, "stage", stage="Staging", seen="Staging", archive="on")
    assert answer.status_code == 303
    assert "Staging" in browser.get(answer.location).text
    assert version(api, 2)["current_stage"] == "Archived"
    moves = browser.get("models/churn").rows("Moves")
    assert moves[0][:3] == ["version 2", "Staging", "Archived"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"stage": "Production", "seen": "Archived"}, "somebody else moved it"),
        ({"stage": "Best"}, "Best"),
        ({"stage": "None", "archive": "on"}, "not an Active stage"),
    ],
)
@pytest.mark.usefixtures("made")
def test_a_stage_that_cannot_be_is_refused(
    api: Api, browser: Browser, fields: dict[str, str], said: str
) -> None:
    answer = Page(send(browser, "stage", **fields))
    assert answer.status == 400
    assert said in answer.text
    assert version(api, 1)["current_stage"] == "None"


@pytest.mark.usefixtures("made")
def test_the_description_is_edited_by_one_at_a_time(api: Api, browser: Browser) -> None:
    page = browser.get("models/churn/versions/1/edit")
    seen = page.one("input", name="seen-note")["value"]
    fields = {"seen-note": seen, "note": "It *beats* the last"}
    assert send(browser, "edit", **fields).status_code == 303
    page = browser.get("models/churn/versions/1")
    assert words(page.one("em").text) == "beats"
    answer = Page(send(browser, "edit", **{"seen-note": seen, "note": "mine"}))
    assert answer.status == 409
    assert version(api, 1)["description"] == "It *beats* the last"
    seen = browser.get("models/churn/versions/1/edit").one("input", name="seen-note")["value"]
    answer = Page(send(browser, "edit", **{"seen-note": seen, "note": "x" * 100_001}))
    assert answer.status == 400
    assert "At most 100,000 characters" in answer.text


@pytest.mark.usefixtures("made")
def test_a_version_shows_its_semantic_version(api: Api, browser: Browser) -> None:
    send(browser, "tag", key="gitlab.version", value="2.0.0-<b>")
    for path in ("models", "models/churn", "models/churn/versions/1"):
        (shown,) = browser.get(path).all("span", class_="mlops-semver")
        assert shown.text == "2.0.0-<b>"
    assert version(api, 1)["tags"] == [{"key": "gitlab.version", "value": "2.0.0-<b>"}]


@pytest.mark.usefixtures("made")
def test_a_version_is_deleted_after_a_question(api: Api, browser: Browser) -> None:
    set_alias(api, "champion", 1)
    assert "Its alias @champion will be gone" in browser.get("models/churn/versions/1/delete").text
    answer = send(browser, "delete")
    page = browser.get(answer.location)
    assert "There is no version yet." in page.text
    assert page.rows("Moves")[0][:3] == ["@champion", "version 1", "removed"]
    assert browser.get("models/churn/versions/1").status == 404


def test_statements_do_not_grow_with_models_and_versions(api: Api, browser: Browser) -> None:
    def fill(count: int) -> None:
        for number in range(count):
            name = register(api, f"of-{count}-{number}", tags=[{"key": "a", "value": "b"}])
            make_version(api, name)
            set_alias(api, "best", 1, name)
            run_id = log(api, metrics={"auc": 0.5}, params={"a": "b"})
            made = make_version(api, source=f"runs:/{run_id}/model")
            api.post("model-versions/set-tag", name="churn", version=made["version"],
                     key="gitlab.version", value="1.0.0")  # fmt: skip
            set_alias(api, f"alias-{count}-{number}", int(made["version"]))

    def cost(path: str) -> int:
        browser.get(path)
        with counted_statements(browser.forge.app) as statements:
            assert browser.get(path).status == 200
        writes = [each for each in statements if not each.lstrip().startswith(("SELECT", "WITH"))]
        assert writes == [], "a page view writes"
        return len(statements)

    register(api)
    paths = ("models", "models?sort=name", "models/churn", "models/churn/versions/1")
    fill(2)
    few = [cost(path) for path in paths]
    fill(12)
    many = [cost(path) for path in paths]
    assert many == few
    assert max(many) <= LIMIT, dict(zip(paths, many, strict=True))
