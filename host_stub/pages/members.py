"""Who is in a project, and as what."""

from __future__ import annotations

from flask import Blueprint, flash, g
from sqlalchemy import select
from werkzeug.wrappers import Response

from host_stub import chrome, forms
from host_stub.chrome import in_project, project_url, redirect_to
from host_stub.database import db
from host_stub.permissions import Right, Standing
from host_stub.projects import Member, Project, Role, add_member, remove_member
from host_stub.users import User, find_user

members = Blueprint("members", __name__, url_prefix=f"{chrome.PREFIX}/-/project_members")


@members.get("")
@in_project(Right.SEE)
def show(project: Project) -> str:
    """The list, and for maintainers the form."""
    return _page(project)


@members.post("")
@in_project(Right.MAINTAIN)
def add(project: Project) -> Response | tuple[str, int]:
    """Add somebody, or change their role; nobody gives or takes a role above their own."""
    user = find_user(forms.line("username"))
    try:
        if user is None or user.is_bot:
            raise ValueError("There is no user of that name.")
        _check_reach(project, user.id)
        role = Role(forms.number("role"))
        if role > _my_role():
            raise ValueError("You cannot give a role above your own.")
    except ValueError as error:
        return _page(project, str(error)), 422
    add_member(project, user, role)
    db.session.commit()
    flash(f"{user.username} is {role.name.lower()} now.")
    return redirect_to(project_url(project.full_path, "project_members"))


@members.post("/<int(max=2147483647):user_id>/remove")
@in_project(Right.MAINTAIN)
def remove(project: Project, user_id: int) -> Response | tuple[str, int]:
    """Take somebody's role away."""
    try:
        _check_reach(project, user_id)
    except ValueError as error:
        return _page(project, str(error)), 422
    remove_member(project, user_id)
    db.session.commit()
    return redirect_to(project_url(project.full_path, "project_members"))


def _my_role() -> int:
    stand: Standing = g.standing
    return stand.role


def _check_reach(project: Project, user_id: int) -> None:
    member = db.session.get(Member, (project.id, user_id))
    if member is not None and member.role > _my_role():
        raise ValueError("You cannot change somebody whose role is above your own.")


def _page(project: Project, error: str = "") -> str:
    listed = (
        select(Member)
        .join(User)
        .where(Member.project_id == project.id)
        .order_by(Member.role.desc(), User.username)
    )
    return chrome.render(
        "members.html",
        project,
        "members",
        members=db.session.scalars(listed).unique().all(),
        roles=[role for role in Role if role <= _my_role()],
        error=error,
    )
