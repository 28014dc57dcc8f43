"""Namespaces: every project lives in one, which belongs to a user or is a group."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import Flask
from sqlalchemy import ForeignKey, String, select
from sqlalchemy.orm import Mapped, mapped_column, relationship
from werkzeug.routing import BaseConverter, PathConverter

from host_stub.database import Base, db

if TYPE_CHECKING:
    from host_stub.users import User

# No name starts with "-", so "/-/" always divides a project's path from its pages.
NAME = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_-])?"
RESERVED = frozenset({"api", "assets", "explore", "groups", "health", "projects", "users"})
MAX_DEPTH = 5


class Namespace(Base):
    """A user's own namespace, or a group; `path` is the full one (`group/subgroup`)."""

    __tablename__ = "namespaces"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(String(512), unique=True)
    name: Mapped[str] = mapped_column(String(255))
    kind: Mapped[str] = mapped_column(String(5))
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    owner: Mapped[User] = relationship()


class NameConverter(BaseConverter):
    """One segment of a path: the name of a project, a user or a top-level group."""

    regex = NAME


class NamespaceConverter(PathConverter):
    """One or more segments: the full path of a namespace."""

    regex = rf"{NAME}(?:/{NAME}){{0,{MAX_DEPTH - 1}}}"


def init_app(app: Flask) -> None:
    """Teach the application's URL rules what a name and a namespace are."""
    app.url_map.converters["name"] = NameConverter
    app.url_map.converters["namespace"] = NamespaceConverter


def check_name(name: str) -> str:
    """Give the name back, or raise `ValueError` with what is wrong for the person who chose it."""
    if not re.fullmatch(NAME, name):
        raise ValueError(
            f"“{name}” is no usable path: use up to 100 letters, digits, “_”, “-” and “.”, "
            "starting with a letter, a digit or “_”."
        )
    if name.lower().endswith((".git", ".atom")):
        raise ValueError("A path must not end in “.git” or “.atom”.")
    return name


def create_namespace(path: str, name: str, kind: str, owner: User) -> Namespace:
    """Make a namespace; flushes. Raises `ValueError` for a path that is taken or not allowed."""
    segments = path.split("/")
    if segments[0].lower() in RESERVED or len(segments) > MAX_DEPTH:
        raise ValueError(f"“{path}” cannot be used; choose another path.")
    for segment in segments:
        check_name(segment)
    if find_namespace(path) is not None:
        raise ValueError(f"“{path}” is taken; choose another path.")
    namespace = Namespace(path=path, name=name, kind=kind, owner=owner)
    db.session.add(namespace)
    db.session.flush()
    return namespace


def create_group(path: str, owner: User, *, name: str | None = None) -> Namespace:
    """Make a group (`path` may name a subgroup, `group/subgroup`); flushes."""
    parent, _, _ = path.rpartition("/")
    if parent and find_namespace(parent) is None:
        raise ValueError(f"There is no group “{parent}”; create it first.")
    return create_namespace(path, name or path.rpartition("/")[2], "group", owner)


def find_namespace(path: str) -> Namespace | None:
    """The namespace of this full path, or None."""
    return db.session.scalar(select(Namespace).where(Namespace.path == path))
