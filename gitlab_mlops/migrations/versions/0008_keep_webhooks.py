"""Keep webhooks, and what is sent to them.

Revision: 0008, after 0007, of 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_WEBHOOKS, _DELIVERIES = "mlops_webhooks", "mlops_webhook_deliveries"
_IS_WAITING = "due_at IS NOT NULL"


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        _WEBHOOKS,
        sa.Column("id", BigId, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("webhook_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mlops_webhooks")),
        sa.UniqueConstraint("webhook_id", name=op.f("uq_mlops_webhooks_webhook_id")),
    )
    op.create_index("ix_mlops_webhooks_project_id", _WEBHOOKS, ["project_id"])
    _create_deliveries()


def _create_deliveries() -> None:
    op.create_table(
        _DELIVERIES,
        sa.Column("id", BigId, nullable=False),
        sa.Column("webhook_id", BigId, nullable=False),
        sa.Column("delivery_id", sa.String(length=36), nullable=False),
        sa.Column("event", sa.String(length=50), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.Column("took", sa.Integer(), nullable=True),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["webhook_id"],
            ["mlops_webhooks.id"],
            name=op.f("fk_mlops_webhook_deliveries_webhook_id_mlops_webhooks"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mlops_webhook_deliveries")),
    )
    op.create_index("ix_mlops_webhook_deliveries_log", _DELIVERIES, ["webhook_id", "id"])
    op.create_index("ix_mlops_webhook_deliveries_created", _DELIVERIES, ["created_at"])
    op.create_index(
        "ix_mlops_webhook_deliveries_due",
        _DELIVERIES,
        ["due_at"],
        unique=False,
        sqlite_where=sa.text(_IS_WAITING),
        postgresql_where=sa.text(_IS_WAITING),
    )


def downgrade() -> None:
    """Undo the change."""
    op.drop_table(_DELIVERIES)
    op.drop_table(_WEBHOOKS)
