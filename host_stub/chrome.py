"""The frame around a project's pages: navigation, breadcrumbs, and who may open which page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from flask import (
    abort,
    current_app,
    g,
    has_request_context,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response

import gitlab_mlops
from host_stub.permissions import Right, Standing, standing
from host_stub.plugin import mlops
from host_stub.projects import Project, find_project
from host_stub.users import current_id

PREFIX = "/<namespace:namespace>/<name:project>"
# How an issue or merge request is written in text, and where its page is.
SIGILS = {"issue": ("#", "issues"), "merge_request": ("!", "merge_requests")}
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class NavigationItem:
    """One entry of a project's navigation; `name` is also that of its icon."""

    name: str
    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Shell:
    """What `host_stub/base.html` shows around a page of a project."""

    path: str
    name: str
    color: int
    url: str
    navigation: tuple[NavigationItem, ...]
    page: str

    @property
    def crumbs(self) -> list[tuple[str, str]]:
        """Breadcrumbs above the page's own: the namespace, the project, the part of it."""
        namespace = self.path.rpartition("/")[0]
        here = [(item.label, item.url) for item in self.navigation if item.current]
        return [(namespace, root(namespace)), (self.name, self.url), *here]


def root(path: str) -> str:
    """Path of a page of this forge, also outside of a request; names need no quoting."""
    if has_request_context():
        return f"{request.script_root}/{path}"
    return f"{current_app.config['APPLICATION_ROOT'].rstrip('/')}/{path}"


def project_url(full_path: str, page: str = "") -> str:
    """Path of a project's page, or of `page` below it."""
    return root(f"{full_path}/-/{page}" if page else full_path)


def issuable_label(full_path: str, kind: str, iid: int) -> str:
    """How a text anywhere names an issue or merge request."""
    return f"{full_path}{SIGILS[kind][0]}{iid}"


def issuable_url(full_path: str, kind: str, iid: int) -> str:
    """Path of the page of an issue or merge request."""
    return project_url(full_path, f"{SIGILS[kind][1]}/{iid}")


def login_url(next_url: str) -> str:
    """Where to sign in and then go on to `next_url`."""
    return url_for("users.sign_in", next=next_url)


def redirect_to(path: str) -> Response:
    """After a form: go to this page of ours with GET."""
    return redirect(path, 303)


def may(right: Right) -> bool:
    """Whether the reader has the right in the project of this page; for views `in_project`."""
    stand: Standing = g.standing
    return stand.allows(right)


def shell(project: gitlab_mlops.Project, page: str) -> Shell:
    """The frame for the reader of this request, with the entry called `page` marked as open."""
    stand = standing(current_id(), project.id) or Standing("private", 0, False)
    return Shell(
        path=project.path,
        name=project.name or project.path.rpartition("/")[2],
        color=project.id % 6,
        url=project_url(project.path),
        navigation=tuple(_navigation(project, stand, page)),
        page=page,
    )


def in_project(
    right: Right,
) -> Callable[[Callable[Concatenate[Project, P], R]], Callable[..., R | Response]]:
    """Decorate a view below `PREFIX`: it gets the project, if whoever asks has the right.

    What may not be seen looks like what does not exist: 404, and sign-in for the anonymous.
    """

    def decorate(view: Callable[Concatenate[Project, P], R]) -> Callable[..., R | Response]:
        @wraps(view)
        def guarded(
            namespace: str, project: str, *args: P.args, **values: P.kwargs
        ) -> R | Response:
            found = find_project(f"{namespace}/{project}")
            stand = None if found is None else standing(current_id(), found.id)
            if found is None or stand is None or not stand.allows(right):
                return refuse(stand)
            g.standing = stand
            return view(found, *args, **values)

        return guarded

    return decorate


def refuse(stand: Standing | None) -> Response:
    """Send the anonymous to sign in; 403 for those who see the project, 404 for the rest."""
    if current_id() is None:
        back = request.full_path if request.method == "GET" else "/"
        return redirect(login_url(back.removesuffix("?")))
    if stand is not None and stand.allows(Right.SEE):
        abort(403, "Your role in this project does not allow that.")
    abort(404)


def render(template: str, project: Project, page: str, **context: Any) -> str:
    """Render a page of a project in its frame."""
    return render_template(
        f"host_stub/{template}",
        shell=shell(project.value, page),
        project=project,
        may=may,
        Right=Right,
        **context,
    )


def _navigation(project: gitlab_mlops.Project, stand: Standing, page: str) -> list[NavigationItem]:
    entries = [
        ("project", "Overview", project_url(project.path), Right.SEE),
        ("issues", "Issues", project_url(project.path, "issues"), Right.SEE),
        ("repository", "Repository", project_url(project.path, "tree"), Right.READ),
        (
            "merge_requests",
            "Merge requests",
            project_url(project.path, "merge_requests"),
            Right.READ,
        ),
        ("pipelines", "Pipelines", project_url(project.path, "pipelines"), Right.READ),
        ("experiments", "Experiments", mlops.experiments_url(project), Right.READ),
        ("models", "Models", mlops.models_url(project), Right.READ),
        ("members", "Members", project_url(project.path, "project_members"), Right.SEE),
        (
            "tokens",
            "Access tokens",
            project_url(project.path, "settings/access_tokens"),
            Right.MAINTAIN,
        ),
        ("settings", "Settings", project_url(project.path, "edit"), Right.MAINTAIN),
    ]
    return [
        NavigationItem(name, label, url, name == page)
        for name, label, url, right in entries
        if stand.allows(right)
    ]
