"""A project's files and commits, as of a branch or a commit, and forks of it."""

from __future__ import annotations

from flask import Blueprint, abort, flash, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from host_stub import chrome, forms, repositories
from host_stub.chrome import in_project, project_url, redirect_to
from host_stub.database import db
from host_stub.permissions import Right
from host_stub.pipelines import pipelines_of
from host_stub.projects import Project, fork
from host_stub.repositories import DEFAULT_BRANCH
from host_stub.statuses import states_of, statuses
from host_stub.users import current_id

repository = Blueprint("repository", __name__, url_prefix=f"{chrome.PREFIX}/-")
PER_PAGE = 20
MAX_PAGE = 500
MAX_SHOWN = 256 * 1024
"""Bytes of a file that its page shows."""
README = "README.md"


@repository.get("/tree")
@in_project(Right.READ)
def start(project: Project) -> str | Response:
    """The files of the default branch, or of the branch that was chosen in the form."""
    ref = request.args.get("ref", "")
    if ref in repositories.branches(project):
        return redirect_to(_address("tree", project, ref))
    return _tree(project, DEFAULT_BRANCH, "")


@repository.get("/tree/<path:place>")
@in_project(Right.READ)
def tree(project: Project, place: str) -> str:
    """A folder; `place` is a branch or sha, and the path."""
    return _tree(project, *_split(project, place))


@repository.get("/blob/<path:place>")
@in_project(Right.READ)
def blob(project: Project, place: str) -> str:
    """A file's text."""
    ref, path = _split(project, place)
    problem, text = "", ""
    try:
        content = repositories.file_at(project, ref, path, max_bytes=MAX_SHOWN)
        text = (content or b"").decode()
    except repositories.FileTooLarge:
        problem = "This file is too large to be shown here."
    except UnicodeDecodeError:
        problem = "This file is not text."
    else:
        if content is None:
            abort(404)
    return _render("blob.html", project, ref, path=path, text=text, problem=problem)


@repository.get("/commits")
@in_project(Right.READ)
def start_of_commits(project: Project) -> str | Response:
    """The commits of the default branch, or of the branch that was chosen in the form."""
    ref = request.args.get("ref", "")
    if ref in repositories.branches(project):
        return redirect_to(_address("commits", project, ref))
    return _commits(project, DEFAULT_BRANCH)


@repository.get("/commits/<path:place>")
@in_project(Right.READ)
def commits(project: Project, place: str) -> str:
    """A branch's commits, the newest first."""
    return _commits(project, _split(project, place)[0])


def _commits(project: Project, ref: str) -> str:
    page = min(forms.page_number(), MAX_PAGE)
    found = repositories.log(project, ref, limit=PER_PAGE + 1, skip=PER_PAGE * (page - 1))
    listed = found[:PER_PAGE]
    return _render(
        "commits.html", project, ref,
        commits=listed, states=states_of(project, [info.sha for info in listed]), number=page,
        has_more=len(found) > PER_PAGE and page < MAX_PAGE,
    )  # fmt: skip


@repository.get("/commit/<sha>")
@in_project(Right.READ)
def commit(project: Project, sha: str) -> str:
    """One commit, by its full or short sha."""
    info = repositories.commit_info(project, sha)
    if info is None:
        abort(404)
    return chrome.render(
        "commit.html", project, "repository",
        commit=info,
        changes=repositories.changed_files(project, info.sha),
        most=repositories.MAX_CHANGES,
        statuses=statuses(project, info.sha),
        pipelines=pipelines_of(project, info.sha),
    )  # fmt: skip


@repository.post("/forks")
@in_project(Right.READ)
def make_fork(project: Project) -> Response:
    """Copy the project into the own namespace of whoever asks."""
    if current_id() is None:
        return chrome.refuse(None)
    try:
        copy = fork(project, current_user, current_user)
    except ValueError as error:
        flash(str(error), "error")
        return redirect_to(project_url(project.full_path, "tree"))
    db.session.commit()
    return redirect_to(project_url(copy.full_path, "tree"))


def _split(project: Project, place: str) -> tuple[str, str]:
    """The branch or sha with which the place begins, and the path below.

    Git has no branch whose name goes on after the name of another and a slash.
    """
    known, names = repositories.branches(project), place.strip("/").split("/")
    for count in range(1, len(names) + 1):
        ref = "/".join(names[:count])
        if ref in known or (count == 1 and repositories.resolve(project, ref) is not None):
            return ref, "/".join(names[count:])
    abort(404)


def _tree(project: Project, ref: str, path: str) -> str:
    entries = repositories.files(project, ref, path)
    if entries is None and (path or ref != DEFAULT_BRANCH):
        abort(404)
    newest = repositories.log(project, ref, limit=1)
    return _render(
        "tree.html", project, ref,
        path=path, entries=entries, readme=_readme(project, ref, path),
        newest=newest, states=states_of(project, [info.sha for info in newest]),
    )  # fmt: skip


def _readme(project: Project, ref: str, path: str) -> str:
    """The text of a folder's README; empty if there is none that can be shown."""
    name = f"{path}/{README}" if path else README
    try:
        found = repositories.file_at(project, ref, name, max_bytes=MAX_SHOWN) or b""
    except repositories.FileTooLarge:
        return ""
    return found.decode(errors="replace").replace("\0", "")


def _address(page: str, project: Project, place: str) -> str:
    namespace, _, name = project.full_path.rpartition("/")
    return url_for(f"repository.{page}", namespace=namespace, project=name, place=place)


def _render(template: str, project: Project, ref: str, **context: object) -> str:
    return chrome.render(
        template, project, "repository",
        ref=ref, branches=list(repositories.branches(project)),
        address=lambda page, place: _address(page, project, place), **context,
    )  # fmt: skip
