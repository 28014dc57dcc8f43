"""Pages of issues and of merge requests; the word in the URL tells which."""

from __future__ import annotations

from flask import Blueprint, abort, request
from flask_login import current_user
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from host_stub import chrome, forms, issuables, merge_requests
from host_stub.chrome import project_url, redirect_to
from host_stub.database import db
from host_stub.issuables import Issuable
from host_stub.issues import Issue, create_issue
from host_stub.merge_requests import MergeRequest, create_merge_request
from host_stub.pages import proposals
from host_stub.pages.kinds import (
    IID,
    PREFIX,
    Kind,
    find,
    go_to,
    may_create,
    may_edit,
    may_set_state,
    render,
    require,
    seen,
    show_page,
)
from host_stub.permissions import Right
from host_stub.projects import Project

pages = Blueprint("issuables", __name__, url_prefix=PREFIX)
PER_PAGE = 20


@pages.get("")
@seen
def index(project: Project, kind: Kind) -> str:
    """Those of one state, the newest first."""
    state = request.args.get("state", "opened")
    mine = select(kind.model).where(kind.model.project_id == project.id)
    counted = mine.with_only_columns(kind.model.state, func.count()).group_by(kind.model.state)
    counts = {row[0]: row[1] for row in db.session.execute(counted)}
    if state in kind.states:
        mine = mine.where(kind.model.state == state)
    found = db.paginate(
        mine.order_by(kind.model.id.desc()),
        page=forms.page_number(),
        per_page=PER_PAGE,
        error_out=False,
    )
    return render("issuables.html", project, kind, found=found, counts=counts, state=state)


@pages.get("/new")
@seen
def new(project: Project, kind: Kind) -> str:
    """The form."""
    require(may_create(project, kind))
    return _form(project, kind)


@pages.post("/new")
@seen
def create(project: Project, kind: Kind) -> Response | str | tuple[str, int]:
    """Open one."""
    require(may_create(project, kind))
    if forms.is_preview():
        return _form(project, kind)
    title, description = forms.line("title"), forms.text("description")
    created: Issuable
    try:
        if kind.model is Issue:
            created = create_issue(project, current_user, title, description)
        else:
            created = create_merge_request(
                project,
                current_user,
                title,
                description,
                source_branch=forms.line("source_branch") or "feature",
                target_branch=forms.line("target_branch") or "main",
                source_project=proposals.chosen(project, forms.number("source_project")),
            )
    except ValueError as error:
        db.session.rollback()
        return _form(project, kind, str(error)), 422
    db.session.commit()
    return go_to(project, kind, created)


@pages.get(f"/{IID}")
@seen
def show(project: Project, kind: Kind, iid: int) -> str:
    """One, with its comments."""
    return show_page(project, kind, find(project, kind, iid))


@pages.get(f"/{IID}/edit")
@seen
def edit(project: Project, kind: Kind, iid: int) -> str:
    """The form."""
    issuable = find(project, kind, iid)
    require(may_edit(issuable))
    return render("issuable_form.html", project, kind, issuable=issuable)


@pages.post(f"/{IID}/edit")
@seen
def save(project: Project, kind: Kind, iid: int) -> Response | str | tuple[str, int]:
    """Store title and description."""
    issuable = find(project, kind, iid)
    require(may_edit(issuable))
    if forms.is_preview():
        return render("issuable_form.html", project, kind, issuable=issuable)
    try:
        issuables.edit(
            issuable,
            current_user,
            title=forms.line("title"),
            description=forms.text("description"),
        )
    except ValueError as error:
        page = render("issuable_form.html", project, kind, issuable=issuable, error=str(error))
        return page, 422
    db.session.commit()
    return go_to(project, kind, issuable)


@pages.post(f"/{IID}/state")
@seen
def set_state(project: Project, kind: Kind, iid: int) -> Response | tuple[str, int]:
    """Close, merge or reopen; branches that are in conflict cannot be merged."""
    issuable = find(project, kind, iid)
    state = forms.line("state")
    require(may_set_state(issuable) and (state != "merged" or chrome.may(Right.WRITE)))
    if state not in kind.states:
        abort(400, f"A {kind.noun} is one of {', '.join(kind.states)}.")
    if issuable.state != "merged":
        try:
            _put_state(issuable, state)
        except ValueError as error:
            db.session.rollback()
            return show_page(project, kind, issuable, str(error)), 422
        db.session.commit()
    return go_to(project, kind, issuable)


@pages.post(f"/{IID}/delete")
@seen
def delete(project: Project, kind: Kind, iid: int) -> Response:
    """Delete it with its comments; for owners."""
    require(chrome.may(Right.OWN))
    issuables.delete_issuable(find(project, kind, iid))
    db.session.commit()
    return redirect_to(project_url(project.full_path, kind.page))


def _put_state(issuable: Issuable, state: str) -> None:
    if isinstance(issuable, MergeRequest) and state == "merged":
        merge_requests.merge(issuable, current_user)
    elif isinstance(issuable, MergeRequest) and state == "opened":
        merge_requests.reopen(issuable, current_user)
    else:
        issuables.set_state(issuable, current_user, state)


def _form(project: Project, kind: Kind, error: str = "") -> str:
    proposable = proposals.sources(project) if kind.model is MergeRequest else []
    return render(
        "issuable_form.html", project, kind, issuable=None, error=error, sources=proposable,
        branches=proposals.branches_of([project, *proposable]) if proposable else [],
    )  # fmt: skip
