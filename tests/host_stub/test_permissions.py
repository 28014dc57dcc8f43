"""Role x visibility: what each may do, in words, as SQL, and on the pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select

from host_stub.database import db
from host_stub.permissions import Right, standing, visible
from host_stub.projects import Project
from tests.factories import Forge
from tests.host_stub.conftest import Browser

# S: see the project, C: comment, R: read, W: write, M: maintain, O: own
LETTERS = dict(
    zip("SCRWMO", (Right.SEE, Right.COMMENT, Right.READ, Right.WRITE, Right.MAINTAIN, Right.OWN),
        strict=True)
)  # fmt: skip
TABLE = {
    ("private", "anonymous"): "",
    ("private", "outsider"): "",
    ("private", "guest"): "SC",
    ("private", "reporter"): "SCR",
    ("private", "developer"): "SCRW",
    ("private", "maintainer"): "SCRWM",
    ("private", "owner"): "SCRWMO",
    ("internal", "anonymous"): "",
    ("internal", "outsider"): "SCR",
    ("internal", "guest"): "SCR",
    ("internal", "reporter"): "SCR",
    ("internal", "developer"): "SCRW",
    ("internal", "maintainer"): "SCRWM",
    ("internal", "owner"): "SCRWMO",
    ("public", "anonymous"): "SR",
    ("public", "outsider"): "SCR",
    ("public", "guest"): "SCR",
    ("public", "reporter"): "SCR",
    ("public", "developer"): "SCRW",
    ("public", "maintainer"): "SCRWM",
    ("public", "owner"): "SCRWMO",
}
CASES = [(*case, rights) for case, rights in TABLE.items()]
PAGES = {
    "S": ("", "/-/issues", "/-/project_members"),
    "C": ("/-/issues/new",),
    "R": ("/-/merge_requests", "/-/pipelines", "/-/jobs"),
    "W": ("/-/merge_requests/new",),
    "M": ("/-/edit", "/-/settings/access_tokens"),
}


def somebody(forge: Forge, project_id: int, who: str) -> int | None:
    if who == "anonymous":
        return None
    return forge.user() if who == "outsider" else forge.member(project_id, who)


@pytest.mark.parametrize(("visibility", "who", "rights"), CASES)
def test_standing_gives_the_rights_of_the_table(
    forge: Forge, visibility: str, who: str, rights: str
) -> None:
    project_id = forge.project(visibility)
    user_id = somebody(forge, project_id, who)
    with forge.stored():
        stand = standing(user_id, project_id)
        assert stand is not None
        assert "".join(x for x, right in LETTERS.items() if stand.allows(right)) == rights


@pytest.mark.parametrize(("visibility", "who", "rights"), CASES)
@pytest.mark.parametrize("letter", ["S", "R"])
def test_sql_agrees_with_the_table(
    forge: Forge, visibility: str, who: str, rights: str, letter: str
) -> None:
    project_id = forge.project(visibility)
    user_id = somebody(forge, project_id, who)
    with forge.stored():
        mine = select(Project.id).where(Project.id == project_id, visible(user_id, LETTERS[letter]))
        assert (db.session.scalar(mine) is not None) == (letter in rights)


@pytest.mark.parametrize(("visibility", "who", "rights"), CASES)
def test_pages_open_for_those_who_have_the_right(
    forge: Forge,
    signed_in: Callable[[int], Browser],
    browser: Browser,
    visibility: str,
    who: str,
    rights: str,
) -> None:
    project_id = forge.project(visibility)
    user_id = somebody(forge, project_id, who)
    visitor = browser if user_id is None else signed_in(user_id)
    refused = 302 if user_id is None else 403 if "S" in rights else 404
    for letter, pages in PAGES.items():
        for page in pages:
            status = visitor.get(f"/{forge.path(project_id)}{page}").status_code
            assert status == (200 if letter in rights else refused), page


def test_owner_of_the_namespace_owns_its_projects_without_a_role(forge: Forge) -> None:
    project_id = forge.project()
    with forge.stored():
        owner_id = db.session.get_one(Project, project_id).namespace.owner_id
        stand = standing(owner_id, project_id)
        assert stand is not None
        assert stand.allows(Right.OWN)


def test_there_is_no_standing_to_a_project_that_is_not_there(forge: Forge) -> None:
    with forge.stored():
        assert standing(None, 2**31 - 1) is None


def test_hidden_project_answers_like_none(
    forge: Forge, signed_in: Callable[[int], Browser], browser: Browser
) -> None:
    hidden = forge.path(forge.project())
    missing = hidden.replace("owner-", "nobody-")
    visitor = signed_in(forge.user())
    assert visitor.get(f"/{hidden}").data == visitor.get(f"/{missing}").data
    answers = [browser.get(f"/{path}") for path in (hidden, missing)]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].location.replace(hidden, missing) == answers[1].location
