"""Mail: rendered for each recipient when it is sent, and only to those who may still read it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from host_stub.accounts import remove_user
from host_stub.adapter_texts import Notifications
from host_stub.database import db
from host_stub.issuables import add_comment
from host_stub.issues import Issue
from host_stub.mails import MAX_RECIPIENTS, Mail
from host_stub.users import create_user
from tests.factories import Forge
from tests.host_stub.conftest import Browser, Code
from tests.host_stub.leaks import Talk, talk

SignedIn = Callable[[int], Browser]
ISSUE = {"title": "T [candidate:1]", "description": "x"}


@pytest.fixture
def said(forge: Forge) -> Talk:
    """A public project, and a private one with a candidate."""
    return talk(forge)


def comment(said: Talk, browser: Browser, text: str, page: str = "issues") -> None:
    path = f"/{said.forge.path(said.open)}/-/{page}/1/comments"
    assert browser.post(path, {"text": text}).status_code == 303


def mails(said: Talk, user_id: int) -> list[Mail]:
    with said.forge.app.app_context():
        return list(db.session.scalars(select(Mail).where(Mail.user_id == user_id).order_by("id")))


def test_each_recipient_gets_what_they_may_see(said: Talk, signed_in: SignedIn) -> None:
    path = said.forge.path(said.open)
    signed_in(said.outsider).post(f"/{path}/-/issues/new", ISSUE)
    comment(said, signed_in(said.member), "I watch this")
    comment(said, signed_in(said.writer), f"**best** {said.reference}")
    (told,) = mails(said, said.member)
    assert f'href="http://localhost{said.page}"' in told.html
    assert "secret-name" in told.html
    assert "data-" not in told.html
    assert "<strong>best</strong>" in told.html
    _, plain = mails(said, said.outsider)
    assert f"<strong>best</strong> {said.reference}" in plain.html
    assert "secret-name" not in plain.html
    assert "/-/ml/" not in plain.html
    assert {one.subject for one in (told, plain)} == {f"T [candidate:1] ({path}#1)"}
    assert told.url.startswith(f"/{path}/-/issues/1#note_")
    assert mails(said, said.writer) == []


def test_hidden_candidate_is_mailed_like_one_that_does_not_exist(
    said: Talk, signed_in: SignedIn
) -> None:
    signed_in(said.outsider).post(f"/{said.forge.path(said.open)}/-/issues/new", ISSUE)
    for text in (said.reference, "[candidate:no/such/1]"):
        comment(said, signed_in(said.writer), text)
    hidden, missing = (mail.html for mail in mails(said, said.outsider))
    assert hidden == missing.replace("no/such", said.forge.path(said.closed))


def test_who_may_not_see_it_any_more_is_not_told(said: Talk, signed_in: SignedIn) -> None:
    path = f"/{said.forge.path(said.closed)}/-/issues"
    signed_in(said.member).post(f"{path}/new", ISSUE)
    writer = signed_in(said.writer)
    assert writer.post(f"{path}/1/comments", {"text": "one"}).status_code == 303
    said.expel(said.member)
    assert writer.post(f"{path}/1/comments", {"text": "two"}).status_code == 303
    assert ["one" in mail.html for mail in mails(said, said.member)] == [True]


def test_former_reporter_is_not_told_of_a_merge_request(said: Talk, signed_in: SignedIn) -> None:
    said.say("merge_request")
    path = f"/{said.forge.path(said.open)}/-"
    signed_in(said.outsider).post(f"{path}/merge_requests/1/comments", {"text": "hm"})
    with said.rows() as (project, _):
        project.visibility = "private"
    said.forge.add_member(said.open, said.outsider, "guest")
    comment(said, signed_in(said.writer), "now private", "merge_requests")
    assert mails(said, said.outsider) == []


def test_blocked_people_bots_and_the_writer_get_none(code: Code) -> None:
    issue = Issue(project=code.project, author=code.user, title="T", iid=1)
    db.session.add(issue)
    db.session.flush()
    people = [code.developer() for _ in range(2)]
    for person in people:
        add_comment(issue, person, "x")
    people[0].is_blocked = True
    db.session.query(Mail).delete()
    add_comment(issue, people[1], "y")
    assert [mail.user_id for mail in db.session.scalars(select(Mail))] == [code.user.id]


def test_number_of_recipients_is_bounded(code: Code, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("host_stub.mails.MAX_RECIPIENTS", 2)
    assert MAX_RECIPIENTS == 50
    issue = Issue(project=code.project, author=code.user, title="T", iid=1)
    db.session.add(issue)
    db.session.flush()
    people = [code.developer() for _ in range(3)]
    for person in people:
        add_comment(issue, person, "x")
    db.session.query(Mail).delete()
    add_comment(issue, code.user, "y")
    assert db.session.query(Mail).count() == 2


def test_comment_that_is_not_stored_is_not_mailed(code: Code) -> None:
    issue = Issue(project=code.project, author=code.user, title="T", iid=1)
    db.session.add(issue)
    db.session.commit()
    add_comment(issue, code.developer(), "x")
    db.session.rollback()
    assert db.session.query(Mail).filter_by(user_id=code.user.id).count() == 0


def test_comment_without_a_request_is_mailed_without_links(code: Code) -> None:
    issue = Issue(project=code.project, author=code.user, title="T", iid=1)
    db.session.add(issue)
    db.session.flush()
    add_comment(issue, code.developer(), "[candidate:1] *x*")
    (mail,) = db.session.scalars(select(Mail).where(Mail.user_id == code.user.id))
    assert "[candidate:1] <em>x</em>" in mail.html


def test_plugin_can_tell_people_something(app: Flask, code: Code) -> None:
    gone = create_user(f"gone-{code.project.id}")
    remove_user(gone)
    ids = [str(code.user.id), str(gone.id), "0", "x", str(2**63)]
    assert isinstance(app.extensions["mlops"].host.notifications, Notifications)
    app.extensions["mlops"].host.notifications.notify(ids, "S" * 600, "<b>\n\nsecond", "/x")
    (mail,) = db.session.scalars(select(Mail).where(Mail.url == "/x"))
    assert (mail.user_id, mail.html) == (code.user.id, "<p>&lt;b&gt;</p><p>second</p>")


def test_people_read_their_own_mail(said: Talk, signed_in: SignedIn, browser: Browser) -> None:
    said.say()
    comment(said, signed_in(said.outsider), "Why? <script>")
    page = signed_in(said.writer).get("/-/user_settings/mails").text
    assert "Why? &lt;script&gt;" in page
    assert "Why?" not in signed_in(said.outsider).get("/-/user_settings/mails").text
    assert browser.get("/-/user_settings/mails").status_code == 302


def test_mail_goes_with_the_account(code: Code) -> None:
    user = code.developer()
    Notifications().notify([str(user.id)], "S", "x", "/x")
    remove_user(user)
    assert db.session.query(Mail).filter_by(user_id=user.id).count() == 0
