"""The sections on the forge's pages of commits, and of issues that mention candidates."""

from __future__ import annotations

import pytest
from flask import Flask

from gitlab_mlops import Actor, Project, Source
from host_stub import issues
from host_stub.database import db
from host_stub.plugin import mlops
from host_stub.projects import Project as ForgeProject
from host_stub.users import User
from tests.browsing import Page, counted_statements, log, words
from tests.factories import Forge
from tests.proposing import Work


@pytest.fixture
def work(forge: Forge) -> Work:
    """A private project with one commit on `main`."""
    return Work.begin(forge)


def commit_page(work: Work, sha: str, user_id: int | None = None) -> Page:
    return work.browser(user_id).get(f"/{work.path()}/-/commit/{sha}")


def issue(work: Work, text: str, author: int | None = None) -> str:
    """Open an issue; the path of its page."""
    with work.forge.stored():
        project = db.session.get_one(ForgeProject, work.project_id)
        user = db.session.get_one(User, author or work.user_id)
        iid = issues.create_issue(project, user, "Which one?", text).iid
    return f"/{work.path()}/-/issues/{iid}"


def mentioned(page: Page) -> list[str]:
    """The names of the candidates in the list of those that are mentioned."""
    return [row[0].split(" ")[0] for row in page.rows("Candidates that are mentioned here")]


def panel_of(work: Work, sha: str, user_id: int | None) -> str:
    with work.forge.app.test_request_context("/"):
        actor = None if user_id is None else Actor(str(user_id), "somebody")
        project = Project(work.project_id, work.path())
        return str(mlops.commit_panel(project, sha, actor=actor))


def mentions_of(work: Work, id_: str, user_id: int | None) -> str:
    with work.forge.app.test_request_context("/"):
        actor = None if user_id is None else Actor(str(user_id), "somebody")
        project = Project(work.project_id, work.path())
        source = Source(work.project_id, "issue", id_)
        return str(mlops.mentions_panel(source, project, actor=actor))


def test_commit_lists_its_candidates_facts_first(work: Work) -> None:
    sha = work.commit("main")
    work.claim(sha, {"loss": 2}, name="claimed")
    work.log(sha, {"loss": 1, "zeal": 5, "accuracy": 0.25, "f1": 0.5}, ref="main", name="fact")
    page = commit_page(work, sha)
    fact, claim = page.rows("Candidates of this commit")
    assert fact[0] == "fact [candidate:2] Finished CI · default branch"
    # The main metrics come first, at most three.
    assert fact[1:3] == ["f1 0.5 accuracy 0.25 loss 1", "Default"]
    assert claim[0] == "claimed [candidate:1] Running claimed · default branch"
    assert page.link("fact").endswith("/-/ml/candidates/2")


def test_commit_without_candidates_shows_nothing(work: Work) -> None:
    sha, other = work.commit("main"), work.commit("main")
    work.log(other, {"loss": 1}, ref="main")
    assert commit_page(work, sha).all("section", class_="mlops") == []


def test_commits_candidates_are_for_who_may_read_the_project(work: Work) -> None:
    sha = work.commit("main")
    work.log(sha, {"loss": 1}, ref="main")
    reader = work.forge.member(work.project_id, "reporter")
    assert panel_of(work, sha, reader) != ""
    work.remove(reader)
    assert {panel_of(work, sha, each) for each in (reader, None)} == {""}


@pytest.mark.parametrize("odd", ["", "HEAD", "\0", "a" * 39, "é" * 40, "0" * 64, "a" * 10_000])
def test_odd_commits_have_no_section(work: Work, odd: str) -> None:
    assert panel_of(work, odd, work.user_id) == ""


def test_issue_lists_what_it_mentions_newest_first(work: Work) -> None:
    for name in ("one", "two", "three"):
        log(work.api(), name, metrics={"loss": 1})
    page = work.browser().get(issue(work, "First [candidate:3], then [candidate:1]."))
    assert sorted(mentioned(page)) == ["one", "three"]
    assert words(page.one("h2", id="mlops-mentioned-title").text) == "Mentioned candidates 2"
    assert work.browser().get(issue(work, "None.")).all("section", class_="mlops") == []


def test_candidates_of_another_project_have_its_path(work: Work) -> None:
    other = Work.begin(work.forge, "public")
    log(other.api(), "there")
    page = work.browser().get(issue(work, f"See [candidate:{other.path()}/1]."))
    ((candidate, *_),) = page.rows("Candidates that are mentioned here")
    assert f"[candidate:{other.path()}/1]" in candidate
    assert page.link("there") == f"/{other.path()}/-/ml/candidates/1"


def test_mention_of_a_hidden_project_leaves_no_trace(work: Work) -> None:
    secret = Work.begin(work.forge)
    secret_author = secret.user_id
    work.forge.add_member(work.project_id, secret_author, "developer")
    log(secret.api(), "secret")
    log(work.api(), "open")
    path = issue(work, f"[candidate:1] beats [candidate:{secret.path()}/1].", secret_author)
    iid = path.rpartition("/")[2]
    assert sorted(mentioned(work.browser(secret_author).get(path))) == ["open", "secret"]
    seen = mentions_of(work, iid, work.user_id)
    assert "secret" not in seen
    assert ">1</span>" in seen
    assert mentions_of(work, iid, work.forge.user()) == ""
    secret.remove(secret_author)
    assert mentions_of(work, iid, secret_author) == seen


def test_project_that_turns_private_disappears(work: Work) -> None:
    other = Work.begin(work.forge, "public")
    log(other.api(), "there")
    path = issue(work, f"See [candidate:{other.path()}/1].")
    assert mentioned(work.browser().get(path)) == ["there"]
    with work.forge.stored():
        db.session.get_one(ForgeProject, other.project_id).visibility = "private"
    assert work.browser().get(path).all("section", class_="mlops") == []


def test_trash_is_told_and_what_is_deleted_goes(work: Work) -> None:
    run_id = log(work.api(), "gone")
    path = issue(work, "[candidate:1]")
    work.api().post("runs/delete", run_id=run_id)
    page = work.browser().get(path)
    assert "In the trash" in page.rows("Candidates that are mentioned here")[0][0]
    work.browser().submit("candidates/1/delete")
    assert work.browser().get(path).all("section", class_="mlops") == []


@pytest.mark.parametrize("odd", ["", "0", "x", "99999999999999999999", "1\0", "\ud800"])
def test_odd_sources_mention_nothing(work: Work, odd: str) -> None:
    assert mentions_of(work, odd, work.user_id) == ""


def test_statements_do_not_depend_on_the_number_of_candidates(app: Flask, work: Work) -> None:
    sha, path, counts = work.commit("main"), "", []
    for more in (1, 6):
        for number in range(more):
            work.log(sha, {"loss": 1, f"m{number}": 2}, ref="main")
        path = issue(work, " ".join(f"[candidate:{iid + 1}]" for iid in range(more)))
        browser = work.browser()
        with counted_statements(app) as statements:
            browser.get(path)
            browser.get(f"/{work.path()}/-/commit/{sha}")
        counts.append(len(statements))
    assert counts[0] == counts[1]
