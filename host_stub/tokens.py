"""Access tokens, of people and of projects: random, stored as SHA-256, with scopes and an end."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ForeignKey, String, bindparam, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column, relationship

from gitlab_mlops import Actor
from host_stub.database import Base, db, now
from host_stub.projects import Project, add_member
from host_stub.users import User, create_bot

PREFIX = "glpat-"
SCOPES = {
    "api": "Everything you may do, through the API.",
    "read_api": "Everything you may see, through the API.",
    "mlops:read": "Read experiments, candidates and artifacts.",
    "mlops:write": "Log experiments, candidates and artifacts, and read them.",
}
LAST_USED_EVERY = 3600
log = logging.getLogger(__name__)


class Token(Base):
    """An access token; with a project it is good for that project only, and its user is a bot."""

    __tablename__ = "tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[str] = mapped_column(String(255))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    project_id: Mapped[int | None] = mapped_column(
        ForeignKey("projects.id", ondelete="CASCADE"), index=True
    )
    created_at: Mapped[int] = mapped_column(default=now)
    expires_at: Mapped[int | None] = mapped_column()
    revoked_at: Mapped[int | None] = mapped_column()
    last_used_at: Mapped[int | None] = mapped_column()
    user: Mapped[User] = relationship()

    @property
    def state(self) -> str:
        """`active`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if _has_ended(self.expires_at) else "active"


def create_token(
    user: User, name: str, scopes: Iterable[str], *, expires_at: int | None = None
) -> tuple[Token, str]:
    """Make a personal token; gives the row and the secret, which is stored nowhere. Flushes.

    `expires_at` is in seconds since 1970. Raises `ValueError` for a scope that is unknown, or none.
    """
    return _create(user, None, name, scopes, expires_at)


def create_project_token(
    project: Project, name: str, scopes: Iterable[str], role: int, *, expires_at: int | None = None
) -> tuple[Token, str]:
    """Make a token of the project: a bot with this role there and nowhere else. Flushes."""
    bot = create_bot(f"project_{project.id}_bot_{secrets.token_hex(8)}", name)
    add_member(project, bot, role)
    return _create(bot, project, name, scopes, expires_at)


def revoke_token(token: Token) -> None:
    """End the token now."""
    token.revoked_at = token.revoked_at or now()
    db.session.flush()


def digest_of(secret: str) -> str:
    """What is stored of a secret. It is random, so it needs neither salt nor a slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


OWNERS = (
    select(
        Token.id,
        Token.scopes,
        Token.project_id,
        Token.expires_at,
        Token.last_used_at,
        User.id.label("user_id"),
        User.username,
        User.name,
        User.is_bot,
    )
    .join(User, User.id == Token.user_id)
    .where(
        Token.digest == bindparam("digest"),
        Token.revoked_at.is_(None),
        User.is_blocked.is_(False),
    )
)
"""Tokens with this digest that may be good, and whose they are; `actor_from` reads a row."""


def actor_of(secret: str) -> Actor | None:
    """The actor behind a personal or project token; None if it is unknown, ended or blocked."""
    row = db.session.execute(OWNERS, {"digest": digest_of(secret)}).one_or_none()
    return None if row is None else actor_from(row)


def actor_from(row: Any) -> Actor | None:
    """The actor of a row of `OWNERS`; None if the token has expired."""
    if _has_ended(row.expires_at):
        return None
    _note_use(row)
    return Actor(
        id=str(row.user_id),
        username=row.username,
        name=row.name,
        url="" if row.is_bot else f"/{row.username}",
        scopes=frozenset(row.scopes.split()),
        project_id=row.project_id,
    )


def _create(
    user: User, project: Project | None, name: str, scopes: Iterable[str], expires_at: int | None
) -> tuple[Token, str]:
    wanted = set(scopes)
    if not wanted or wanted - SCOPES.keys():
        raise ValueError(f"Choose at least one scope of: {', '.join(SCOPES)}.")
    secret = PREFIX + secrets.token_urlsafe(24)
    token = Token(
        name=name,
        digest=digest_of(secret),
        scopes=" ".join(sorted(wanted)),
        user=user,
        project_id=None if project is None else project.id,
        expires_at=expires_at,
    )
    db.session.add(token)
    db.session.flush()
    return token, secret


def _has_ended(expires_at: int | None) -> bool:
    return expires_at is not None and expires_at <= now()


def _note_use(row: Any) -> None:
    """Write down that the token is used, at most once an hour, so reading stays reading."""
    moment = now()
    if row.last_used_at is not None and row.last_used_at > moment - LAST_USED_EVERY:
        return
    try:
        db.session.execute(
            update(Token).where(Token.id == row.id).values(last_used_at=moment),
            execution_options={"synchronize_session": False},
        )
        db.session.commit()
    except OperationalError:
        db.session.rollback()
        log.warning("could not note the use of token %s", row.id)
