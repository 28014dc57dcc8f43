"""Texts before they are stored: shown as their writer will read them, and stored nowhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.factories import Forge
from tests.host_stub.conftest import Announced, Browser
from tests.host_stub.leaks import Talk, talk

SignedIn = Callable[[int], Browser]


@pytest.fixture
def said(forge: Forge) -> Talk:
    """A public project, a private one with a candidate, and an issue about it."""
    made = talk(forge)
    made.say()
    return made


def test_preview_is_made_for_whoever_writes(said: Talk, signed_in: SignedIn) -> None:
    form = {"text": f"**See** {said.reference} and `{said.reference}`"}
    path = f"/{said.forge.path(said.open)}/-/preview"
    own = signed_in(said.writer).post(path, form).text
    assert own.count(f'href="{said.page}"') == 1
    assert "secret-name" in own
    assert "<strong>See</strong>" in own
    assert "<html" not in own
    others = signed_in(said.outsider).post(path, form).text
    assert f"</strong> {said.reference} and <code>" in others
    assert "secret-name" not in others


def test_preview_for_others_is_that_of_what_does_not_exist(said: Talk, signed_in: SignedIn) -> None:
    browser, path = signed_in(said.outsider), f"/{said.forge.path(said.open)}/-/preview"
    hidden = browser.post(path, {"text": said.reference})
    missing = browser.post(path, {"text": "[candidate:no/such/1]"})
    name = said.forge.path(said.closed)
    assert hidden.get_data() == missing.get_data().replace(b"no/such", name.encode())


def test_preview_is_for_those_who_may_write_there(
    said: Talk, signed_in: SignedIn, browser: Browser
) -> None:
    closed = f"/{said.forge.path(said.closed)}/-/preview"
    answers = [who.post(closed, {"text": "x"}) for who in (browser, signed_in(said.outsider))]
    assert [answer.status_code for answer in answers] == [302, 404]
    assert browser.post(f"/{said.forge.path(said.open)}/-/preview").status_code == 302
    no_token = signed_in(said.writer).post(closed, {"text": "x", "csrf_token": "wrong"})
    assert no_token.status_code == 403


@pytest.mark.parametrize(
    ("page", "field"),
    [
        ("issues/new", "description"),
        ("merge_requests/new", "description"),
        ("issues/1/edit", "description"),
        ("issues/1/comments", "text"),
        ("edit", "description"),
    ],
)
def test_every_form_shows_a_preview_without_scripts(
    said: Talk, signed_in: SignedIn, announced: list[Announced], page: str, field: str
) -> None:
    said.forge.add_member(said.open, said.writer, "maintainer")
    form = {"title": "New", "preview": field, field: f"*So* {said.reference} <b>", "path": "other"}
    answer = signed_in(said.writer).post(f"/{said.forge.path(said.open)}/-/{page}", form)
    assert answer.status_code == 200
    assert "<em>So</em> <a" in answer.text
    assert f"*So* {said.reference} &lt;b&gt;</textarea>" in answer.text
    assert announced == []
    assert "other" not in said.forge.path(said.open)


def test_comment_that_is_edited_can_be_previewed(
    said: Talk, signed_in: SignedIn, announced: list[Announced]
) -> None:
    browser = signed_in(said.writer)
    page = browser.get(f"/{said.forge.path(said.open)}/-/issues/1").text
    path = (
        page.partition('aria-label="Edit this comment"')[0].rpartition('href="')[2].partition('"')
    )
    answer = browser.post(path[0], {"preview": "text", "text": "*So*"})
    assert (answer.status_code, announced) == (200, [])
    assert "<em>So</em>" in answer.text


def test_textareas_say_where_to_complete(said: Talk, signed_in: SignedIn) -> None:
    path = said.forge.path(said.open)
    page = signed_in(said.writer).get(f"/{path}/-/issues/1").text
    assert f'data-mlops-complete="/{path}/-/ml/suggestions"' in page
    assert "references.js" in page.partition("</head>")[0]


def test_note_of_the_system_is_linked_for_whoever_reads_it(said: Talk, signed_in: SignedIn) -> None:
    path = f"/{said.forge.path(said.open)}/-/issues/1"
    note = signed_in(said.member).get(path).text.rpartition("mentioned ")[2]
    assert note.startswith("<a ")
    assert said.page in note.partition("</a>")[0]
    hidden = signed_in(said.outsider).get(path).text
    assert f"mentioned {said.reference} ·" in hidden
    assert "secret-name" not in hidden
