"""Previews of artifacts: they show what a file says, and never run what it holds."""

from __future__ import annotations

import base64
import json
import re

import pytest
from jinja2 import StrictUndefined

from gitlab_mlops.blueprints.web.previews.images import MAX_IMAGE_BYTES
from tests.browsing import Browser, Page, upload, words
from tests.contract.test_pages_markup import CORPUS, assert_harmless
from tests.factories import Api

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
MLMODEL = """\
flavors:
  python_function: {{loader_module: {0}}}
  {0}: {{version: {0}}}
mlflow_version: {0}
saved_input_example_info: {{artifact_path: {0}, type: {0}}}
signature:
  inputs: {1}
"""


def look(browser: Browser, path: str, **query: str) -> Page:
    page = browser.get("candidates/1/files", query_string={"path": path, **query})
    assert page.status == 200
    return page


# Each kind


def test_text_is_shown_with_lines_that_can_be_copied(
    api: Api, browser: Browser, run_id: str
) -> None:
    upload(api, run_id, "train.py", b"if a < b:\r\n\tprint('x')\n")
    page = look(browser, "train.py")
    assert page.one("pre").text == "if a < b:\n\tprint('x')\n"
    assert [each.text for each in page.all("span") if "print" in each.text] == ["\tprint('x')"]
    assert not page.has_link("Source")


def test_the_end_of_a_long_log_is_a_click_away(api: Api, browser: Browser, run_id: str) -> None:
    upload(api, run_id, "train.log", "".join(f"epoch {n}\n" for n in range(6000)).encode())
    page = look(browser, "train.log")
    assert "Only the first 5,000 lines are shown." in page.text
    end = browser.get(page.link("End"))
    assert end.one("pre").text.endswith("\nepoch 5999\n")
    assert browser.get(end.link("Beginning")).one("pre").text.startswith("epoch 0\n")


def test_a_long_file_says_how_much_of_it_is_shown(api: Api, browser: Browser, run_id: str) -> None:
    upload(api, run_id, "a.txt", b"x" * 3 * 2**20)
    assert "These are the first 512 KiB of 3.0 MiB." in look(browser, "a.txt").text


def test_markdown_is_rendered_and_its_links_lead_to_artifacts(
    api: Api, browser: Browser, run_id: str
) -> None:
    body = "# Card\n\n[x](../a%20b.txt) ![y](img/p.png#z) [z](../../..) <b>w</b>"
    upload(api, run_id, "docs/card.md", body.encode())
    page = look(browser, "docs/card.md")
    assert [each.text for each in page.all("h3")] == ["Card"]
    files = f"{browser.base}/candidates/1/files"
    assert page.link("x") == f"{files}?path=a+b.txt"
    assert page.link("y") == f"{files}?path=docs%2Fimg%2Fp.png"
    assert page.link("z") == files
    assert not page.all("img")
    source = browser.get(page.link("Source"))
    assert source.one("pre").text == f"{body}\n"
    assert browser.get(source.link("Preview")).text == page.text


def test_json_is_laid_out(api: Api, browser: Browser, run_id: str) -> None:
    upload(api, run_id, "a.json", b'{"a":[1.10,NaN],"b":{"c":[]}}')
    lines = '{\n  "a": [1.10, NaN],\n  "b": {\n    "c": []\n  }\n}\n'
    assert look(browser, "a.json").one("pre").text == lines
    assert look(browser, "a.json", raw="1").one("pre").text == '{"a":[1.10,NaN],"b":{"c":[]}}\n'


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("t.csv", "name,score\na <b>,0.50\n,\n"),
        ("t.json", '{"columns":["name","score"],"data":[["a <b>",0.50],["",null]]}'),
    ],
)
def test_a_table_is_a_table(api: Api, browser: Browser, run_id: str, name: str, body: str) -> None:
    upload(api, run_id, name, body.encode())
    page = look(browser, name)
    assert [words(each.text) for each in page.all("th")] == ["Row", "name", "score"]
    rows = page.rows("Rows of")
    assert rows[0] == ["1", "a <b>", "0.50"]
    assert rows[1][:2] == ["2", ""]


def test_a_model_shows_how_it_is_loaded(api: Api, browser: Browser, run_id: str) -> None:
    body = "flavors: {python_function: {loader_module: mlflow.sklearn}}\nmlflow_version: 2.22.5\n"
    body += 'signature:\n  inputs: \'[{"name": "alcohol", "type": "double"}]\'\n'
    upload(api, run_id, "models/best/MLmodel", body.encode())
    page = look(browser, "models/best/MLmodel")
    assert f'mlflow.pyfunc.load_model("runs:/{run_id}/models/best")' in page.text
    assert "Made with MLflow2.22.5" in page.text
    assert page.rows("Inputs") == [["alcohol", "double"]]
    assert page.rows("Flavor python_function") == [["loader_module", "mlflow.sklearn"]]
    upload(api, run_id, "MLmodel", body.encode())
    assert f'load_model("runs:/{run_id}")' in look(browser, "MLmodel").text


@pytest.mark.parametrize("name", ["MLmodel", "README.md"])
def test_a_folder_shows_what_it_is(api: Api, browser: Browser, run_id: str, name: str) -> None:
    body = b"flavors: {python_function: {}}" if name == "MLmodel" else b"Load this model so."
    upload(api, run_id, f"model/{name}", body)
    page = look(browser, "model")
    assert page.rows("Files and folders")
    assert "Load this model" in page.text


def test_a_picture_is_shown_from_its_own_address(
    api: Api, browser: Browser, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What guards it does not come from the forge.
    monkeypatch.setitem(api.app.after_request_funcs, None, [])
    upload(api, run_id, "figures/a b.png", PNG)
    image = look(browser, "figures/a b.png").one("img")
    assert image["alt"] == "a b.png"
    answer = browser.raw(image["src"])
    assert (answer.status_code, answer.data) == (200, PNG)
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["Content-Length"] == str(len(PNG))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.headers["Content-Disposition"] == "inline"
    assert "private" in answer.headers["Cache-Control"]
    again = browser.raw(image["src"], headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    never = {"If-Modified-Since": "Mon, 01 Jan 0001 00:00:00 +999999999999999999999999"}
    assert browser.raw(image["src"], headers=never).data == PNG
    head = browser.raw(image["src"], method="HEAD")
    assert (head.status_code, head.data, head.mimetype) == (200, b"", "image/png")


@pytest.mark.parametrize(
    ("name", "body", "media_type"),
    [
        ("a.png", PNG, "image/png"),
        ("a.txt", PNG, "image/png"),
        ("a.html", PNG, "image/png"),
        ("a.png", b"GIF89a<script>alert(1)</script>", "image/gif"),
        ("a.svg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("a", b"RIFF\x04\0\0\0WEBP", "image/webp"),
        ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", ""),
        ("a.png", b"<html><script>alert(1)</script>", ""),
        ("a.svg", b"<svg/>", ""),
        ("a.bmp", b"BM\0\0", ""),
        ("a.ico", b"\0\0\1\0", ""),
        ("a.png", b"\x89PNG", ""),
        ("a.png", b"", ""),
    ],
)
def test_a_picture_is_what_its_bytes_are(
    api: Api, browser: Browser, run_id: str, name: str, body: bytes, media_type: str
) -> None:
    upload(api, run_id, name, body)
    answer = browser.raw(f"candidates/1/preview/{name}")
    if media_type:
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, media_type)
    else:
        assert answer.status_code == 400
        assert "no image" in Page(answer).text


def test_a_huge_picture_is_for_download_only(api: Api, browser: Browser, run_id: str) -> None:
    upload(api, run_id, "a.png", PNG + bytes(MAX_IMAGE_BYTES))
    assert "Images over 20.0 MiB are not shown." in look(browser, "a.png").text
    assert browser.raw("candidates/1/preview/a.png").status_code == 400


@pytest.mark.parametrize("name", ["a.html", "a.svg", "a.xhtml", "a.HTM", "a.svgz"])
def test_what_runs_scripts_is_for_download_only(
    api: Api, browser: Browser, run_id: str, name: str
) -> None:
    body = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    upload(api, run_id, name, body)
    for query in ({}, {"raw": "1"}, {"part": "end"}):
        page = look(browser, name, **query)
        assert "can run scripts" in page.text
        assert "alert(1)" not in page.html
        assert not page.all("img")
    assert browser.raw(f"candidates/1/preview/{name}").status_code == 400
    answer = browser.raw(page.one("a", title="Download")["href"])
    assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("model.pkl", b"\x80\x04\x95\0", "There is no preview of this kind of file."),
        ("a.log", b"a\0b", "There is no preview of this kind of file."),
        ("a.png", b"no picture", "its content is none that browsers show"),
        ("empty.csv", b"", "This file is empty."),
        ("a.log", b"a\xff", "Some bytes are no valid text"),
        ("u.txt", "\ufeffGrüße".encode("utf-16-le"), "Grüße"),
        ("one.txt", b"x" * 100_000, "1 line cut after 2,000 characters."),
        ("quote.csv", b'a,"b\nc', "Rows of quote.csv"),
        ("bad.json", b"{", "{"),
        ("MLmodel", b"&a [*a]", "&a [*a]"),
    ],
)
def test_every_file_has_a_page_with_facts_and_a_download(
    api: Api, browser: Browser, run_id: str, name: str, body: bytes, said: str
) -> None:
    upload(api, run_id, name, body)
    page = look(browser, name)
    assert said in page.text
    assert browser.raw(page.one("a", title="Download")["href"]).data == body


# Pictures side by side


def test_a_folder_of_pictures_shows_them(api: Api, browser: Browser, run_id: str) -> None:
    for step in (0, 5, 20, 10):
        name = f"images/gen~face+step+{step}+timestamp+1795578426640+8b0a287f-323d"
        upload(api, run_id, f"{name}.png", PNG)
        upload(api, run_id, f"{name}+compressed.webp", b"RIFF\x04\0\0\0WEBP")
    upload(api, run_id, "images/other.gif", b"GIF89a")
    page = look(browser, "images")
    assert [words(each.text) for each in page.all("h3")] == ["gen/face 4"]
    assert [words(each.text) for each in page.all("li") if "step" in each.text][:4] == [
        "step 0", "step 5", "step 10", "step 20",
    ]  # fmt: skip
    assert len(page.all("img", loading="lazy")) == 5
    small = [each["src"] for each in page.all("img") if "compressed" in each["src"]]
    assert len(small) == 4
    assert {browser.raw(each).mimetype for each in small} == {"image/webp"}
    assert "9 files" in page.text
    assert "5 pictures" in page.text
    assert len(browser.get(page.link("List")).rows("Files and folders")) == 9


def test_steps_of_mlflow_2_are_read_also_where_they_look_like_escapes(
    api: Api, browser: Browser, run_id: str
) -> None:
    for step in (0, 7, 10, 20, 35, 70, 100, 205, 1000):
        upload(api, run_id, f"images/loss%step%{step}%timestamp%1795578426640%v24fc2aa.png", PNG)
    page = look(browser, "images")
    labels = re.findall(r"<bdi>step (\d+)</bdi>", page.html)
    assert labels == [str(step) for step in (0, 7, 10, 20, 35, 70, 100, 205, 1000)]


def test_a_folder_with_other_files_shows_pictures_when_asked_to(
    api: Api, browser: Browser, run_id: str
) -> None:
    upload(api, run_id, "figures/a.png", PNG)
    upload(api, run_id, "figures/b.svg", b"<svg/>")
    upload(api, run_id, "figures/big.png", PNG + bytes(3 * 2**20))
    page = look(browser, "figures")
    assert not page.all("img")
    grid = browser.get(page.link("Pictures"))
    assert [each["src"].rpartition("/")[2] for each in grid.all("img")] == ["a.png"]
    assert "2 pictures, 1 other" in grid.text
    assert "3.0 MiB" in grid.text
    assert not look(browser, "").has_link("Pictures")
    assert "no pictures" in look(browser, "", layout="grid").text


# Nothing that was logged becomes markup


@pytest.mark.parametrize("text", CORPUS)
def test_no_content_becomes_markup(api: Api, browser: Browser, run_id: str, text: str) -> None:
    quoted = json.dumps(text)
    inputs = json.dumps([{"name": text, "type": text, "default": text}])
    rows = json.dumps({"columns": [text], "data": [[text], [{"a": text}]]})
    files = {
        "a.txt": text,
        "a.md": f"# {text}\n\n- {text}\n\n| {text} |\n|--|\n| {text} |\n\n```{text}\n{text}\n",
        "b.md": f"[{text}]({text}) ![{text}](<{text}>) <{text}>\n\n[{text}]: {text} '{text}'\n",
        "a.json": json.dumps({text: [text, {text: text}]}),
        "t.json": rows,
        "a.csv": f"{quoted},{text}\n{text},{quoted}\n",
        "MLmodel": MLMODEL.format(quoted, json.dumps(inputs)),
        "a.html": text,
        "unknown": text,
    }
    for name, body in files.items():
        upload(api, run_id, name, body.encode())
        for query in ({}, {"raw": "1"}, {"part": "end"}):
            page = browser.get("candidates/1/files", query_string={"path": name, **query})
            assert page.status == 200
            assert_harmless(page)


@pytest.mark.parametrize(
    "name",
    [
        "<img src=x onerror=alert(1)>",
        '"><script>alert(1)<',
        "' onfocus='alert(1)' autofocus x='",
        "{{ 7 * 15873017 }}",
        "javascript:alert(1)",
        "&lt;b&gt;",
        "\u202egnp.exe",
    ],
)
@pytest.mark.parametrize("suffix", ["", ".txt", ".md", ".csv", ".html", ".json", ".png"])
def test_no_name_becomes_markup(
    api: Api, browser: Browser, run_id: str, name: str, suffix: str
) -> None:
    path = f"{name}/{name}{suffix}"
    upload(api, run_id, path, b'{"columns":["a"],"data":[[1]]}')
    for query in ({}, {"path": name}, {"path": path}, {"layout": "grid", "path": name}):
        page = browser.get("candidates/1/files", query_string=query)
        assert page.status == 200
        assert_harmless(page)
        assert name in page.text or not name.isprintable()


def test_pages_are_well_made_whatever_they_show(
    api: Api, browser: Browser, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api.app.jinja_env, "undefined", StrictUndefined)
    model = MLMODEL.format("x", json.dumps('[{"name": "a", "type": "b"}]'))
    files = {"a.txt": "x", "a.md": "|a|\n|-|\n|b|", "a.csv": "a\n1", "m/MLmodel": model, "a": "\0"}
    for name, body in files.items():
        upload(api, run_id, name, body.encode())
    upload(api, run_id, "a.png", PNG)
    for path in (*files, "", "m", "a.png"):
        for layout in ("", "grid"):
            page = look(browser, path, layout=layout)
            assert len(page.all("caption")) == len(page.all("table"))
            assert all(each["scope"] in ("col", "row") for each in page.all("th"))
            assert all("alt" in each.attributes for each in page.all("img"))
            ids = [each["id"] for each in page.elements if "id" in each.attributes]
            assert len(ids) == len(set(ids))
            for each in page.elements:
                assert set(each.attributes.get("aria-labelledby", "").split()) <= set(ids)
            for each in page.all("a"):
                assert each.text.strip() or "aria-label" in each.attributes, each
