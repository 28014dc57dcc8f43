"""Where the repositories are: a bare one per project, below the instance folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from dulwich.errors import NotGitRepository
from dulwich.repo import Repo
from flask import current_app
from sqlalchemy import event
from sqlalchemy.orm import Session

from host_stub.database import db

DEFAULT_BRANCH = "main"
DOOMED = "host_stub: repositories to delete"

_opened: ContextVar[Mapping[Path, Repo]] = ContextVar(
    "repositories being read", default=MappingProxyType({})
)


class Numbered(Protocol):
    """A project: a row of the forge's, or what the plugin knows of it."""

    @property
    def id(self) -> int:
        """The number that is never given out again."""


def folder(project_id: int) -> Path:
    """Where the repository of this project is, or will be."""
    return Path(current_app.instance_path, "repositories", f"{project_id}.git")


def begin(project: Numbered) -> None:
    """Make sure that a new project begins without commits.

    Its folder is made with its first commit. What is there by its number was left behind by a
    transaction that was rolled back, or by another database.
    """
    if folder(project.id).exists():
        shutil.rmtree(folder(project.id))


def delete_after_commit(project: Numbered) -> None:
    """Delete the repository when the transaction is committed; after a rollback it stays."""
    db.session().info.setdefault(DOOMED, []).append(folder(project.id))


def _committed(session: Session) -> None:
    for path in session.info.pop(DOOMED, ()):
        shutil.rmtree(path, ignore_errors=True)


def _rolled_back(session: Session, _previous: object) -> None:
    session.info.pop(DOOMED, None)


event.listen(db.session, "after_commit", _committed)
event.listen(db.session, "after_soft_rollback", _rolled_back)


@contextmanager
def reading(project: Numbered) -> Iterator[Repo | None]:
    """The repository while the block runs; None before the first commit.

    Blocks within it share it: most of the time of a small question goes into opening it.
    """
    path, opened = folder(project.id), _opened.get()
    if path in opened:
        yield opened[path]
        return
    try:
        repository = Repo(str(path), bare=True)
    except NotGitRepository:
        yield None
        return
    token = _opened.set({**opened, path: repository})
    try:
        with repository:
            yield repository
    finally:
        _opened.reset(token)


@contextmanager
def writing(project: Numbered) -> Iterator[Repo]:
    """The repository while the block runs, made if it is missing."""
    path = folder(project.id)
    if not path.exists():
        _make(path)
    with Repo(str(path), bare=True) as repository:
        yield repository


def _make(path: Path) -> None:
    """Make an empty bare repository in one step: other workers see all of it, or nothing."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as place:
        made = Path(place, path.name)
        made.mkdir()
        with Repo.init_bare(str(made), default_branch=DEFAULT_BRANCH.encode()) as repository:
            settings = repository.get_config()
            settings.set("core", "logallrefupdates", False)
            settings.write_to_path()
        try:
            made.rename(path)
        except OSError:
            if not path.exists():  # somebody else was first otherwise
                raise
