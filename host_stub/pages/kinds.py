"""What all pages of issues and merge requests need: their kinds, who may do what, the frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from flask import abort, g
from werkzeug.wrappers import Response

from host_stub import chrome, issuables
from host_stub.chrome import in_project, project_url, redirect_to
from host_stub.issuables import Comment, Issuable
from host_stub.issues import Issue
from host_stub.merge_requests import MergeRequest
from host_stub.pages import proposals
from host_stub.permissions import Right
from host_stub.projects import Project
from host_stub.users import current_id

P = ParamSpec("P")
R = TypeVar("R")
IID = "<int(max=2147483647):iid>"


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
PREFIX = f"{chrome.PREFIX}/-/<any({','.join(KINDS)}):page>"


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


def require(allowed: bool) -> None:
    """Refuse, unless the reader is signed in and this is true."""
    if current_id() is None:
        # Raised, because no view that calls this has anything to show to the anonymous.
        abort(chrome.refuse(None))
    if not allowed:
        abort(403, "Your role in this project does not allow that.")


def find(project: Project, kind: Kind, iid: int) -> Issuable:
    """The one with this number, or the page that says there is none."""
    issuable = issuables.find(kind.model, project.id, iid)
    if issuable is None:
        abort(404)
    return issuable


def go_to(project: Project, kind: Kind, issuable: Issuable, anchor: str = "") -> Response:
    """After a form: its page."""
    page = f"{kind.page}/{issuable.iid}{anchor}"
    return redirect_to(project_url(project.full_path, page))


def show_page(project: Project, kind: Kind, issuable: Issuable, error: str = "") -> str:
    """Its page, as the reader may see it."""
    return render(
        "issuable.html",
        project,
        kind,
        issuable=issuable,
        comments=issuables.comments_of(issuable),
        proposal=proposals.proposal(issuable) if isinstance(issuable, MergeRequest) else None,
        error=error,
    )


def render(template: str, project: Project, kind: Kind, **context: object) -> str:
    """A page about issues or merge requests, in its frame."""
    base = project_url(project.full_path, kind.page)
    return chrome.render(
        template, project, kind.page, kind=kind, base=base, may_edit=may_edit,
        may_set_state=may_set_state, may_create=may_create(project, kind), **context,
    )  # fmt: skip
