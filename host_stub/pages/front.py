"""The front page, lists of projects, namespaces, and making projects and groups."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask_login import current_user, login_required
from flask_sqlalchemy.pagination import Pagination
from sqlalchemy import ColumnElement, select
from werkzeug.wrappers import Response

from host_stub import forms
from host_stub.chrome import project_url, redirect_to, refuse, root
from host_stub.database import db
from host_stub.namespaces import Namespace, create_group, find_namespace
from host_stub.permissions import belongs_to, visible
from host_stub.projects import Project, Visibility, create_project
from host_stub.users import current_id

front = Blueprint("front", __name__)
PER_PAGE = 20


@front.get("/")
def home() -> str:
    """My projects; for the anonymous, the public ones."""
    user_id = current_id()
    mine = visible(None) if user_id is None else belongs_to(user_id)
    return render_template("host_stub/front.html", found=_page(mine), mine=user_id is not None)


@front.get("/explore")
def explore() -> str:
    """Every project that the reader may see."""
    return render_template("host_stub/front.html", found=_page(visible(current_id())), mine=False)


@front.get("/health")
def health() -> str:
    """For whoever waits until the server is up."""
    return "OK"


@front.get("/<name:namespace>")
def namespace(namespace: str) -> str | Response:
    """A user or a group, with the projects that the reader may see."""
    return namespace_page(namespace)


def namespace_page(path: str) -> str | Response:
    """The page of this namespace. A group of which the reader sees no project is not there."""
    found = find_namespace(path)
    if found is None:
        return refuse(None)
    listed = _page((Project.namespace_id == found.id) & visible(current_id()))
    if found.kind == "group" and found.owner_id != current_id() and not listed.total:
        return refuse(None)
    return render_template("host_stub/namespace.html", namespace=found, found=listed)


@front.get("/projects/new")
@login_required  # type: ignore[untyped-decorator]
def new_project() -> str:
    """The form."""
    return _project_form()


@front.post("/projects/new")
@login_required  # type: ignore[untyped-decorator]
def make_project() -> Response | tuple[str, int]:
    """Make a project in one of the user's namespaces."""
    home = db.session.get(Namespace, forms.number("namespace"))
    try:
        if home is None or home.owner_id != current_user.id:
            raise ValueError("Choose one of your namespaces.")
        project = create_project(
            home,
            forms.line("path"),
            visibility=forms.line("visibility"),
            name=forms.line("name")[:255] or None,
            description=forms.text("description"),
        )
    except ValueError as error:
        return _project_form(str(error)), 422
    db.session.commit()
    return redirect_to(project_url(project.full_path))


@front.get("/groups/new")
@login_required  # type: ignore[untyped-decorator]
def new_group() -> str:
    """The form."""
    return render_template("host_stub/group_form.html")


@front.post("/groups/new")
@login_required  # type: ignore[untyped-decorator]
def make_group() -> Response | tuple[str, int]:
    """Make a group that the user owns, or a subgroup of one."""
    path = forms.line("path")
    parent = find_namespace(path.rpartition("/")[0])
    try:
        if parent is not None and (parent.kind, parent.owner_id) != ("group", current_user.id):
            raise ValueError("Subgroups can be made in your own groups only.")
        group = create_group(path, current_user, name=forms.line("name")[:255] or None)
    except ValueError as error:
        return render_template("host_stub/group_form.html", error=str(error)), 422
    db.session.commit()
    return redirect_to(root(group.path))


def _page(which: ColumnElement[bool]) -> Pagination:
    listed = select(Project).where(which).order_by(Project.full_path)
    return db.paginate(listed, page=forms.page_number(), per_page=PER_PAGE, error_out=False)


def _project_form(error: str = "") -> str:
    mine = select(Namespace).where(Namespace.owner_id == current_user.id).order_by(Namespace.path)
    return render_template(
        "host_stub/project_form.html",
        namespaces=db.session.scalars(mine).all(),
        visibilities=list(Visibility),
        error=error,
    )
