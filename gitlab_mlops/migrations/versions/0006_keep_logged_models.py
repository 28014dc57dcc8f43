"""Keep logged models.

Revision: 0006, after 0005, of 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_MODELS, _METRICS = "mlops_logged_models", "mlops_logged_model_metrics"
_PAIRS = ("mlops_logged_model_params", "mlops_logged_model_tags")


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        _MODELS,
        sa.Column("id", BigId, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("experiment_id", BigId, nullable=False),
        sa.Column("model_id", sa.String(length=34), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("model_type", sa.String(length=500), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("source_eid", sa.String(length=32), nullable=False),
        sa.Column("actor_id", sa.String(length=255), nullable=True),
        sa.Column("job_id", sa.String(length=100), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        _belongs_to(_MODELS, "experiment_id", "mlops_experiments"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mlops_logged_models")),
        sa.UniqueConstraint("model_id", name=op.f("uq_mlops_logged_models_model_id")),
    )
    op.create_index(
        "ix_mlops_logged_models_created", _MODELS, ["experiment_id", "created_at", "model_id"]
    )
    op.create_index("ix_mlops_logged_models_source", _MODELS, ["project_id", "source_eid"])
    for table in _PAIRS:
        op.create_table(
            table,
            sa.Column("logged_model_id", BigId, nullable=False),
            sa.Column("key", sa.String(length=255), nullable=False),
            sa.Column("value", sa.Text(), nullable=False),
            _belongs_to(table, "logged_model_id", _MODELS),
            sa.PrimaryKeyConstraint("logged_model_id", "key", name=op.f(f"pk_{table}")),
        )
    _create_metrics()


def _create_metrics() -> None:
    numbers = (
        ("logged_model_id", BigId),
        ("key_id", sa.BigInteger()),
        ("timestamp", sa.BigInteger()),
        ("step", sa.BigInteger()),
        ("candidate_id", BigId),
    )
    op.create_table(
        _METRICS,
        *(sa.Column(name, kind, autoincrement=False, nullable=False) for name, kind in numbers),
        sa.Column("dataset_name", sa.String(length=500), nullable=False),
        sa.Column("dataset_digest", sa.String(length=36), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        _belongs_to(_METRICS, "logged_model_id", _MODELS),
        _belongs_to(_METRICS, "candidate_id", "mlops_candidates"),
        sa.PrimaryKeyConstraint(
            *(name for name, _ in numbers),
            "dataset_name",
            "dataset_digest",
            "value",
            name=op.f("pk_mlops_logged_model_metrics"),
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_mlops_logged_model_metrics_candidate", _METRICS, ["candidate_id"])


def _belongs_to(table: str, column: str, owner: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{owner}")
    return sa.ForeignKeyConstraint([column], [f"{owner}.id"], name=name, ondelete="CASCADE")


def downgrade() -> None:
    """Undo the change."""
    for table in (_METRICS, *_PAIRS, _MODELS):
        op.drop_table(table)
