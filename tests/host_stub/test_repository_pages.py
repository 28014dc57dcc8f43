"""Pages of repositories and commits: who sees them, and what hostile names do to them."""

from __future__ import annotations

import html
from collections.abc import Callable
from urllib.parse import quote

import pytest

from host_stub import repositories
from host_stub.database import db
from host_stub.merge_requests import create_merge_request
from host_stub.pipelines import create_pipeline
from host_stub.projects import Project, find_project, fork
from host_stub.statuses import set_status
from host_stub.users import create_user
from tests.factories import Forge
from tests.host_stub.conftest import Browser, Code

SignedIn = Callable[[int], Browser]


@pytest.fixture
def base(code: Code) -> str:
    """The address of the pages of a project with a little history."""
    code.commit(files={"README.md": "# Hello", "src/train.py": "print('x < y')"}, message="Begin")
    code.commit("feature/x", {"src/new.py": "1", "bin": b"\xff\x00"}, message="Go on\n\nBecause.")
    db.session.commit()
    return f"/{code.project.full_path}/-"


def words(browser: Browser, path: str) -> str:
    response = browser.get(path)
    assert response.status_code == 200, path
    return html.unescape(response.get_data(as_text=True))


def every_page(code: Code, base: str) -> list[str]:
    head = repositories.branch_head(code.project, "feature/x")
    places = ["tree", "tree/main", "tree/feature/x/src", f"tree/{head}", "blob/main/README.md"]
    return [
        f"{base}/{place}" for place in [*places, "commits", "commits/feature/x", f"commit/{head}"]
    ]


def test_pages_are_for_those_who_may_read_the_code(
    code: Code, base: str, forge: Forge, signed_in: SignedIn, browser: Browser
) -> None:
    pages = every_page(code, base)
    for page in pages:
        assert browser.get(page).status_code == 200, page
    code.project.visibility = "private"
    db.session.commit()
    outsider, guest, reporter = (
        signed_in(user_id)
        for user_id in (
            forge.user(),
            forge.member(code.project.id, "guest"),
            forge.member(code.project.id, "reporter"),
        )
    )
    for page in pages:
        missing = page.replace(code.project.full_path, f"{code.user.username}/missing")
        assert outsider.get(page).status_code == 404
        assert outsider.get(page).data == outsider.get(missing).data
        assert browser.get(page).location.startswith("/users/sign_in")
        assert guest.get(page).status_code == 403
        assert reporter.get(page).status_code == 200
    assert "/-/tree" not in words(guest, f"/{code.project.full_path}")
    assert "/-/tree" in words(reporter, f"/{code.project.full_path}")


def test_files_are_shown_as_they_are(code: Code, base: str, browser: Browser) -> None:
    assert "<h1>Hello</h1>" in words(browser, f"{base}/tree")
    assert "print('x < y')" in words(browser, f"{base}/blob/main/src/train.py")
    assert "not text" in words(browser, f"{base}/blob/feature/x/bin")
    assert f'href="{base}/blob/feature/x/src/new.py"' in words(
        browser, f"{base}/tree/feature/x/src"
    )
    assert (
        "<script" not in browser.get(f"{base}/tree/main").get_data(as_text=True).split("</head>")[1]
    )


def test_file_that_is_too_large_is_not_shown(code: Code, base: str, browser: Browser) -> None:
    code.commit(files={"big": "x" * 300_000, "README.md": "x" * 300_000})
    assert "too large" in words(browser, f"{base}/blob/main/big")
    assert browser.get(f"{base}/tree").status_code == 200


def test_commit_page_says_what_and_who(code: Code, base: str, browser: Browser) -> None:
    head = repositories.branch_head(code.project, "feature/x") or ""
    set_status(code.project, head, "gate <b>", "failed", description="too low", target_url="/x")
    create_pipeline(code.project, code.user, ref="feature/x")
    db.session.commit()
    page = words(browser, f"{base}/commit/{head}")
    said = ("Go on", "Because.", "Cora Coder", "bin", "src/new.py", "too low", "Pipeline", head)
    assert [one for one in said if one not in page] == []
    assert "gate &lt;b&gt;" in browser.get(f"{base}/commit/{head}").get_data(as_text=True)
    parent = repositories.branch_head(code.project, "main")
    assert f'href="{base}/commit/{parent}"' in page
    assert browser.get(f"{base}/commit/{head[:8]}").status_code == 200


def test_what_is_not_there_is_not_found(code: Code, base: str, browser: Browser) -> None:
    blob = "tree/main/README.md"
    missing = [
        "tree/missing", "tree/main/missing", "blob/main", "blob/main/src", blob, "commits/missing",
        "commit/main", "commit/" + "0" * 40, "commit/abc", "commit/%00", "tree/main/%00",
        "tree/%00", "blob/main/..%2f..%2fconfig", "blob/main/%ff", "tree/main/src/", "tree/-x",
        "blob/..%2fHEAD", "tree/refs/heads/main", "commit/%ed%a0%80",
    ]  # fmt: skip
    found = [page for page in missing if browser.get(f"{base}/{page}").status_code != 404]
    assert found == ["tree/main/src/"]
    assert browser.get(f"{base}/commits?page=99999").status_code == 200
    assert browser.get(f"{base}/tree?ref=missing").status_code == 200


def test_project_without_commits_says_so(code: Code, browser: Browser) -> None:
    db.session.commit()
    base = f"/{code.project.full_path}/-"
    assert "No commits yet" in words(browser, f"{base}/tree")
    assert "No commits" in words(browser, f"{base}/commits")
    assert browser.get(f"{base}/tree/main").status_code == 404


@pytest.mark.parametrize("name", ["a&b=<c>", "fix#1", "a%20b", "100%", "日本/ü", 'it\'s"so"'])
def test_branch_of_an_odd_name_is_reached_by_its_links(
    code: Code, base: str, browser: Browser, name: str
) -> None:
    code.commit(name, {name: "x"})
    for page in ("tree", "commits"):
        to = browser.get(f"{base}/{page}?ref={quote(name, safe='')}")
        assert to.status_code == 303
        assert browser.get(to.location).status_code == 200
    tree = browser.get(f"{base}/tree/{quote(name)}").get_data(as_text=True)
    link = next(part for part in tree.split('href="') if "/-/blob/" in part).partition('"')[0]
    link = html.unescape(link)
    if "/" not in name:
        assert browser.get(link).status_code == 200
    sha = repositories.branch_head(code.project, name)
    commit = browser.get(f"{base}/commit/{sha}").get_data(as_text=True)
    link = next(part for part in commit.split('href="') if "/-/blob/" in part).partition('"')[0]
    assert browser.get(html.unescape(link)).status_code == 200


def test_list_of_commits_has_pages(code: Code, base: str, browser: Browser) -> None:
    for _ in range(20):
        code.commit()
    first = words(browser, f"{base}/commits/main")
    assert first.count('class="row"') == 20
    assert 'href="?page=2"' in first
    assert words(browser, f"{base}/commits/main?page=2").count('class="row"') == 1


def test_merge_request_page_shows_commits_and_checks(
    code: Code, base: str, browser: Browser
) -> None:
    head = repositories.branch_head(code.project, "feature/x") or ""
    create_merge_request(code.project, code.user, "T", source_branch="feature/x")
    set_status(code.project, head, "gate", "pending", description="waits for a job")
    db.session.commit()
    page = words(browser, f"{base}/merge_requests/1")
    for said in ("Go on", head, "waits for a job", "feature/x"):
        assert said in page


def test_merging_on_the_page_moves_the_branch(code: Code, base: str, signed_in: SignedIn) -> None:
    create_merge_request(code.project, code.user, "T", source_branch="feature/x")
    db.session.commit()
    browser = signed_in(code.user.id)
    assert browser.post(f"{base}/merge_requests/1/state", {"state": "merged"}).status_code == 303
    assert "merged this" in words(browser, f"{base}/merge_requests/1")
    assert repositories.file_at(code.project, "main", "src/new.py") == b"1"


def test_conflict_is_said_on_the_page(code: Code, base: str, signed_in: SignedIn) -> None:
    code.commit(files={"src/new.py": "other"})
    create_merge_request(code.project, code.user, "T", source_branch="feature/x")
    db.session.commit()
    browser = signed_in(code.user.id)
    answer = browser.post(f"{base}/merge_requests/1/state", {"state": "merged"})
    assert answer.status_code == 422
    assert "Both branches have changed src/new.py" in answer.get_data(as_text=True)
    assert "merged this" not in words(browser, f"{base}/merge_requests/1")


def test_stranger_proposes_from_an_own_fork_only(
    code: Code, base: str, forge: Forge, signed_in: SignedIn
) -> None:
    user_id = forge.user()
    browser = signed_in(user_id)
    form = {"title": "T", "source_branch": "main", "target_branch": "other"}
    assert browser.post(f"{base}/merge_requests/new", form).status_code == 403
    assert browser.post(f"{base}/forks").status_code == 303
    assert browser.post(f"{base}/forks").location == f"{base}/tree"
    assert "is taken" in words(browser, f"{base}/tree")
    copy = db.session.query(Project).filter_by(forked_from_id=code.project.id).one()
    assert copy.namespace.owner_id == user_id
    foreign = {**form, "source_project": str(code.project.id)}
    assert browser.post(f"{base}/merge_requests/new", foreign).status_code == 422
    assert browser.post(f"{base}/merge_requests/new", form).status_code == 303
    page = words(browser, f"{base}/merge_requests/1")
    assert copy.full_path in page


def test_fork_that_is_hidden_is_not_named(
    code: Code, base: str, browser: Browser, signed_in: SignedIn
) -> None:
    stranger = create_user(f"hidden-{code.user.id}")
    copy = fork(code.project, stranger, stranger)
    create_merge_request(
        code.project, stranger, "T", source_branch="feature/x", source_project=copy
    )
    copy.visibility = "private"
    db.session.commit()
    page = f"{base}/merge_requests/1"
    assert copy.full_path not in words(browser, page)
    assert "a fork’s" in words(browser, page)
    assert copy.full_path in words(signed_in(stranger.id), page)


def test_origin_that_is_hidden_is_not_named(
    code: Code, base: str, browser: Browser, signed_in: SignedIn
) -> None:
    stranger = create_user(f"origin-{code.user.id}")
    copy = fork(code.project, stranger, stranger)
    db.session.commit()
    assert "forked from" in words(browser, f"/{copy.full_path}")
    code.project.visibility = "private"
    db.session.commit()
    assert "forked from" not in words(browser, f"/{copy.full_path}")
    assert "forked from" not in words(signed_in(stranger.id), f"/{copy.full_path}")


def test_anonymous_cannot_fork(code: Code, base: str, browser: Browser) -> None:
    assert browser.post(f"{base}/forks").location.startswith("/users/sign_in")
    assert find_project(f"{code.user.username}/model-1") is None


def test_pages_hold_no_inline_style_or_script(code: Code, base: str, browser: Browser) -> None:
    for page in every_page(code, base):
        text = browser.get(page).get_data(as_text=True)
        assert " style=" not in text, page
        assert "<script>" not in text, page
        assert "onclick" not in text, page
