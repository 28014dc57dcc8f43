"""The JSON API: texts raw and rendered, for the owner of the token and for nobody else."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.factories import Forge
from tests.host_stub.leaks import Talk, plain, talk

KINDS = [("issues", "issue"), ("merge_requests", "merge_request")]


@pytest.fixture
def said(forge: Forge) -> Talk:
    """An issue and a merge request about a candidate of a private project."""
    made = talk(forge)
    for _, kind in KINDS:
        made.say(kind)
    return made


def ask(forge: Forge, path: str, secret: str | None) -> TestResponse:
    headers = {} if secret is None else {"PRIVATE-TOKEN": secret}
    return forge.app.test_client().get(f"/api/v4/projects/{path}", headers=headers)


def good(forge: Forge, path: str, user_id: int) -> Any:
    answer = ask(forge, path, forge.token(user_id, "read_api"))
    assert answer.status_code == 200, answer.text
    return answer.get_json()


@pytest.mark.parametrize(("page", "kind"), KINDS)
def test_texts_are_linked_for_the_owner_of_the_token(said: Talk, page: str, kind: str) -> None:
    path = f"{said.open}/{page}"
    shown = good(said.forge, f"{path}/1", said.member)
    assert (shown["title"], shown["description"]) == (f"See {said.reference}", said.reference)
    assert f'href="http://localhost{said.page}"' in shown["description_html"]
    assert good(said.forge, path, said.member) == [shown]
    comment, note = good(said.forge, f"{path}/1/notes", said.member)
    assert (comment["system"], note["system"]) == (False, True)
    assert (comment["body"], note["body"]) == (
        f"and {said.reference}",
        f"mentioned {said.reference}",
    )
    assert said.page in comment["body_html"]
    assert said.page in note["body_html"]
    assert shown["web_url"] == f"http://localhost/{said.forge.path(said.open)}/-/{page}/1"


@pytest.mark.parametrize(("page", "kind"), KINDS)
def test_texts_are_plain_for_others(said: Talk, page: str, kind: str) -> None:
    path = f"{said.open}/{page}"
    for _ in range(2):
        shown = good(said.forge, f"{path}/1", said.outsider)
        assert shown["description_html"] == f"<p>{said.reference}</p>\n"
        notes = good(said.forge, f"{path}/1/notes", said.outsider)
        assert [each["body_html"] for each in notes] == [
            f"<p>and {said.reference}</p>\n", f"mentioned {said.reference}",
        ]  # fmt: skip
        assert "secret-name" not in str((shown, notes))


def test_member_who_is_removed_reads_plain_text(said: Talk) -> None:
    secret, path = said.forge.token(said.member), f"{said.open}/issues/1"
    assert said.page in ask(said.forge, path, secret).get_json()["description_html"]
    said.expel(said.member)
    assert ask(said.forge, path, secret).get_json()["description_html"] == (
        f"<p>{said.reference}</p>\n"
    )


def test_token_of_a_project_sees_nothing_elsewhere(said: Talk) -> None:
    secret = said.forge.project_token(said.open, "developer", "api")
    shown = ask(said.forge, f"{said.open}/issues/1", secret).get_json()
    assert shown["description_html"] == f"<p>{said.reference}</p>\n"
    assert ask(said.forge, f"{said.closed}/issues", secret).status_code == 404
    other = said.forge.project("public")
    assert ask(said.forge, f"{other}/issues", secret).status_code == 404


def test_hidden_is_missing(said: Talk) -> None:
    secret = said.forge.token(said.outsider)
    paths = [
        *(f"{said.closed}/issues{rest}" for rest in ("", "/1", "/1/notes")),
        *(f"{said.open}/issues/{iid}" for iid in ("9", "x", "9/notes")),
        *(f"{project}/issues/1" for project in (999_999, "x", 2**63)),
    ]
    answers = [ask(said.forge, path, secret) for path in paths]
    assert {(each.status_code, each.get_data()) for each in answers} == {
        (404, b'{"message":"404 Not found"}\n')
    }


def test_guest_of_a_private_project_gets_its_issues_only(said: Talk) -> None:
    guest = said.forge.member(said.closed, "guest")
    secret = said.forge.token(guest)
    answers = [ask(said.forge, f"{said.closed}/{page}", secret) for page, _ in KINDS]
    assert [each.status_code for each in answers] == [200, 404]


def test_only_a_token_with_the_scope_opens_it(said: Talk) -> None:
    forge, path = said.forge, f"{said.open}/issues"
    expired = forge.token(said.member, expired=True)
    answers = [ask(forge, path, secret) for secret in (None, "", "x", expired)]
    assert {each.status_code for each in answers} == {401}
    assert ask(forge, path, forge.token(said.member, "mlops:read")).status_code == 403
    bearer = {"Authorization": f"Bearer {forge.token(said.member)}"}
    client = forge.app.test_client()
    assert client.get(f"/api/v4/projects/{path}", headers=bearer).status_code == 200
    with client.session_transaction() as session:
        session["_user_id"] = str(said.member)
    assert client.get(f"/api/v4/projects/{path}").status_code == 401


def test_lists_are_paged(said: Talk) -> None:
    for _ in range(21):
        said.say()
    secret = said.forge.token(said.outsider)
    first = ask(said.forge, f"{said.open}/issues", secret)
    rest = ask(said.forge, f"{said.open}/issues?page=2", secret)
    assert (first.headers["X-Next-Page"], rest.headers["X-Next-Page"]) == ("2", "")
    iids = [each["iid"] for answer in (first, rest) for each in answer.get_json()]
    assert iids == list(range(22, 0, -1))


def test_merge_request_tells_its_branches(said: Talk) -> None:
    shown = good(said.forge, f"{said.open}/merge_requests/1", said.outsider)
    assert (shown["source_branch"], shown["target_branch"], shown["sha"]) == (
        "feature", "main", None,
    )  # fmt: skip
    assert plain(shown["description_html"]).strip() == said.reference
