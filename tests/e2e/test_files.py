"""Artifacts in a real browser: the tree, the previews, and what is downloaded."""

from __future__ import annotations

import base64
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browsing import log, upload
from tests.e2e.conftest import Browsing
from tests.factories import Api, Forge

# One database is enough: what differs between them is below the pages.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
EVIL = "<img src=x onerror=alert(1)><script>alert(2)</script>"
MLMODEL = """\
flavors:
  python_function: {loader_module: mlflow.sklearn}
mlflow_version: 3.1.0
signature:
  inputs: '[{"name": "alcohol", "type": "double", "required": true}]'
"""
FILES = {
    "README.md": f"# Wine\n\n| a | b |\n|--:|---|\n| 1 | 2 |\n\n{EVIL}\n\n![p](figures/a.png)",
    "model/MLmodel": MLMODEL,
    "model/data/weights.bin": "a\0b",
    "train.py": "import mlflow\n\nprint('x')\n" + "# a long line " * 40,
    "tables/wine.csv": "name,score\nred,0.50\nwhite,1\n" + "x,1\n" * 100,
    "report.html": EVIL,
    "a-very-long-name-" * 8 + ".txt": EVIL,
}


@pytest.fixture
def api(forge: Forge) -> Api:
    api = forge.developer("public")
    run_id = log(api, "gbt")
    for name, body in FILES.items():
        upload(api, run_id, name, body.encode())
    for step in (0, 10):
        upload(api, run_id, f"figures/gen+step+{step}+timestamp+1795578426640+8b0a.png", PNG)
    return api


PATHS = ("", *FILES, "model", "figures", "figures/gen+step+0+timestamp+1795578426640+8b0a.png")


def test_every_preview_fits_on_a_phone(browsing: Browsing, api: Api) -> None:
    visit = browsing.visit(api, viewport={"width": 375, "height": 800})
    for path in PATHS:
        page = visit.open(f"candidates/1/files?path={path.replace('+', '%2B')}")
        expect(page.locator(".mlops-look")).to_be_visible()
        assert not visit.overflows(), path


def test_a_person_goes_through_the_tree_and_looks_at_files(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api).open("candidates/1/files")
    tree = page.get_by_role("navigation", name="Tree of artifacts")
    expect(page.get_by_role("heading", name="Wine")).to_be_visible()
    tree.get_by_role("link", name="model").click()
    expect(page.get_by_text("mlflow.pyfunc.load_model")).to_be_visible()
    expect(page.get_by_role("row", name="alcohol double")).to_be_visible()
    tree.get_by_role("link", name="tables").click()
    tree.get_by_role("link", name="wine.csv").click()
    expect(page.get_by_role("row", name="1 red 0.50")).to_be_visible()
    tree.get_by_role("link", name="train.py").click()
    expect(page.locator(".mlops-lines span").nth(2)).to_have_text("print('x')")
    tree.get_by_role("link", name="report.html").click()
    expect(page.get_by_text("can run scripts")).to_be_visible()
    tree.get_by_role("link", name="figures").click()
    pictures = page.locator(".mlops-pictures img")
    expect(pictures).to_have_count(2)
    pictures.last.click()
    assert page.locator(".mlops-picture img").evaluate("image => image.decode().then(() => 1)") == 1
    assert page.locator(".mlops-picture img").evaluate("image => image.naturalWidth") == 1


def test_line_numbers_are_not_copied(browsing: Browsing, api: Api) -> None:
    page = browsing.visit(api).open("candidates/1/files?path=train.py")
    numbers = page.evaluate(
        """() => [...document.querySelectorAll('.mlops-lines span')]
        .map(each => getComputedStyle(each, '::before').content)"""
    )
    assert numbers == ["counter(line)"] * 4
    copied = page.evaluate(
        """() => {
          getSelection().selectAllChildren(document.querySelector('.mlops-lines'));
          return getSelection().toString();
        }"""
    )
    assert copied.startswith("import mlflow\n\nprint('x')\n# a long line")


def test_files_and_folders_are_downloaded(browsing: Browsing, api: Api, tmp_path: Path) -> None:
    page = browsing.visit(api).open("candidates/1/files?path=report.html")
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").click()
    assert waiting.value.suggested_filename == "report.html"
    waiting.value.save_as(tmp_path / "file")
    assert (tmp_path / "file").read_text() == EVIL
    page.get_by_role("link", name="model", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download as zip").click()
    assert waiting.value.suggested_filename == "model.zip"
    waiting.value.save_as(tmp_path / "zip")
    with zipfile.ZipFile(tmp_path / "zip") as found:
        assert found.testzip() is None
        assert found.read("model/MLmodel").decode() == MLMODEL
