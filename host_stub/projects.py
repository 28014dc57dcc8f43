"""Projects and their members: the tables, and what is done to them."""

from __future__ import annotations

from enum import IntEnum, StrEnum

from sqlalchemy import ForeignKey, Integer, String, Text, delete, select
from sqlalchemy.orm import Mapped, mapped_column, relationship

import gitlab_mlops
from host_stub import repositories
from host_stub.database import Base, db, now
from host_stub.events import announce_project_deleted, announce_project_renamed
from host_stub.namespaces import Namespace, check_name, find_namespace
from host_stub.users import User


class Role(IntEnum):
    """GitLab's roles with GitLab's numbers."""

    GUEST = 10
    REPORTER = 20
    DEVELOPER = 30
    MAINTAINER = 40
    OWNER = 50


class Visibility(StrEnum):
    """Who sees a project: its members, everybody who is signed in, everybody."""

    PRIVATE = "private"
    INTERNAL = "internal"
    PUBLIC = "public"


class Project(Base):
    """A project. Its id is never given out again; `full_path` (`group/name`) may change."""

    __tablename__ = "projects"
    __table_args__ = {"sqlite_autoincrement": True}

    id: Mapped[int] = mapped_column(primary_key=True)
    namespace_id: Mapped[int] = mapped_column(ForeignKey("namespaces.id"), index=True)
    full_path: Mapped[str] = mapped_column(String(768), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text, default="")
    visibility: Mapped[str] = mapped_column(String(8))
    last_issue: Mapped[int] = mapped_column(Integer, default=0)
    last_merge_request: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[int] = mapped_column(default=now)
    # No foreign key: ids are never given out again, and a fork outlives what it came from.
    forked_from_id: Mapped[int | None] = mapped_column(index=True)
    namespace: Mapped[Namespace] = relationship(lazy="joined", innerjoin=True)

    @property
    def value(self) -> gitlab_mlops.Project:
        """The project as the plugin knows it."""
        return gitlab_mlops.Project(self.id, self.full_path, self.name)


class Member(Base):
    """A user's role in a project; the owner of the namespace needs none to own its projects."""

    __tablename__ = "members"

    project_id: Mapped[int] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    role: Mapped[int] = mapped_column(Integer)
    user: Mapped[User] = relationship(lazy="joined", innerjoin=True)


def create_project(
    namespace: Namespace | User,
    path: str,
    *,
    visibility: str = Visibility.PRIVATE,
    name: str | None = None,
    description: str = "",
) -> Project:
    """Make a project; flushes. Raises `ValueError` for a path that is taken or not allowed."""
    home = _namespace_of(namespace) if isinstance(namespace, User) else namespace
    project = Project(
        namespace=home,
        full_path=_free_path(home, path),
        name=name or path,
        description=description,
        visibility=Visibility(visibility),
    )
    db.session.add(project)
    db.session.flush()
    repositories.begin(project)
    return project


def fork(project: Project, namespace: Namespace | User, user: User) -> Project:
    """Copy a project's repository into one of the user's namespaces, seen by as many; flushes.

    Raises `ValueError` if the namespace is not the user's, or has a project of this name.
    """
    home = _namespace_of(namespace) if isinstance(namespace, User) else namespace
    if home.owner_id != user.id:
        raise ValueError("Choose one of your namespaces.")
    copy = create_project(
        home,
        project.full_path.rpartition("/")[2],
        visibility=project.visibility,
        name=project.name,
        description=project.description,
    )
    copy.forked_from_id = project.id
    db.session.flush()
    repositories.copy_branches(project, copy)
    return copy


def rename_project(project: Project, path: str) -> None:
    """Give the project another path in its namespace; flushes. Its id stays."""
    move_project(project, project.namespace, path)


def move_project(project: Project, namespace: Namespace, path: str) -> None:
    """Move the project to this path in this namespace; flushes. Its id stays."""
    old_path = project.full_path
    if old_path != f"{namespace.path}/{path}":
        project.full_path = _free_path(namespace, path)
        project.namespace = namespace
        db.session.flush()
        announce_project_renamed(project.value, old_path)


def delete_project(project: Project) -> None:
    """Delete the project and all in it, after the plugin has heard of it; flushes."""
    announce_project_deleted(project.value)
    repositories.delete_after_commit(project)
    db.session.execute(delete(Project).where(Project.id == project.id))
    db.session.expunge(project)


def add_member(project: Project, user: User, role: int) -> Member:
    """Give the user this role in the project, instead of the one the user had; flushes."""
    member = db.session.get(Member, (project.id, user.id))
    if member is None:
        member = Member(project_id=project.id, user=user, role=Role(role))
        db.session.add(member)
    member.role = Role(role)
    db.session.flush()
    return member


def remove_member(project: Project, user_id: int) -> None:
    """Take the user's role in the project away."""
    mine = (Member.project_id == project.id, Member.user_id == user_id)
    db.session.execute(delete(Member).where(*mine))


def find_project(full_path: str) -> Project | None:
    """The project of this full path, or None."""
    return db.session.scalar(select(Project).where(Project.full_path == full_path))


def _namespace_of(user: User) -> Namespace:
    namespace = find_namespace(user.username)
    if namespace is None:
        raise ValueError(f"{user.username} is a bot and has no namespace.")
    return namespace


def _free_path(namespace: Namespace, path: str) -> str:
    full_path = f"{namespace.path}/{check_name(path)}"
    if find_project(full_path) is not None or find_namespace(full_path) is not None:
        raise ValueError(f"“{full_path}” is taken; choose another path.")
    return full_path
