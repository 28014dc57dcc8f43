"""A read-only JSON API of issues and merge requests, in GitLab's words.

Texts come raw, as `description` and `body`, and rendered for the owner of the token, as
`description_html` and `body_html`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, jsonify, request
from sqlalchemy import select

from gitlab_mlops import Actor
from host_stub import chrome, forms, issuables, markdown, merge_requests, tokens
from host_stub.database import db, id_of
from host_stub.issuables import Comment, Issuable
from host_stub.issues import Issue
from host_stub.merge_requests import MergeRequest
from host_stub.permissions import TO_SEE, standing
from host_stub.projects import Project

api = Blueprint("api", __name__, url_prefix="/api/v4/projects/<project_id>")
MODELS: dict[str, type[Issuable]] = {"issues": Issue, "merge_requests": MergeRequest}
PAGES = f"<any({','.join(MODELS)}):page>"
SCOPES = frozenset({"api", "read_api"})
PER_PAGE = 20


@dataclass(frozen=True, slots=True)
class Place:
    """The issues or the merge requests of a project, and who asks for them."""

    project: Project
    model: type[Issuable]
    actor: Actor

    def html(self, text: str) -> str:
        """A text as the one who asks may read it."""
        return markdown.show(text, self.project.value, self.actor, external=True)

    def line(self, text: str) -> str:
        """A note of the system, as the one who asks may read it."""
        return markdown.show_note(text, self.project.value, self.actor, external=True)


class Refusal(Exception):
    """The answer to a request that gets nothing."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@api.get(f"/{PAGES}")
def listed(project_id: str, page: str) -> Response:
    """Those of the project, the newest first, a page at a time (`page`)."""
    place = _place(project_id, page)
    its = select(place.model).where(place.model.project_id == place.project.id)
    return _page(its.order_by(place.model.id.desc()), lambda each: _issuable(place, each))


@api.get(f"/{PAGES}/<iid>")
def shown(project_id: str, page: str, iid: str) -> Response:
    """One of them."""
    place = _place(project_id, page)
    return jsonify(_issuable(place, _find(place, iid)))


@api.get(f"/{PAGES}/<iid>/notes")
def notes(project_id: str, page: str, iid: str) -> Response:
    """Its comments and the notes of the system, the oldest first, a page at a time."""
    place = _place(project_id, page)
    its = select(Comment).where(Comment.issuable_id == _find(place, iid).id)
    return _page(its.order_by(Comment.id), lambda each: _note(place, each))


@api.errorhandler(Refusal)
def refuse(refusal: Refusal) -> tuple[Response, int]:
    """Say no; what is hidden gets the same as what does not exist."""
    return jsonify(message=refusal.message), refusal.status


def _place(project_id: str, page: str) -> Place:
    actor = _actor()
    model, number = MODELS[page], id_of(project_id)
    kind = str(model.__mapper_args__["polymorphic_identity"])
    stand = None if number is None else standing(int(actor.id), number)
    project = None if number is None else db.session.get(Project, number)
    is_bound_elsewhere = actor.project_id not in (None, number)
    if project is None or stand is None or is_bound_elsewhere or not stand.allows(TO_SEE[kind]):
        raise Refusal(404, "404 Not found")
    return Place(project, model, actor)


def _actor() -> Actor:
    """The owner of the token; a session of the browser is of no use here."""
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    given = request.headers.get("PRIVATE-TOKEN") or (secret if scheme == "Bearer" else "")
    actor = tokens.actor_of(given)
    if actor is None:
        raise Refusal(401, "401 Unauthorized")
    if SCOPES.isdisjoint(actor.scopes or ()):
        raise Refusal(403, f"The token needs a scope of: {', '.join(sorted(SCOPES))}.")
    return actor


def _find(place: Place, iid: str) -> Issuable:
    number = id_of(iid)
    found = None if number is None else issuables.find(place.model, place.project.id, number)
    if found is None:
        raise Refusal(404, "404 Not found")
    return found


def _page(wanted: Any, shown: Callable[[Any], dict[str, Any]]) -> Response:
    first = PER_PAGE * (forms.page_number() - 1)
    rows: Sequence[Any] = db.session.scalars(wanted.limit(PER_PAGE + 1).offset(first)).all()
    answer = jsonify([shown(row) for row in rows[:PER_PAGE]])
    answer.headers["X-Next-Page"] = str(forms.page_number() + 1) if len(rows) > PER_PAGE else ""
    return answer


def _issuable(place: Place, found: Issuable) -> dict[str, Any]:
    path = chrome.issuable_url(place.project.full_path, found.kind, found.iid)
    shown = {
        "id": found.id,
        "iid": found.iid,
        "project_id": found.project_id,
        "title": found.title,
        "description": found.description,
        "description_html": place.html(found.description),
        "state": found.state,
        "author": _author(found),
        "created_at": found.created_at,
        "web_url": f"{request.host_url.rstrip('/')}{path}",
    }
    return {**shown, **_branches(found)} if isinstance(found, MergeRequest) else shown


def _branches(found: MergeRequest) -> dict[str, Any]:
    return {
        "source_branch": found.source_branch,
        "target_branch": found.target_branch,
        "sha": merge_requests.head_sha(found),
    }


def _note(place: Place, found: Comment) -> dict[str, Any]:
    render = place.line if found.is_system else place.html
    return {
        "id": found.id,
        "body": found.text,
        "body_html": render(found.text),
        "system": found.is_system,
        "author": _author(found),
        "created_at": found.created_at,
    }


def _author(found: Issuable | Comment) -> dict[str, Any]:
    return {"id": found.author.id, "username": found.author.username, "name": found.author.name}
