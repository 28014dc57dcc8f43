"""Pages of issues and of merge requests; the word in the URL tells which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from flask import Blueprint, abort, g, request
from flask_login import current_user
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from host_stub import chrome, forms, issuables, merge_requests
from host_stub.chrome import in_project, project_url, redirect_to
from host_stub.database import db
from host_stub.issuables import Comment, Issuable
from host_stub.issues import Issue, create_issue
from host_stub.merge_requests import MergeRequest, create_merge_request
from host_stub.pages import proposals
from host_stub.permissions import Right
from host_stub.projects import Project
from host_stub.users import current_id

P = ParamSpec("P")
R = TypeVar("R")
PER_PAGE = 20
IID = "<int(max=2147483647):iid>"
COMMENT = f"{IID}/comments/<int(max=2147483647):comment_id>"


@dataclass(frozen=True, slots=True)
class Kind:
    """What tells issues and merge requests apart on their pages."""

    page: str
    noun: str
    sigil: str
    model: type[Issuable]
    see: Right
    create: Right
    states: tuple[str, ...]


KINDS = {
    "issues": Kind(
        "issues", "issue", "#", Issue, Right.SEE, Right.COMMENT, ("opened", "closed")
    ),
    "merge_requests": Kind(
        "merge_requests", "merge request", "!", MergeRequest, Right.READ, Right.WRITE,
        ("opened", "merged", "closed"),
    ),
}  # fmt: skip
pages = Blueprint(
    "issuables", __name__, url_prefix=f"{chrome.PREFIX}/-/<any({','.join(KINDS)}):page>"
)


def seen(view: Callable[Concatenate[Project, Kind, P], R]) -> Callable[..., R | Response]:
    """Give the view its project and kind, if the reader may see that kind there."""

    def guarded(project: Project, /, page: str, *args: P.args, **values: P.kwargs) -> R | Response:
        kind = KINDS[page]
        if not chrome.may(kind.see):
            return chrome.refuse(g.standing)
        return view(project, kind, *args, **values)

    guarded.__name__, guarded.__doc__ = view.__name__, view.__doc__
    return in_project(Right.SEE)(guarded)


def may_edit(thing: Issuable | Comment) -> bool:
    """Whether the reader may change what this says: its author may, and maintainers."""
    is_mine = thing.author_id == current_id() and chrome.may(Right.COMMENT)
    return is_mine or chrome.may(Right.MAINTAIN)


def may_create(project: Project, kind: Kind) -> bool:
    """Whether the reader may open one: by role, and merge requests from an own fork, too."""
    return chrome.may(kind.create) or (
        kind.model is MergeRequest and bool(proposals.sources(project))
    )


def may_set_state(issuable: Issuable) -> bool:
    """Whether the reader may close, merge or reopen it."""
    return may_edit(issuable) or chrome.may(Right.WRITE)


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
    return _render("issuables.html", project, kind, found=found, counts=counts, state=state)


@pages.get("/new")
@seen
def new(project: Project, kind: Kind) -> str:
    """The form."""
    _require(may_create(project, kind))
    return _form(project, kind)


@pages.post("/new")
@seen
def create(project: Project, kind: Kind) -> Response | tuple[str, int]:
    """Open one."""
    _require(may_create(project, kind))
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
    return _to(project, kind, created)


@pages.get(f"/{IID}")
@seen
def show(project: Project, kind: Kind, iid: int) -> str:
    """One, with its comments."""
    return _page(project, kind, _find(project, kind, iid))


@pages.get(f"/{IID}/edit")
@seen
def edit(project: Project, kind: Kind, iid: int) -> str:
    """The form."""
    issuable = _find(project, kind, iid)
    _require(may_edit(issuable))
    return _render("issuable_form.html", project, kind, issuable=issuable)


@pages.post(f"/{IID}/edit")
@seen
def save(project: Project, kind: Kind, iid: int) -> Response | tuple[str, int]:
    """Store title and description."""
    issuable = _find(project, kind, iid)
    _require(may_edit(issuable))
    try:
        issuables.edit(
            issuable,
            current_user,
            title=forms.line("title"),
            description=forms.text("description"),
        )
    except ValueError as error:
        page = _render("issuable_form.html", project, kind, issuable=issuable, error=str(error))
        return page, 422
    db.session.commit()
    return _to(project, kind, issuable)


@pages.post(f"/{IID}/state")
@seen
def set_state(project: Project, kind: Kind, iid: int) -> Response | tuple[str, int]:
    """Close, merge or reopen; branches that are in conflict cannot be merged."""
    issuable = _find(project, kind, iid)
    state = forms.line("state")
    _require(may_set_state(issuable) and (state != "merged" or chrome.may(Right.WRITE)))
    if state not in kind.states:
        abort(400, f"A {kind.noun} is one of {', '.join(kind.states)}.")
    if issuable.state != "merged":
        try:
            _put_state(issuable, state)
        except ValueError as error:
            db.session.rollback()
            return _page(project, kind, issuable, str(error)), 422
        db.session.commit()
    return _to(project, kind, issuable)


@pages.post(f"/{IID}/delete")
@seen
def delete(project: Project, kind: Kind, iid: int) -> Response:
    """Delete it with its comments; for owners."""
    _require(chrome.may(Right.OWN))
    issuables.delete_issuable(_find(project, kind, iid))
    db.session.commit()
    return redirect_to(project_url(project.full_path, kind.page))


@pages.post(f"/{IID}/comments")
@seen
def comment(project: Project, kind: Kind, iid: int) -> Response | tuple[str, int]:
    """Say something."""
    issuable = _find(project, kind, iid)
    _require(chrome.may(Right.COMMENT))
    try:
        added = issuables.add_comment(issuable, current_user, forms.text("text"))
    except ValueError as error:
        return _page(project, kind, issuable, str(error)), 422
    db.session.commit()
    return _to(project, kind, issuable, f"#note_{added.id}")


@pages.get(f"/{COMMENT}/edit")
@seen
def edit_comment(project: Project, kind: Kind, iid: int, comment_id: int) -> str:
    """The form."""
    found = _find_comment(project, kind, iid, comment_id)
    _require(may_edit(found))
    return _render("comment_form.html", project, kind, issuable=found.issuable, comment=found)


@pages.post(f"/{COMMENT}/edit")
@seen
def save_comment(
    project: Project, kind: Kind, iid: int, comment_id: int
) -> Response | tuple[str, int]:
    """Store what the comment says now."""
    found = _find_comment(project, kind, iid, comment_id)
    _require(may_edit(found))
    issuable = found.issuable
    try:
        issuables.edit_comment(found, current_user, forms.text("text"))
    except ValueError as error:
        page = _render(
            "comment_form.html", project, kind, issuable=issuable, comment=found, error=str(error)
        )
        return page, 422
    db.session.commit()
    return _to(project, kind, issuable, f"#note_{comment_id}")


@pages.post(f"/{COMMENT}/delete")
@seen
def delete_comment(project: Project, kind: Kind, iid: int, comment_id: int) -> Response:
    """Delete a comment."""
    found = _find_comment(project, kind, iid, comment_id)
    _require(may_edit(found))
    issuable = found.issuable
    issuables.delete_comment(found, current_user)
    db.session.commit()
    return _to(project, kind, issuable)


def _require(allowed: bool) -> None:
    if current_id() is None:
        # Raised, because no view that calls this has anything to show to the anonymous.
        abort(chrome.refuse(None))
    if not allowed:
        abort(403, "Your role in this project does not allow that.")


def _find(project: Project, kind: Kind, iid: int) -> Issuable:
    issuable = issuables.find(kind.model, project.id, iid)
    if issuable is None:
        abort(404)
    return issuable


def _find_comment(project: Project, kind: Kind, iid: int, comment_id: int) -> Comment:
    comment = db.session.get(Comment, comment_id)
    issuable = _find(project, kind, iid)
    if comment is None or comment.issuable_id != issuable.id or comment.is_system:
        abort(404)
    return comment


def _to(project: Project, kind: Kind, issuable: Issuable, anchor: str = "") -> Response:
    page = f"{kind.page}/{issuable.iid}{anchor}"
    return redirect_to(project_url(project.full_path, page))


def _put_state(issuable: Issuable, state: str) -> None:
    if isinstance(issuable, MergeRequest) and state == "merged":
        merge_requests.merge(issuable, current_user)
    elif isinstance(issuable, MergeRequest) and state == "opened":
        merge_requests.reopen(issuable, current_user)
    else:
        issuables.set_state(issuable, current_user, state)


def _page(project: Project, kind: Kind, issuable: Issuable, error: str = "") -> str:
    return _render(
        "issuable.html",
        project,
        kind,
        issuable=issuable,
        comments=issuables.comments_of(issuable),
        proposal=proposals.proposal(issuable) if isinstance(issuable, MergeRequest) else None,
        error=error,
    )


def _form(project: Project, kind: Kind, error: str = "") -> str:
    proposable = proposals.sources(project) if kind.model is MergeRequest else []
    return _render(
        "issuable_form.html", project, kind, issuable=None, error=error, sources=proposable,
        branches=proposals.branches_of([project, *proposable]) if proposable else [],
    )  # fmt: skip


def _render(template: str, project: Project, kind: Kind, **context: object) -> str:
    base = project_url(project.full_path, kind.page)
    return chrome.render(
        template, project, kind.page, kind=kind, base=base, may_edit=may_edit,
        may_set_state=may_set_state, may_create=may_create(project, kind), **context,
    )  # fmt: skip
