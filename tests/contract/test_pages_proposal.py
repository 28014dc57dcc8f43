"""The section about candidates on the forge's page of a merge request."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from gitlab_mlops import Actor, Project
from host_stub import merge_requests
from host_stub.adapter_code import Repository
from host_stub.database import db
from host_stub.issuables import set_state
from host_stub.merge_requests import MergeRequest
from host_stub.plugin import mlops
from host_stub.users import User
from tests.browsing import Browser, Page, counted_statements, words
from tests.factories import Forge
from tests.proposing import Work

POLICY = """
gate:
  - metric: accuracy
    better: higher
    floor: 0.9
  - metric: accuracy
    better: higher
    largest_drop: 0.01
    on_fail: warn
"""


@pytest.fixture
def work(forge: Forge) -> Work:
    """A private project with one commit on `main`."""
    return Work.begin(forge)


def section(page: Page) -> str:
    """The text of the section; empty if there is none."""
    found = page.all("section", id="mlops-proposal")
    return words(found[0].text) if found else ""


def live(work: Work, merge_request: str, user_id: int | None = None) -> Any:
    return work.browser(user_id).raw(f"merge_requests/{merge_request}/candidates")


def test_candidates_are_compared_with_the_target_branch(work: Work) -> None:
    work.log(work.commit("main"), {"accuracy": 0.9}, ref="main", name="old best")
    work.log(work.commit("main"), {"accuracy": 0.8}, ref="main", name="latest")
    head = work.commit("feature")
    work.log(head, {"accuracy": 0.85}, name="proposed")
    page = work.page(work.merge_request())
    assert page.rows("Default") == [
        [
            f"proposed [candidate:3] {head[:8]} latest Finished CI",
            "0.85 ▼ −0.05 best 0.05 worse than the best on main"
            " ▲ +0.05 newest 0.05 better than the newest on main",
        ],
        ["Best on main old best", "0.9"],
        ["Newest on main latest", "0.8"],
    ]
    assert page.link("proposed").endswith("/-/ml/candidates/3")
    assert page.link(head[:8]).endswith(f"/-/commit/{head}")
    assert page.link("Compare the candidates of Default side by side").endswith(
        "/-/ml/experiments/0/compare?candidates=1%2C2%2C3&baseline=1"
    )


def test_compare_link_leads_to_a_comparison(work: Work) -> None:
    work.log(work.commit("main"), {"accuracy": 0.9}, ref="main")
    work.log(work.commit("feature"), {"accuracy": 0.8})
    page = work.page(work.merge_request())
    url = page.link("Compare the candidates of Default side by side")
    assert "Baseline" in work.browser().get(url).text


def test_claims_look_different(work: Work) -> None:
    head = work.commit("feature")
    work.claim(head, {"accuracy": 0.8})
    ((candidate, _),) = work.page(work.merge_request()).rows("Default")
    assert candidate.endswith("Running claimed")


def test_nothing_to_compare_with_is_said(work: Work) -> None:
    work.log(work.commit("feature"), {"accuracy": 0.8})
    text = section(work.page(work.merge_request()))
    assert "Nothing on main to compare with yet" in text


def test_project_that_nobody_logged_to_shows_nothing(work: Work) -> None:
    work.commit("feature")
    assert section(work.page(work.merge_request())) == ""


def test_merge_request_without_candidates_says_how_to_make_one(work: Work) -> None:
    work.log(work.commit("main"), {"accuracy": 0.9}, ref="main")
    work.commit("feature")
    merge_request = work.merge_request()
    assert "Training shows up here when it logs" in section(work.page(merge_request))
    state(work, merge_request, "closed")
    assert section(work.page(merge_request)) == ""


def state(work: Work, merge_request: str, to: str) -> None:
    with work.forge.stored():
        mine = {"project_id": work.project_id, "iid": int(merge_request)}
        found = db.session.query(MergeRequest).filter_by(**mine).one()
        user = db.session.get_one(User, work.user_id)
        if to == "merged":
            merge_requests.merge(found, user)
        else:
            set_state(found, user, to)


def test_merged_one_keeps_its_comparison_and_is_not_followed(work: Work) -> None:
    work.log(work.commit("main"), {"accuracy": 0.9}, ref="main", name="base")
    work.log(work.commit("feature"), {"accuracy": 0.95}, name="proposed")
    merge_request = work.merge_request()
    opened = work.page(merge_request)
    state(work, merge_request, "merged")
    work.log(work.commit("main"), {"accuracy": 0.99}, ref="main", name="later")
    merged = work.page(merge_request)
    assert [row[1:] for row in merged.rows("Default")] == [
        row[1:] for row in opened.rows("Default")
    ]
    assert "data-mlops-live" in opened.one("section", id="mlops-proposal").attributes
    assert "data-mlops-live" not in merged.one("section", id="mlops-proposal").attributes


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.95, "Gate passed"),
        (0.91, "Gate passed with warnings"),
        (0.5, "Gate failed"),
        (None, "Gate failed"),
    ],
)
def test_gate_is_shown_with_its_reasons(work: Work, value: float | None, expected: str) -> None:
    base = work.commit("main", {".mlops.yml": POLICY})
    work.log(base, {"accuracy": 0.94}, ref="main")
    work.log(work.commit("feature"), {"accuracy": value} if value else {"loss": 1})
    page = work.page(work.merge_request())
    assert words(page.one("p", class_="mlops-gate-head").text).startswith(f"{expected} 2 rules")
    assert "accuracy" in page.all("li", class_="mlops-rule")[0].text


def test_gate_waits_for_what_is_running(work: Work) -> None:
    work.commit("main", {".mlops.yml": POLICY})
    work.log(work.commit("feature"), {"accuracy": 0.95}, finish=False)
    assert "Gate is waiting" in section(work.page(work.merge_request()))


def test_same_reason_of_several_rules_is_told_once(work: Work) -> None:
    work.commit("main", {".mlops.yml": POLICY})
    fork = work.of_fork()
    fork.commit("idea")
    page = work.page(work.merge_request("idea", fork))
    (rule,) = page.all("li", class_="mlops-rule")
    assert "accuracy, accuracy:" in words(rule.text)
    assert "fork" in rule.text


def test_same_words_about_two_candidates_are_told_of_each(work: Work) -> None:
    names = ("digits", "letters")
    of = "{metric: accuracy, better: higher, floor: 0.9, experiment: %s}"
    work.commit("main", {".mlops.yml": f"gate: [{', '.join(of % name for name in names)}]"})
    head = work.commit("feature")
    for name in names:
        work.log(head, {"accuracy": 0.95}, experiment=work.experiment(name), name=f"try at {name}")
    rules = work.page(work.merge_request()).all("li", class_="mlops-rule")
    said = "Passed accuracy 0.95 reaches the floor of 0.9."
    assert [words(each.text) for each in rules] == [f"{said} {n}: try at {n}" for n in names]


def test_policy_that_is_wrong_is_said(work: Work) -> None:
    work.commit("main", {".mlops.yml": "gate: <b>"})
    work.commit("feature")
    page = work.page(work.merge_request())
    assert "Gate failed .mlops.yml, line 1" in section(page)
    assert "<b>" not in page.html


def test_a_name_that_turns_the_direction_turns_no_more_than_its_sentence(work: Work) -> None:
    work.commit("main", {".mlops.yml": 'gate: [{metric: "\\u202eyad", better: lower}]'})
    work.commit("feature")
    page = work.page(work.merge_request())
    (sentence,) = page.all("bdi", dir="ltr")
    assert "\u202eyad" in sentence.text


def test_hostile_names_are_text(work: Work) -> None:
    name = '<img src=x onerror=alert(1)>"'
    experiment = work.experiment(name)
    work.log(work.commit("feature"), {"a b/ c": 1}, name=name, experiment=experiment)
    page = work.page(work.merge_request())
    assert "<img" not in page.html
    assert name in section(page)


def test_fork_that_the_reader_may_see_shows_its_candidates(work: Work) -> None:
    work.log(work.commit("main"), {"accuracy": 0.9}, ref="main")
    fork = work.of_fork()
    fork.log(fork.commit("idea"), {"accuracy": 0.95}, ref="idea", name="of the fork")
    merge_request = work.merge_request("idea", fork)
    page = work.page(merge_request, fork.user_id)
    ((candidate, value), _) = page.rows("Default")
    assert candidate.endswith(f"CI in the fork {fork.path()}")
    assert "0.05 better than main" in value
    assert page.link("of the fork") == f"/{fork.path()}/-/ml/candidates/1"


def test_fork_that_is_hidden_leaves_no_trace(work: Work) -> None:
    work.log(work.commit("main"), {"accuracy": 0.9}, ref="main")
    fork = work.of_fork()
    head = fork.commit("idea")
    merge_request = work.merge_request("idea", fork)
    before = live(work, merge_request).text
    fork.log(head, {"accuracy": 0.95}, ref="idea", name="of the fork")
    assert live(work, merge_request).text == before
    assert "of the fork" in live(work, merge_request, fork.user_id).text


def test_section_is_for_who_may_read_the_project(work: Work) -> None:
    work.log(work.commit("feature"), {"accuracy": 0.9})
    merge_request = work.merge_request()
    reader = work.forge.member(work.project_id, "reporter")
    for allowed in (True, False):
        assert (live(work, merge_request, reader).status_code == 200) is allowed
        assert bool(section_of(work, merge_request, reader)) is allowed
        work.remove(reader)


def section_of(work: Work, merge_request: str, user_id: int | None) -> str:
    """What the forge gets for its page."""
    app = work.forge.app
    with app.test_request_context("/"):
        actor = None if user_id is None else Actor(str(user_id), "somebody")
        project = Project(work.project_id, work.path())
        return str(mlops.merge_request_panel(project, merge_request, actor=actor))


@pytest.mark.parametrize("odd", ["", "0", "-1", "99", "x", "\0", "1/2", "9" * 30, "é", "١"])
def test_odd_merge_requests_have_no_section(work: Work, odd: str) -> None:
    work.log(work.commit("feature"), {"accuracy": 0.9})
    work.merge_request()
    assert section_of(work, odd, work.user_id) == ""
    assert section_of(work, "1", None) == ""


def test_forge_is_not_asked_for_what_no_database_takes(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Repository, _actor: Any, _project: Any, id: str) -> None:
        assert id.isprintable()

    monkeypatch.setattr(Repository, "merge_request", refuse)
    assert section_of(work, "1\0", work.user_id) == ""
    assert live(work, "1%00").status_code == 404


@pytest.mark.parametrize("odd", ["0", "-1", "99", "x", "%00", "1/2", "9" * 30, "%C3%A9"])
def test_section_of_an_odd_merge_request_is_missing(work: Work, odd: str) -> None:
    assert live(work, odd).status_code == 404


def test_section_is_sent_again_only_if_it_changed(work: Work) -> None:
    head = work.commit("feature")
    work.log(head, {"accuracy": 0.9})
    merge_request = work.merge_request()
    page = work.page(merge_request)
    url = page.one("section", id="mlops-proposal")["data-mlops-live"]
    browser = work.browser()
    first = browser.raw(url)
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "private, no-store")
    assert first.text in page.html
    known = {"If-None-Match": first.headers["ETag"]}
    again = browser.raw(url, headers=known)
    assert (again.status_code, again.data) == (304, b"")
    never = {"If-Modified-Since": "Mon, 01 Jan 0001 00:00:00 +999999999999999999999999"}
    assert browser.raw(url, headers=never).status_code == 200
    work.log(head, {"accuracy": 0.95})
    assert browser.raw(url, headers=known).status_code == 200


def test_statements_do_not_depend_on_the_number_of_candidates(app: Flask, work: Work) -> None:
    work.commit("main", {".mlops.yml": POLICY})
    head, merge_request, counts = work.commit("feature"), work.merge_request(), []
    for more in (1, 4):
        base = work.commit("main")
        for number in range(more):
            experiment = work.experiment(f"number {more}.{number}")
            work.log(base, {"accuracy": 0.9}, ref="main", experiment=experiment)
            work.log(head, {"accuracy": 0.95, f"loss{number}": 1}, experiment=experiment)
            work.claim(head, {"accuracy": 0.9})
        browser = Browser.open(work.forge, work.project_id, work.user_id)
        with counted_statements(app) as statements:
            answer = browser.raw(f"merge_requests/{merge_request}/candidates")
        assert answer.status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] < 45
