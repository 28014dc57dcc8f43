"""A project's overview and settings."""

from __future__ import annotations

from flask import Blueprint, flash, render_template
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from host_stub import chrome, forms
from host_stub.chrome import in_project, project_url, redirect_to
from host_stub.database import db
from host_stub.issuables import Issuable
from host_stub.pages.front import namespace_page
from host_stub.permissions import Right, visible
from host_stub.pipelines import Pipeline
from host_stub.plugin import mlops
from host_stub.projects import Project, Visibility, delete_project, find_project, rename_project
from host_stub.users import current_id

projects = Blueprint("projects", __name__)
RECENT = 5


@projects.get(chrome.PREFIX)
def page(namespace: str, project: str) -> str | Response:
    """The project of this path, or else the subgroup."""
    path = f"{namespace}/{project}"
    if find_project(path) is None:
        return namespace_page(path)
    return overview(namespace=namespace, project=project)


@in_project(Right.SEE)
def overview(project: Project) -> str:
    """What the project is, and what happened last."""
    readable = chrome.may(Right.READ)
    return chrome.render(
        "project.html",
        project,
        "project",
        counts=_open_counts(project),
        recent=_recent(project, readable),
        pipeline=_last_pipeline(project) if readable else None,
        origin=_origin(project),
        experiments_url=mlops.experiments_url(project.value),
    )


@projects.get(f"{chrome.PREFIX}/-/edit")
@in_project(Right.MAINTAIN)
def edit(project: Project) -> str:
    """The settings."""
    return _settings(project)


@projects.post(f"{chrome.PREFIX}/-/edit")
@in_project(Right.MAINTAIN)
def save(project: Project) -> Response | str | tuple[str, int]:
    """Store the settings; the path may change, the id does not."""
    if forms.is_preview():
        return _settings(project)
    try:
        rename_project(project, forms.line("path"))
        project.visibility = Visibility(forms.line("visibility"))
    except ValueError as error:
        db.session.rollback()
        return _settings(project, str(error)), 422
    project.name = forms.line("name")[:255] or project.name
    project.description = forms.text("description")
    db.session.commit()
    flash("Settings saved.")
    return redirect_to(project_url(project.full_path, "edit"))


@projects.post(f"{chrome.PREFIX}/-/preview")
@in_project(Right.COMMENT)
def preview(project: Project) -> str:
    """How a text will look in this project, to whoever writes it; a piece of a page."""
    return render_template("host_stub/preview.html", project=project, text=forms.text("text"))


@projects.post(f"{chrome.PREFIX}/-/delete")
@in_project(Right.OWN)
def delete(project: Project) -> Response:
    """Delete the project, if its path was typed in to confirm."""
    path = project.full_path
    if forms.line("confirm") != path:
        flash("Nothing was deleted: type the project's path to confirm.", "error")
        return redirect_to(project_url(path, "edit"))
    delete_project(project)
    db.session.commit()
    flash(f"{path} is deleted.")
    return redirect_to(chrome.root(""))


def _origin(project: Project) -> Project | None:
    """What the project was forked from, if the reader may see that."""
    if project.forked_from_id is None:
        return None
    is_it = Project.id == project.forked_from_id
    return db.session.scalar(select(Project).where(is_it, visible(current_id())))


def _open_counts(project: Project) -> dict[str, int]:
    counted = (
        select(Issuable.kind, func.count())
        .where(Issuable.project_id == project.id, Issuable.state == "opened")
        .group_by(Issuable.kind)
    )
    return {row[0]: row[1] for row in db.session.execute(counted)}


def _settings(project: Project, error: str = "") -> str:
    return chrome.render(
        "project_settings.html", project, "settings", visibilities=list(Visibility), error=error
    )


def _recent(project: Project, readable: bool) -> list[Issuable]:
    listed = select(Issuable).where(Issuable.project_id == project.id)
    if not readable:
        listed = listed.where(Issuable.kind == "issue")
    return list(db.session.scalars(listed.order_by(Issuable.id.desc()).limit(RECENT)))


def _last_pipeline(project: Project) -> Pipeline | None:
    listed = select(Pipeline).where(Pipeline.project_id == project.id)
    return db.session.scalar(listed.order_by(Pipeline.id.desc()).limit(1))
