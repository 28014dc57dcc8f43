"""The pages of a logged model: its files, who made it, and the way to promote it."""

from __future__ import annotations

import io
import zipfile

import pytest

from tests.browsing import Browser, log
from tests.contract.test_pages_promotion import log_model
from tests.factories import Api, Forge

MLMODEL = b"""\
flavors:
  python_function:
    env: conda.yaml
  sklearn:
    sklearn_version: 1.7.2
"""


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer()


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "developer"))


def put(api: Api, model_id: str, name: str, body: bytes) -> None:
    path = f"/api/2.0/mlflow-artifacts/artifacts/models/{model_id}/artifacts/{name}"
    assert api.call("PUT", path, data=body).status_code == 200


@pytest.fixture
def model_id(api: Api) -> str:
    made = log_model(api, log(api, "owl"), "net")
    put(api, made, "MLmodel", MLMODEL)
    put(api, made, "plots/roc.gif", b"GIF89a")
    return made


def test_a_candidate_leads_to_the_files_of_a_model_it_logged(
    browser: Browser, model_id: str
) -> None:
    page = browser.get(browser.get("candidates/1").link("net"))
    assert page.status == 200
    assert f'mlflow.pyfunc.load_model("models:/{model_id}")' in page.text
    assert "1.7.2" in page.text
    assert browser.get(page.link("owl")).one("h1").text == "owl"
    promote = browser.get(page.link("Promote…"))
    (chosen,) = [each for each in promote.all("input", name="source") if "checked" in
                 each.attributes]  # fmt: skip
    assert chosen["value"] == f"models:/{model_id}"


def test_files_of_a_logged_model_are_seen_and_downloaded(browser: Browser, model_id: str) -> None:
    base = f"logged_models/{model_id}"
    picture = browser.get(f"{base}/files", query_string={"path": "plots/roc.gif"})
    assert browser.raw(picture.one("img", alt="roc.gif")["src"]).data == b"GIF89a"
    assert browser.raw(picture.link("Download")).data == b"GIF89a"
    folder = browser.get(f"{base}/files?path=plots&layout=list")
    packed = browser.raw(folder.link("Download as zip")).data
    assert zipfile.ZipFile(io.BytesIO(packed)).namelist() == ["plots/roc.gif"]
    assert browser.raw(f"{base}/artifacts/none.txt").status_code == 404
    assert browser.raw(f"{base}/preview/MLmodel").status_code == 400
    assert browser.raw(f"{base}/files?path=../../0").status_code == 400


def test_what_is_no_logged_model_of_the_project_has_no_pages(
    forge: Forge, api: Api, browser: Browser, model_id: str
) -> None:
    elsewhere = forge.developer()
    other = log_model(elsewhere, name="other")
    put(elsewhere, other, "MLmodel", MLMODEL)
    assert api.call("DELETE", f"logged-models/{model_id}").status_code == 200
    for name in (other, model_id, "m-" + "0" * 32, "m-x", "a%00b", "..%2f0"):
        for page in ("files", "artifacts/MLmodel", "preview/MLmodel", "archive"):
            assert browser.raw(f"logged_models/{name}/{page}").status_code == 404, (name, page)


def test_a_reader_is_not_offered_to_promote(forge: Forge, api: Api, model_id: str) -> None:
    reader = Browser.open(forge, api.project_id, forge.member(api.project_id, "reporter"))
    page = reader.get(f"logged_models/{model_id}/files")
    assert page.status == 200
    assert not page.has_link("Promote…")
