"""The artifacts of a candidate: a tree, folders to look into, files to download."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from flask import Flask

from gitlab_mlops.errors import Unavailable
from gitlab_mlops.storage import Entry, Storage
from tests.browsing import Browser, Page, log, upload, words
from tests.factories import Api, Forge

FILES = "Files and folders"


def download(page: Page, name: str) -> str:
    """Where the file is downloaded."""
    return page.one("a", aria_label=f"Download {name}")["href"]


def test_artifacts_are_listed_folder_by_folder(api: Api, browser: Browser, run_id: str) -> None:
    upload(api, run_id, "report.html", b"x" * 2048)
    upload(api, run_id, "model/sub dir/data.bin")
    page = browser.get("candidates/1/files")
    rows = [row[:2] for row in page.rows(FILES)]
    assert rows == [["model", "–folder"], ["report.html", "2.0 KiB"]]
    assert "2 files, 2.0 KiB" in page.text
    model = browser.get(page.link("model"))
    deeper = browser.get(model.link("sub dir"))
    assert [row[0] for row in deeper.rows(FILES)] == ["data.bin"]
    assert browser.get(deeper.link("model")).has_link("sub dir")
    assert browser.raw(download(deeper, "data.bin")).data == b"hello"
    assert browser.get(deeper.link("data.bin")).one("pre").text == "hello\n"


@pytest.mark.parametrize("name", ["report.html", "image.svg", "a b'c\"d&e.txt", "ünï💐.xml"])
def test_a_download_is_never_shown_by_the_browser(
    api: Api, browser: Browser, run_id: str, name: str
) -> None:
    body = b"<script>alert(1)</script>"
    upload(api, run_id, name, body)
    url = download(browser.get("candidates/1/files"), name)
    answer = browser.raw(url)
    assert (answer.status_code, answer.data) == (200, body)
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.mimetype not in ("text/html", "image/svg+xml", "text/xml", "application/xml")
    head = browser.raw(url, method="HEAD")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["Content-Length"] == str(len(body))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nope", 404),
        ("file.txt/x", 404),
        ("folder/nope", 404),
        ("folder/file.txt/x/y", 404),
        ("/".join("abcdefghijklm"), 404),
        ("%2e%2e/%2e%2e/secret", 400),
        ("folder/%2e%2e/file.txt", 400),
        ("a%00b", 400),
        ("a%23b", 400),
        ("a%255c..%255cb", 400),
        ("a" * 1000, 400),
    ],
)
@pytest.mark.parametrize("way", ["files?path=", "archive?path=", "artifacts/", "preview/"])
def test_a_path_that_leads_nowhere_is_refused(
    api: Api, browser: Browser, run_id: str, way: str, path: str, status: int
) -> None:
    upload(api, run_id, "file.txt")
    upload(api, run_id, "folder/file.txt")
    assert browser.raw(f"candidates/1/{way}{path}").status_code == status


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("candidates/1/files?path=../../2", 400),
        ("candidates/1/files?path=/etc", 400),
        ("candidates/1/files?page=0", 400),
        ("candidates/1/files?page=x", 400),
        ("candidates/1/files?layout=circle", 400),
        ("candidates/1/files?path=file.txt&raw=2", 400),
        ("candidates/1/files?path=file.txt&part=middle", 400),
        ("candidates/1/archive?path=../2", 400),
        ("candidates/1/artifacts/folder", 404),
        ("candidates/9/files", 404),
        ("candidates/9/artifacts/file.txt", 404),
    ],
)
def test_an_address_that_no_link_leads_to_is_refused(
    api: Api, browser: Browser, run_id: str, path: str, status: int
) -> None:
    upload(api, run_id, "file.txt")
    upload(api, run_id, "folder/file.txt")
    assert browser.raw(path).status_code == status


def test_a_path_may_be_written_less_plainly(api: Api, browser: Browser, run_id: str) -> None:
    upload(api, run_id, "folder/file.txt")
    for path in ("folder/", "folder//", "./folder", "folder/."):
        page = browser.get("candidates/1/files", query_string={"path": path})
        assert [row[0] for row in page.rows(FILES)] == ["file.txt"]


def test_what_belongs_to_another_project_is_not_there(
    forge: Forge, browser: Browser, run_id: str
) -> None:
    secret = forge.developer()
    upload(secret, log(secret), "secret.txt")
    hidden = f"/{forge.path(secret.project_id)}"
    for path in ("files", "archive", "artifacts/secret.txt", "preview/secret.txt"):
        there, gone = (browser.raw(f"{each}/-/ml/candidates/1/{path}") for each in (hidden, "/a/b"))
        assert there.status_code == gone.status_code == 303
    for path in ("files?path=secret.txt", "artifacts/secret.txt", "preview/secret.txt"):
        assert browser.raw(f"candidates/1/{path}").status_code == 404


def test_a_folder_of_many_files_has_pages(
    app: Flask, api: Api, browser: Browser, run_id: str
) -> None:
    storage: Storage = app.extensions["mlops"].storage
    for number in range(205):
        storage.put(f"{api.project_id}/0/{run_id}/artifacts/many/{number}", [b""], 0)
    page = browser.get("candidates/1/files?path=many")
    assert len(page.rows(FILES)) == 200
    rest = browser.get(page.link("Next page"))
    assert [row[0] for row in rest.rows(FILES)] == ["200", "201", "202", "203", "204"]
    assert browser.get(rest.link("First page")).rows(FILES) == page.rows(FILES)
    assert "nothing on this page" in browser.get("candidates/1/files?path=many&page=9").text


class CrowdedStorage(Storage):
    """A store that has ten thousand files wherever one looks."""

    def __init__(self) -> None:
        self.walked = 0

    def list_folder(self, prefix: str, limit: int | None = None) -> list[Entry]:
        files = [Entry(f"{number}.bin", 1) for number in range(9_999)]
        return [*files, Entry("folder", is_folder=True)]

    def walk(self, prefix: str, page_size: int = 1000) -> Iterator[Entry]:
        for entry in self.list_folder(prefix):
            self.walked += 1
            yield entry


def test_a_folder_of_ten_thousand_files_makes_a_page_of_the_usual_length(
    app: Flask, browser: Browser, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = CrowdedStorage()
    mount = replace(app.extensions["mlops"], storage=storage)
    monkeypatch.setitem(app.extensions, "mlops", mount)
    page = browser.get("candidates/1/files")
    assert len(page.rows(FILES)) == 200
    assert "over 2,000 files, over 2.0 KiB" in page.text
    assert storage.walked == 2001
    assert page.has_link("9,940 more")
    assert len(page.html) < 250_000


def test_of_a_larger_folder_the_pages_have_the_first_by_name_and_all_can_be_opened(
    api: Api, browser: Browser, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.txt", "b.txt", "y/deep.txt", "z.txt"):
        upload(api, run_id, name)
    assert "more than the pages show" not in browser.get("candidates/1/files").text
    monkeypatch.setattr("gitlab_mlops.blueprints.web.files.MAX_LISTED", 2)
    page = browser.get("candidates/1/files")
    assert [row[0] for row in page.rows(FILES)] == ["y", "a.txt", "b.txt"]
    assert "more than the pages show" in page.text
    for path in ("z.txt", "y/deep.txt"):
        assert browser.get(f"candidates/1/files?path={path}").one("pre").text == "hello\n"
    assert [row[0] for row in browser.get("candidates/1/files?path=y").rows(FILES)] == ["deep.txt"]
    for path in ("nope", "y/nope", "z.txt/below"):
        assert browser.get(f"candidates/1/files?path={path}").status == 404


# The tree


def tree(page: Page) -> list[str]:
    """What is in the tree, from top to bottom; what is open is in brackets."""
    (nav,) = page.all("nav", class_="mlops-tree")
    links = page.elements[page.elements.index(nav) :]
    found = [each for each in links if each.name == "a" and "title" in each.attributes]
    return [
        f"[{each['title']}]" if "aria-current" in each.attributes else each["title"]
        for each in found
    ]


def test_the_tree_is_unfolded_to_what_is_open(api: Api, browser: Browser, run_id: str) -> None:
    for name in ("a/b/c.txt", "a/b/d.txt", "a/e.txt", "f/g.txt", "step10", "step9"):
        upload(api, run_id, name)
    assert tree(browser.get("candidates/1/files")) == "a f step9 step10".split()
    assert tree(browser.get("candidates/1/files?path=a")) == "[a] b e.txt f step9 step10".split()
    opened = browser.get("candidates/1/files?path=a/b/c.txt")
    assert tree(opened) == "a b [c.txt] d.txt e.txt f step9 step10".split()


def test_what_is_open_is_in_the_tree_also_in_a_crowd(
    api: Api, browser: Browser, run_id: str
) -> None:
    for number in range(70):
        upload(api, run_id, f"many/{number}.txt")
    page = browser.get("candidates/1/files?path=many/69.txt")
    assert tree(page) == ["many", *(f"{number}.txt" for number in range(60)), "[69.txt]"]
    assert browser.get(page.link("9 more")).rows(FILES)


def test_a_deep_folder_shows_the_end_of_its_way(api: Api, browser: Browser, run_id: str) -> None:
    path = "/".join(f"d{number}" for number in range(20))
    upload(api, run_id, f"{path}/x.txt")
    page = browser.get(f"candidates/1/files?path={path}/x.txt")
    assert tree(page) == [*(f"d{number}" for number in range(13, 20)), "[x.txt]"]
    assert page.link("d3") == f"{browser.base}/candidates/1/files?path=d0%2Fd1%2Fd2%2Fd3"
    up = browser.get(page.link("Up from d12"))
    assert [words(each.text) for each in up.all("bdi", aria_current="page")] == ["d11"]


# States


def test_a_candidate_without_artifacts_says_how_to_log_one(browser: Browser, run_id: str) -> None:
    page = browser.get("candidates/1/files")
    assert "No artifacts were logged." in page.text
    assert f'mlflow.start_run(run_id="{run_id}")' in page.text
    assert not page.has_link("Download as zip")


def test_artifacts_can_be_looked_at_in_the_trash(api: Api, browser: Browser, run_id: str) -> None:
    upload(api, run_id, "a.txt")
    api.post("runs/delete", run_id=run_id)
    page = browser.get("candidates/1/files?path=a.txt")
    assert "in the trash since" in page.text
    assert page.one("pre").text == "hello\n"


class BrokenStorage(Storage):
    """A store that cannot be reached."""

    def __init__(self) -> None:
        pass

    def list_folder(self, *_arguments: Any) -> NoReturn:
        raise Unavailable("The artifact store cannot be reached.")

    open = walk = list_folder


@pytest.fixture
def broken_storage(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = replace(app.extensions["mlops"], storage=BrokenStorage())
    monkeypatch.setitem(app.extensions, "mlops", mount)


@pytest.mark.usefixtures("run_id", "broken_storage")
def test_a_store_that_is_down_leaves_the_rest_of_the_page(browser: Browser) -> None:
    page = browser.get("candidates/1/files")
    assert page.status == 200
    assert "The artifact store cannot be reached." in page.text
    assert page.one("h1").text == "gbt"
    for path in ("artifacts/file.txt", "preview/file.png", "archive"):
        answer = browser.raw(f"candidates/1/{path}")
        assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
