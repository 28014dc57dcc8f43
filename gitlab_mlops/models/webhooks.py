"""Webhooks of a project, and what is sent to them: an outbox first, then a log."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from gitlab_mlops.models.base import Base, BigId


class Webhook(Base):
    """An address that is told what happens in a project. On the wire and in paths: `webhook_id`.

    `events` are names such as `run.finished`, with single spaces between them. `secret` is
    encrypted (`services/webhooks/sealing.py`), None without one. `actor_id` is who made it.
    """

    __tablename__ = "mlops_webhooks"
    __table_args__ = (
        UniqueConstraint("webhook_id"),
        Index("ix_mlops_webhooks_project_id", "project_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    project_id: Mapped[int] = mapped_column(BigInteger)
    webhook_id: Mapped[str] = mapped_column(String(36))
    name: Mapped[str] = mapped_column(String(63))
    description: Mapped[str] = mapped_column(Text, default="")
    url: Mapped[str] = mapped_column(Text)
    events: Mapped[str] = mapped_column(Text)
    is_active: Mapped[bool] = mapped_column(Boolean)
    secret: Mapped[str | None] = mapped_column(Text)
    actor_id: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)


# Literal, because a partial index serves only who repeats its condition word by word.
IS_WAITING = text("due_at IS NOT NULL")


class WebhookDelivery(Base):
    """One message to a webhook: to be sent while `due_at` says when, and then a line of the log.

    `delivery_id` is what receivers know it by: the same for every attempt, and for a message that
    a person sends once more, which has a row of its own. `origin` is `event`, `test` or `again`.
    `body` are the very bytes, so that all attempts say the same. `tried_at`, `took` (milliseconds),
    `status` (of HTTP, None without an answer), `reason` (a sentence why it failed, or empty) and
    `answer` (how the answer's body begins) are those of the last attempt.
    """

    __tablename__ = "mlops_webhook_deliveries"
    __table_args__ = (
        Index("ix_mlops_webhook_deliveries_log", "webhook_id", "id"),
        Index(
            "ix_mlops_webhook_deliveries_due",
            "due_at",
            sqlite_where=IS_WAITING,
            postgresql_where=IS_WAITING,
        ),
        Index("ix_mlops_webhook_deliveries_created", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("mlops_webhooks.id", ondelete="CASCADE"))
    delivery_id: Mapped[str] = mapped_column(String(36))
    event: Mapped[str] = mapped_column(String(50))
    origin: Mapped[str] = mapped_column(String(10))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[int] = mapped_column(BigInteger)
    due_at: Mapped[int | None] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    tried_at: Mapped[int | None] = mapped_column(BigInteger)
    took: Mapped[int | None] = mapped_column(Integer)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    reason: Mapped[str] = mapped_column(Text, default="")
    answer: Mapped[str] = mapped_column(Text, default="")
