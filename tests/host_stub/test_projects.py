"""Projects: their paths, their members, their end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from host_stub.database import db
from host_stub.namespaces import create_group
from host_stub.projects import (
    Member,
    Project,
    create_project,
    delete_project,
    find_project,
    move_project,
    rename_project,
)
from host_stub.users import User, create_user
from tests.factories import Forge
from tests.host_stub.conftest import Announced, Browser, Code

SignedIn = Callable[[int], Browser]


def test_deleting_is_announced_before_the_project_is_gone(
    forge: Forge, signed_in: SignedIn, announced: list[Announced]
) -> None:
    project_id = forge.project()
    path = forge.path(project_id)
    owner = signed_in(forge.member(project_id, "owner"))
    assert owner.post(f"/{path}/-/delete", {"confirm": "no"}).status_code == 303
    assert announced == []
    assert owner.post(f"/{path}/-/delete", {"confirm": path}).status_code == 303
    assert [(one.name, one.in_transaction) for one in announced] == [("project_deleted", True)]
    assert announced[0].values["project"].id == project_id
    with forge.stored():
        assert db.session.get(Project, project_id) is None


def test_maintainer_cannot_delete(forge: Forge, signed_in: SignedIn) -> None:
    project_id = forge.project()
    path = forge.path(project_id)
    browser = signed_in(forge.member(project_id, "maintainer"))
    assert browser.post(f"/{path}/-/delete", {"confirm": path}).status_code == 403


def test_project_recreated_under_the_same_path_is_another_one(app: Flask, forge: Forge) -> None:
    project_id = forge.project()
    forge.member(project_id, "developer")
    with forge.stored():
        project = db.session.get_one(Project, project_id)
        home, name = project.namespace, project.full_path.rpartition("/")[2]
        delete_project(project)
        again = create_project(home, name)
        assert again.id > project_id
        assert db.session.query(Member).filter_by(project_id=again.id).count() == 0


def test_renaming_keeps_the_id_and_frees_the_path(forge: Forge) -> None:
    project_id = forge.project()
    old = forge.path(project_id)
    with forge.stored():
        rename_project(db.session.get_one(Project, project_id), "elsewhere")
        assert find_project(old) is None
    assert forge.path(project_id) == old.replace("/vision", "/elsewhere")


def test_moving_is_told_with_the_old_path(code: Code, told: list[Announced]) -> None:
    old = code.project.full_path
    rename_project(code.project, "model")
    assert told == []
    group = create_group(f"group-of-{code.user.id}", code.user)
    move_project(code.project, group, "moved")
    assert code.project.full_path == f"{group.path}/moved"
    assert [(one.name, one.in_transaction) for one in told] == [("project_renamed", True)]
    assert told[0].values == {"project": code.project.value, "old_path": old}


@pytest.mark.parametrize(
    "name", ["", "-", "-x", ".", "..", "a/b", "a b", "a.git", "x.", "é", "x" * 101, "a\n"]
)
def test_name_that_a_url_cannot_hold_is_refused(forge: Forge, name: str) -> None:
    project_id = forge.project()
    with forge.stored(), pytest.raises(ValueError, match="path"):
        create_project(db.session.get_one(Project, project_id).namespace, name)


@pytest.mark.parametrize("name", ["api", "API", "users", "projects", "-", "assets"])
def test_namespace_that_would_hide_a_page_is_refused(forge: Forge, name: str) -> None:
    with forge.stored(), pytest.raises(ValueError, match="path"):
        create_user(name)


def test_path_that_is_taken_is_refused(forge: Forge) -> None:
    project_id = forge.project()
    with forge.stored(), pytest.raises(ValueError, match="taken"):
        create_project(db.session.get_one(Project, project_id).namespace, "vision")


def test_project_in_a_subgroup_has_its_pages(forge: Forge, signed_in: SignedIn) -> None:
    user_id = forge.user()
    with forge.stored():
        user = db.session.get_one(User, user_id)
        group = create_group(f"group-{user_id}", user)
        subgroup = create_group(f"{group.path}/deep", user)
        project = create_project(subgroup, "er")
        path, subpath = project.full_path, subgroup.path
    browser = signed_in(user_id)
    for page in (f"/{path}", f"/{path}/-/issues", f"/{path}/-/ml/experiments", f"/{subpath}"):
        assert browser.get(page).status_code == 200, page


def test_group_without_a_visible_project_is_hidden(forge: Forge, signed_in: SignedIn) -> None:
    owner_id, other = forge.user(), signed_in(forge.user())
    with forge.stored():
        group = create_group(f"secret-{owner_id}", db.session.get_one(User, owner_id))
        create_project(group, "plans")
    assert other.get(f"/secret-{owner_id}").data == other.get("/no-such-group").data


def test_lists_show_what_the_reader_may_see(
    forge: Forge, signed_in: SignedIn, browser: Browser
) -> None:
    with forge.stored():
        owner = create_user(f"lister-{forge.user()}")
        for visibility in ("private", "internal", "public"):
            create_project(owner, visibility, visibility=visibility)
        page, owner_id = f"/{owner.username}", owner.id
    others = signed_in(forge.user())
    shown = {
        who: [v for v in ("private", "internal", "public") if f'href="{page}/{v}"' in text]
        for who, text in {
            "anonymous": browser.get(page).get_data(as_text=True),
            "other": others.get(page).get_data(as_text=True),
            "owner": signed_in(owner_id).get(page).get_data(as_text=True),
        }.items()
    }
    assert shown == {
        "anonymous": ["public"],
        "other": ["internal", "public"],
        "owner": ["private", "internal", "public"],
    }


def test_nobody_gives_or_takes_a_role_above_their_own(forge: Forge, signed_in: SignedIn) -> None:
    project_id = forge.project()
    page = f"/{forge.path(project_id)}/-/project_members"
    maintainer_id, owner_id = (forge.member(project_id, r) for r in ("maintainer", "owner"))
    with forge.stored():
        me, owner = (db.session.get_one(User, i).username for i in (maintainer_id, owner_id))
    browser = signed_in(maintainer_id)
    assert browser.post(page, {"username": me, "role": "50"}).status_code == 422
    assert browser.post(page, {"username": owner, "role": "10"}).status_code == 422
    assert browser.post(f"{page}/{owner_id}/remove").status_code == 422
    assert browser.post(page, {"username": me, "role": "30"}).status_code == 303
    assert browser.post(page, {"username": me, "role": "40"}).status_code == 403


def test_form_makes_a_project_in_ones_own_namespace_only(forge: Forge, signed_in: SignedIn) -> None:
    mine, other = forge.user(), forge.project()
    with forge.stored():
        theirs = db.session.get_one(Project, other).namespace_id
        name = db.session.get_one(User, mine).username
    browser = signed_in(mine)
    form = {"path": "new", "visibility": "public"}
    assert browser.post("/projects/new", {**form, "namespace": theirs}).status_code == 422
    own = browser.get("/projects/new").get_data(as_text=True)
    namespace_id = own.partition('<option value="')[2].partition('"')[0]
    made = browser.post("/projects/new", {**form, "namespace": namespace_id})
    assert made.location == f"/{name}/new"
