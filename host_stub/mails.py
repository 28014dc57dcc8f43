"""Mail: what it would say is kept in a table, rendered for each recipient when it is sent.

A mail cannot be taken back. So it is rendered for the one who gets it, as of the moment when it is
sent, and whoever may not see any more what it is about gets none.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from markupsafe import escape
from sqlalchemy import ForeignKey, String, Text, select
from sqlalchemy.orm import Mapped, mapped_column

from host_stub import chrome, markdown
from host_stub.database import Base, db, now
from host_stub.events import comment_added
from host_stub.issuables import Comment, Issuable
from host_stub.permissions import TO_SEE, standing
from host_stub.users import User

MAX_RECIPIENTS = 50
MAX_SUBJECT = 500


class Mail(Base):
    """What somebody was told. It counts as sent once the transaction is committed."""

    __tablename__ = "mails"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    subject: Mapped[str] = mapped_column(String(MAX_SUBJECT))
    html: Mapped[str] = mapped_column(Text)
    url: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(default=now)


def send(user_ids: Collection[int], subject: str, text: str, url: str) -> None:
    """Send a plain text to people who can sign in; flushes. `url` is a path of this forge."""
    html = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in text.split("\n\n"))
    for user in db.session.scalars(select(User).where(User.id.in_(user_ids))):
        if user.is_active:
            _put(user, subject, html, url)


@comment_added.connect
def tell_of_comment(_sender: object, *, comment: Comment, **_more: Any) -> None:
    """Send a comment to who opened the issue or merge request, and to who commented before."""
    issuable = comment.issuable
    project = issuable.project.value
    place = (project.path, issuable.kind, issuable.iid)
    subject = f"{issuable.title} ({chrome.issuable_label(*place)})"
    url = f"{chrome.issuable_url(*place)}#note_{comment.id}"
    for user in _recipients(comment):
        shown = markdown.show(comment.text, project, user.value, external=True)
        said = f"<p>{escape(comment.author.name)} commented:</p>{shown}"
        _put(user, subject, said, url)


def _recipients(comment: Comment) -> list[User]:
    """The last people who talked there, but for the writer, and who may see it now."""
    issuable = comment.issuable
    talked = select(Comment.author_id).where(
        Comment.issuable_id == issuable.id, Comment.is_system.is_(False)
    )
    their = (User.id == issuable.author_id) | User.id.in_(talked)
    wanted = select(User).where(their, User.id != comment.author_id).order_by(User.id.desc())
    found = db.session.scalars(wanted.limit(MAX_RECIPIENTS))
    return [user for user in found if user.is_active and _may_see(user, issuable)]


def _may_see(user: User, issuable: Issuable) -> bool:
    stand = standing(user.id, issuable.project_id)
    return stand is not None and stand.allows(TO_SEE[issuable.kind])


def _put(user: User, subject: str, html: str, url: str) -> None:
    db.session.add(Mail(user_id=user.id, subject=subject[:MAX_SUBJECT], html=html, url=url))
    db.session.flush()
