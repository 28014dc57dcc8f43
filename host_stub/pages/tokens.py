"""Making, listing and revoking access tokens: a person's own, and a project's."""

from __future__ import annotations

from flask import Blueprint, abort, g, render_template, request
from flask_login import current_user, login_required
from sqlalchemy import ColumnElement, select
from werkzeug.wrappers import Response

from host_stub import chrome, forms
from host_stub.chrome import in_project, project_url, redirect_to, root
from host_stub.database import db
from host_stub.permissions import Right
from host_stub.projects import Member, Project, Role
from host_stub.tokens import SCOPES, Token, create_project_token, create_token, revoke_token

OWN_PAGE = "-/user_settings/personal_access_tokens"
personal_tokens = Blueprint("personal_tokens", __name__, url_prefix=f"/{OWN_PAGE}")
project_tokens = Blueprint(
    "project_tokens", __name__, url_prefix=f"{chrome.PREFIX}/-/settings/access_tokens"
)
ID = "<int(max=2147483647):token_id>"


@personal_tokens.get("")
@login_required  # type: ignore[untyped-decorator]
def show_own() -> str:
    """The user's tokens, and the form."""
    return _own_page()


@personal_tokens.post("")
@login_required  # type: ignore[untyped-decorator]
def make_own() -> str | tuple[str, int]:
    """Make a token and show its secret, this once: it is in no other page and no log."""
    try:
        _, secret = create_token(
            current_user, _name(), _scopes(), expires_at=forms.end_of_token("expires_on")
        )
    except ValueError as error:
        return _own_page(error=str(error)), 422
    db.session.commit()
    return _own_page(secret)


@personal_tokens.post(f"/{ID}/revoke")
@login_required  # type: ignore[untyped-decorator]
def revoke_own(token_id: int) -> Response:
    """End one of the user's tokens."""
    mine = (Token.user_id == current_user.id) & Token.project_id.is_(None)
    _revoke(token_id, mine)
    return redirect_to(root(OWN_PAGE))


@project_tokens.get("")
@in_project(Right.MAINTAIN)
def show(project: Project) -> str:
    """The project's tokens, and the form."""
    return _project_page(project)


@project_tokens.post("")
@in_project(Right.MAINTAIN)
def make(project: Project) -> str | tuple[str, int]:
    """Make a token for a bot with a role no higher than the maker's."""
    try:
        role = Role(forms.number("role"))
        if role > g.standing.role:
            raise ValueError("A token cannot have a role above your own.")
        end = forms.end_of_token("expires_on")
        _, secret = create_project_token(project, _name(), _scopes(), role, expires_at=end)
    except ValueError as error:
        return _project_page(project, error=str(error)), 422
    db.session.commit()
    return _project_page(project, secret)


@project_tokens.post(f"/{ID}/revoke")
@in_project(Right.MAINTAIN)
def revoke(project: Project, token_id: int) -> Response:
    """End a token of the project."""
    _revoke(token_id, Token.project_id == project.id)
    return redirect_to(project_url(project.full_path, "settings/access_tokens"))


def _name() -> str:
    name = forms.line("name")
    if not 0 < len(name) <= 255:
        raise ValueError("Give the token a name of up to 255 characters.")
    return name


def _scopes() -> list[str]:
    return request.form.getlist("scopes")


def _revoke(token_id: int, which: ColumnElement[bool]) -> None:
    token = db.session.scalar(select(Token).where(Token.id == token_id, which))
    if token is None:
        abort(404)
    revoke_token(token)
    db.session.commit()


def _own_page(secret: str = "", error: str = "") -> str:
    mine = select(Token).where(Token.user_id == current_user.id, Token.project_id.is_(None))
    tokens = db.session.scalars(mine.order_by(Token.id.desc())).all()
    return render_template(
        "host_stub/personal_tokens.html", tokens=tokens, scopes=SCOPES, secret=secret, error=error
    )


def _project_page(project: Project, secret: str = "", error: str = "") -> str:
    its = (
        select(Token, Member.role)
        .outerjoin(
            Member, (Member.user_id == Token.user_id) & (Member.project_id == Token.project_id)
        )
        .where(Token.project_id == project.id)
        .order_by(Token.id.desc())
    )
    return chrome.render(
        "project_tokens.html",
        project,
        "tokens",
        tokens=db.session.execute(its).all(),
        scopes=SCOPES,
        roles=[role for role in Role if role <= g.standing.role],
        secret=secret,
        error=error,
    )
