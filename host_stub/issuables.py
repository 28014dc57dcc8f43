"""What issues and merge requests share: the tables, and every change to what they say."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Integer, String, Text, UniqueConstraint, select, update
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gitlab_mlops import Source
from host_stub.database import Base, db, now
from host_stub.events import (
    announce_comment,
    announce_state,
    announce_text,
    announce_text_deleted,
)
from host_stub.markdown import to_html
from host_stub.projects import Project
from host_stub.users import User

MAX_TITLE = 255
MAX_TEXT = 100_000


class Issuable(Base):
    """An issue or a merge request, numbered per project and kind; numbers are never reused."""

    __tablename__ = "issuables"
    __table_args__ = (UniqueConstraint("project_id", "kind", "iid"),)
    __mapper_args__ = {"polymorphic_on": "kind"}

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(20))
    iid: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(MAX_TITLE))
    description: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), default="opened")
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[int] = mapped_column(default=now)
    edited_at: Mapped[int | None] = mapped_column()
    project: Mapped[Project] = relationship()
    author: Mapped[User] = relationship(lazy="joined", innerjoin=True)

    @property
    def source(self) -> Source:
        """The place as the plugin names it."""
        return Source(self.project_id, self.kind, str(self.iid))


class Comment(Base):
    """A comment on an issue or merge request; notes of the system say what happened to it."""

    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    issuable_id: Mapped[int] = mapped_column(
        ForeignKey("issuables.id", ondelete="CASCADE"), index=True
    )
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    text: Mapped[str] = mapped_column(Text)
    is_system: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[int] = mapped_column(default=now)
    edited_at: Mapped[int | None] = mapped_column()
    author: Mapped[User] = relationship(lazy="joined", innerjoin=True)
    issuable: Mapped[Issuable] = relationship()


def add_issuable(issuable: Issuable, counter: str) -> None:
    """Store a new issue or merge request under the next number of `counter`, a column of Project.

    The update locks the project's row until the transaction ends, so no number is given twice
    and none is left out. Flushes, and tells the plugin what it says.
    """
    _check(issuable.title, issuable.description)
    column = getattr(Project, counter)
    issuable.iid = db.session.execute(
        update(Project)
        .where(Project.id == issuable.project.id)
        .values({counter: column + 1})
        .returning(column)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    db.session.add(issuable)
    _announce(issuable, issuable.author)


def edit(issuable: Issuable, editor: User, *, title: str, description: str) -> None:
    """Change title and description; flushes."""
    _check(title, description)
    issuable.title, issuable.description, issuable.edited_at = title, description, now()
    _announce(issuable, editor)


def set_state(issuable: Issuable, user: User, state: str) -> None:
    """Close, merge or reopen, note who did, and announce it; flushes."""
    if issuable.state != state:
        issuable.state = state
        note = {"opened": "reopened"}.get(state, state)
        add_system_note(issuable, user, f"{note} this")
        announce_state(issuable.source, issuable.project.value, state, user.value)


def delete_issuable(issuable: Issuable) -> None:
    """Delete it with its comments; flushes."""
    announce_text_deleted(issuable.source, issuable.project.value)
    db.session.delete(issuable)
    db.session.flush()


def add_comment(issuable: Issuable, author: User, text: str) -> Comment:
    """Comment; flushes. Raises `ValueError` if there is nothing in it, or too much."""
    _check_comment(text)
    comment = Comment(issuable=issuable, author=author, text=text)
    db.session.add(comment)
    _announce(issuable, author)
    announce_comment(comment)
    return comment


def edit_comment(comment: Comment, editor: User, text: str) -> None:
    """Change what a comment says; flushes."""
    _check_comment(text)
    comment.text, comment.edited_at = text, now()
    _announce(comment.issuable, editor)


def delete_comment(comment: Comment, user: User) -> None:
    """Delete a comment; flushes."""
    issuable = comment.issuable
    db.session.delete(comment)
    _announce(issuable, user)


def add_system_note(issuable: Issuable, user: User, text: str) -> None:
    """Note something that happened; it is no text of a person and mentions nothing. Flushes."""
    db.session.add(Comment(issuable=issuable, author=user, text=text, is_system=True))
    db.session.flush()


def comments_of(issuable: Issuable) -> list[Comment]:
    """The comments and system notes, oldest first."""
    mine = select(Comment).where(Comment.issuable_id == issuable.id).order_by(Comment.id)
    return list(db.session.scalars(mine))


def find(kind: type[Issuable], project_id: int, iid: int) -> Issuable | None:
    """The issue or merge request with this number, or None."""
    mine = select(kind).where(kind.project_id == project_id, kind.iid == iid)
    return db.session.scalar(mine)


def _announce(issuable: Issuable, writer: User) -> None:
    """Flush, and tell the plugin everything that people say here now."""
    db.session.flush()
    said = select(Comment.text).where(
        Comment.issuable_id == issuable.id, Comment.is_system.is_(False)
    )
    texts = [issuable.description, *db.session.scalars(said.order_by(Comment.id))]
    # Rendered one by one, as they are shown: what is code, only the renderer knows.
    html = "".join(map(to_html, texts))
    announce_text(issuable.source, issuable.project.value, html, writer.value)


def _check(title: str, description: str) -> None:
    if not title.strip():
        raise ValueError("Give it a title.")
    if len(title) > MAX_TITLE:
        raise ValueError(f"A title has at most {MAX_TITLE} characters.")
    if len(description) > MAX_TEXT:
        raise ValueError(f"A description has at most {MAX_TEXT} characters.")


def _check_comment(text: str) -> None:
    if not text.strip():
        raise ValueError("Write something first.")
    if len(text) > MAX_TEXT:
        raise ValueError(f"A comment has at most {MAX_TEXT} characters.")
