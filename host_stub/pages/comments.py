"""Forms for comments on issues and merge requests."""

from __future__ import annotations

from flask import Blueprint, abort
from flask_login import current_user
from werkzeug.wrappers import Response

from host_stub import chrome, forms, issuables
from host_stub.database import db
from host_stub.issuables import Comment
from host_stub.pages.kinds import (
    IID,
    PREFIX,
    Kind,
    find,
    go_to,
    may_edit,
    render,
    require,
    seen,
    show_page,
)
from host_stub.permissions import Right
from host_stub.projects import Project

pages = Blueprint("comments", __name__, url_prefix=PREFIX)
COMMENT = f"{IID}/comments/<int(max=2147483647):comment_id>"


@pages.post(f"/{IID}/comments")
@seen
def comment(project: Project, kind: Kind, iid: int) -> Response | str | tuple[str, int]:
    """Say something."""
    issuable = find(project, kind, iid)
    require(chrome.may(Right.COMMENT))
    if forms.is_preview():
        return show_page(project, kind, issuable)
    try:
        added = issuables.add_comment(issuable, current_user, forms.text("text"))
    except ValueError as error:
        return show_page(project, kind, issuable, str(error)), 422
    db.session.commit()
    return go_to(project, kind, issuable, f"#note_{added.id}")


@pages.get(f"/{COMMENT}/edit")
@seen
def edit_comment(project: Project, kind: Kind, iid: int, comment_id: int) -> str:
    """The form."""
    found = _find_comment(project, kind, iid, comment_id)
    require(may_edit(found))
    return render("comment_form.html", project, kind, issuable=found.issuable, comment=found)


@pages.post(f"/{COMMENT}/edit")
@seen
def save_comment(
    project: Project, kind: Kind, iid: int, comment_id: int
) -> Response | str | tuple[str, int]:
    """Store what the comment says now."""
    found = _find_comment(project, kind, iid, comment_id)
    require(may_edit(found))
    issuable = found.issuable
    if forms.is_preview():
        return render("comment_form.html", project, kind, issuable=issuable, comment=found)
    try:
        issuables.edit_comment(found, current_user, forms.text("text"))
    except ValueError as error:
        page = render(
            "comment_form.html", project, kind, issuable=issuable, comment=found, error=str(error)
        )
        return page, 422
    db.session.commit()
    return go_to(project, kind, issuable, f"#note_{comment_id}")


@pages.post(f"/{COMMENT}/delete")
@seen
def delete_comment(project: Project, kind: Kind, iid: int, comment_id: int) -> Response:
    """Delete a comment."""
    found = _find_comment(project, kind, iid, comment_id)
    require(may_edit(found))
    issuable = found.issuable
    issuables.delete_comment(found, current_user)
    db.session.commit()
    return go_to(project, kind, issuable)


def _find_comment(project: Project, kind: Kind, iid: int, comment_id: int) -> Comment:
    comment = db.session.get(Comment, comment_id)
    issuable = find(project, kind, iid)
    if comment is None or comment.issuable_id != issuable.id or comment.is_system:
        abort(404)
    return comment
