"""The page of a candidate, its artifacts, its way into the trash, and where it is mentioned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NoReturn

import pytest
from flask import Flask

from gitlab_mlops.errors import Unavailable
from gitlab_mlops.storage import Storage
from host_stub import issues, merge_requests
from host_stub.database import db
from host_stub.projects import Project
from host_stub.users import User
from tests.browsing import START, Browser, Page, log, words
from tests.factories import Api, Forge

FILES = "Files and folders"


@pytest.fixture
def api(forge: Forge) -> Api:
    return forge.developer("public")


@pytest.fixture
def browser(forge: Forge, api: Api) -> Browser:
    """Somebody who is not signed in; the project is public."""
    return Browser.open(forge, api.project_id)


@pytest.fixture
def developer(forge: Forge, api: Api) -> Browser:
    return Browser.open(forge, api.project_id, forge.member(api.project_id, "developer"))


def upload(api: Api, run_id: str, name: str, body: bytes = b"hello") -> None:
    path = f"/api/2.0/mlflow-artifacts/artifacts/0/{run_id}/artifacts/{name}"
    assert api.call("PUT", path, data=body).status_code == 200


def test_the_head_says_what_and_who_and_how_long(api: Api, browser: Browser) -> None:
    run_id = log(api, "gbt", start_time=START, user_id="root")
    api.post("runs/update", run_id=run_id, status="FINISHED", end_time=START + 95_000)
    page = browser.get("candidates/1")
    assert words(page.one("h1").text) == "gbt"
    assert "<title>gbt ·" in page.html
    assert "Finished [candidate:1]" in page.text
    assert run_id in page.text
    assert "1 min 35 s" in page.text
    assert "(the client says root)" in page.text
    assert page.link("Default") == f"{browser.base}/experiments/0"
    assert "2023-11-14 22:13 UTC" in page.text
    assert page.all("time", datetime="2023-11-14T22:13:20.000Z")


def test_a_running_candidate_says_for_how_long(api: Api, browser: Browser) -> None:
    log(api)
    assert "so far" in browser.get("candidates/1").text


def test_what_was_logged_is_there(api: Api, browser: Browser) -> None:
    log(
        api,
        metrics={"auc": 0.123456789, "system/cpu": 3},
        params={"depth": "3", "empty": ""},
        tags={"stage": "search", "mlflow.source.name": "train.py", "mlflow.note.content": "a\nb"},
    )
    page = browser.get("candidates/1")
    assert ["auc", "0.123457", "7"] in page.rows()
    assert page.all("td", title="0.123456789")
    assert ["depth", "3"] in page.rows()
    assert ["empty", "(empty)"] in page.rows()
    assert ["stage", "search"] in page.rows()
    assert page.one("p", class_="mlops-note").text == "a\nb"
    folds = [words(each.text) for each in page.all("details")]
    assert any(each.startswith("System metrics 1") and "system/cpu" in each for each in folds)
    assert any("mlflow.source.name" in each and "train.py" in each for each in folds)


def test_datasets_say_what_they_were_used_for(api: Api, browser: Browser) -> None:
    run_id = log(api)
    dataset = {"name": "iris", "digest": "a3f1", "source_type": "http", "source": "javascript:1"}
    tags = [{"key": "mlflow.data.context", "value": "training"}]
    api.post("runs/log-inputs", run_id=run_id, datasets=[{"dataset": dataset, "tags": tags}])
    page = browser.get("candidates/1")
    assert ["iris", "training", "a3f1", "http javascript:1"] in page.rows()


def test_parent_and_children_link_to_each_other(api: Api, browser: Browser) -> None:
    parent = log(api, "parent")
    for name in ("fold-1", "fold-2"):
        log(api, name, tags={"mlflow.parentRunId": parent})
    log(api, "orphan", tags={"mlflow.parentRunId": "0" * 32})
    page = browser.get("candidates/1")
    assert page.link("fold-1") == f"{browser.base}/candidates/2"
    assert page.link("fold-2") == f"{browser.base}/candidates/3"
    assert browser.get("candidates/2").link("parent") == f"{browser.base}/candidates/1"
    assert "not in this project" in browser.get("candidates/4").text


def test_a_parent_in_another_project_looks_like_none(
    forge: Forge, api: Api, browser: Browser
) -> None:
    secret = forge.developer()
    foreign = log(secret, "hidden-parent")
    log(api, tags={"mlflow.parentRunId": foreign})
    page = browser.get("candidates/1")
    assert "not in this project" in page.text
    assert "hidden-parent" not in page.html


# Artifacts


def test_artifacts_are_listed_folder_by_folder(api: Api, browser: Browser) -> None:
    run_id = log(api)
    upload(api, run_id, "report.html", b"x" * 2048)
    upload(api, run_id, "model/sub dir/data.bin")
    page = browser.get("candidates/1")
    rows = [row[:2] for row in page.rows(FILES)]
    assert rows == [["model", "–folder"], ["report.html(download)", "2.0 KiB"]]
    model = browser.get(page.link("model"))
    deeper = browser.get(model.link("sub dir"))
    assert [row[0] for row in deeper.rows(FILES)] == ["data.bin(download)"]
    assert browser.get(deeper.link("model")).has_link("sub dir")
    assert browser.raw(deeper.link("data.bin(download)")).data == b"hello"


@pytest.mark.parametrize("name", ["report.html", "image.svg", "a b'c\"d&e.txt", "ünï💐.xml"])
def test_a_download_is_never_shown_by_the_browser(api: Api, browser: Browser, name: str) -> None:
    body = b"<script>alert(1)</script>"
    upload(api, log(api), name, body)
    url = browser.get("candidates/1").link(f"{name}(download)")
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
        ("candidates/1?path=nope", 404),
        ("candidates/1?path=file.txt", 404),
        ("candidates/1?path=../../2", 400),
        ("candidates/1?path=/etc", 400),
        ("candidates/1?path=a%00b", 400),
        ("candidates/1?path=a%23b", 400),
        ("candidates/1?page=0", 400),
        ("candidates/1?page=x", 400),
        ("candidates/1/artifacts/nope", 404),
        ("candidates/1/artifacts/folder", 404),
        ("candidates/1/artifacts/file.txt/x", 404),
        ("candidates/1/artifacts/%2e%2e/%2e%2e/secret", 400),
        ("candidates/1/artifacts/a%00b", 400),
        ("candidates/1/artifacts/a%255c..%255cb", 400),
        ("candidates/9/artifacts/file.txt", 404),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(
    api: Api, browser: Browser, path: str, status: int
) -> None:
    run_id = log(api)
    upload(api, run_id, "file.txt")
    upload(api, run_id, "folder/file.txt")
    assert browser.raw(path).status_code == status


def test_a_folder_of_many_files_has_pages(app: Flask, api: Api, browser: Browser) -> None:
    run_id = log(api)
    storage: Storage = app.extensions["mlops"].storage
    for number in range(205):
        key = f"{api.project_id}/0/{run_id}/artifacts/many/{number:03d}"
        storage.put(key, [b""], 0)
    page = browser.get("candidates/1?path=many")
    assert len(page.rows(FILES)) == 200
    rest = browser.get(page.link("Next page"))
    assert [row[0] for row in rest.rows(FILES)] == [f"{n}(download)" for n in range(200, 205)]
    assert browser.get(rest.link("First page")).rows(FILES) == page.rows(FILES)


class BrokenStorage(Storage):
    """A store that cannot be reached."""

    def __init__(self) -> None:
        pass

    def list_folder(self, *_arguments: Any) -> NoReturn:
        raise Unavailable("The artifact store cannot be reached.")

    open = list_folder


@pytest.fixture
def broken_storage(app: Flask) -> Iterator[None]:
    mount = app.extensions["mlops"]
    app.extensions["mlops"] = replace(mount, storage=BrokenStorage())
    yield
    app.extensions["mlops"] = mount


@pytest.mark.usefixtures("broken_storage")
def test_a_store_that_is_down_leaves_the_rest_of_the_page(api: Api, browser: Browser) -> None:
    log(api, metrics={"auc": 0.5})
    page = browser.get("candidates/1")
    assert page.status == 200
    assert "The artifact store cannot be reached." in page.text
    assert ["auc", "0.5", "7"] in page.rows()
    answer = browser.raw("candidates/1/artifacts/file.txt")
    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)


# Trash


def test_a_candidate_goes_into_the_trash_and_back(api: Api, developer: Browser) -> None:
    log(api, "gbt")
    form = developer.get("candidates/1").one("form", action=f"{developer.base}/candidates/1/trash")
    answer = developer.submit(form["action"])
    assert (answer.status_code, answer.location) == (303, f"{developer.base}/candidates/1")
    page = developer.get("candidates/1")
    assert "This candidate is in the trash since" in page.text
    assert developer.get("experiments/0").has_link("Trash 1")
    restore = page.one("form", action=f"{developer.base}/candidates/1/restore")
    assert developer.submit(restore["action"]).status_code == 303
    assert "is in the trash since" not in developer.get("candidates/1").text


def test_the_form_of_a_page_carries_the_token_of_the_session(api: Api, developer: Browser) -> None:
    log(api)
    page = developer.get("candidates/1")
    tokens = {each["value"] for each in page.all("input", name="csrf_token")}
    assert tokens == {"token-of-the-session"}


@pytest.mark.parametrize("token", ["", "another"])
def test_a_forged_form_changes_nothing(api: Api, developer: Browser, token: str) -> None:
    log(api)
    assert developer.submit("candidates/1/trash", csrf=token).status_code == 403
    assert "is in the trash since" not in developer.get("candidates/1").text


def test_the_plugin_itself_checks_the_token(
    app: Flask, api: Api, developer: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A forge may leave the check to whoever handles the form.
    monkeypatch.setitem(app.before_request_funcs, None, [])
    log(api)
    page = Page(developer.submit("candidates/1/trash", csrf="another"))
    assert page.status == 403
    assert "This form has expired" in page.text
    assert "is in the trash since" not in developer.get("candidates/1").text


# Mentions


def test_a_candidate_shows_where_it_is_mentioned_to_those_who_may_see_it(
    forge: Forge, api: Api, browser: Browser, developer: Browser
) -> None:
    log(api)
    secret = forge.project()
    writer = forge.member(secret, "developer")
    with forge.stored():
        user = db.session.get(User, writer)
        public, private = (db.session.get(Project, each) for each in (api.project_id, secret))
        assert user is not None
        assert public is not None
        assert private is not None
        path = public.full_path
        issues.create_issue(public, user, "Which is <b>best</b>?", "[candidate:1] is.")
        merge_requests.create_merge_request(
            private, user, "Hidden plan", f"[candidate:{path}/1]", source_branch="a",
            target_branch="main",
        )  # fmt: skip
    page = browser.get("candidates/1")
    assert page.link("Which is <b>best</b>?") == f"/{path}/-/issues/1"
    assert "Hidden plan" not in page.html
    inside = Browser.open(forge, api.project_id, writer).get("candidates/1")
    assert inside.has_link("Hidden plan")
