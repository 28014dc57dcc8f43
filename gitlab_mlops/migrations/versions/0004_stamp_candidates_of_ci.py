"""Stamp candidates of CI.

Revision: 0004, after 0003, of 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_TABLE = "mlops_job_stamps"


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        _TABLE,
        sa.Column("candidate_id", BigId, autoincrement=False, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("source_project_id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.String(length=100), nullable=False),
        sa.Column("pipeline_id", sa.String(length=100), nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("ref", sa.String(length=255), nullable=False),
        sa.Column("merge_request", sa.String(length=100), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["mlops_candidates.id"],
            name=op.f("fk_mlops_job_stamps_candidate_id_mlops_candidates"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("candidate_id", name=op.f("pk_mlops_job_stamps")),
    )
    op.create_index("ix_mlops_job_stamps_sha", _TABLE, ["project_id", "sha"])
    op.create_index("ix_mlops_job_stamps_merge_request", _TABLE, ["project_id", "merge_request"])
    op.create_index("ix_mlops_job_stamps_ref", _TABLE, ["project_id", "ref", "candidate_id"])


def downgrade() -> None:
    """Undo the change."""
    op.drop_table(_TABLE)
