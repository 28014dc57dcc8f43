"""Tell what was altered after CI, find who claims a commit.

Revision: 0005, after 0004, of 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CANDIDATES, _STAMPS, _TAGS = "mlops_candidates", "mlops_job_stamps", "mlops_candidate_tags"
_BY_COMMIT = "ix_mlops_candidate_tags_commit"
_WHICH = "key = 'mlflow.source.git.commit' AND length(value) = 40"


def upgrade() -> None:
    """Apply the change; nobody knows of what was stamped before whether it was altered."""
    # Without a default, adding a column rewrites no table.
    op.add_column(_CANDIDATES, sa.Column("stamped_sha", sa.String(length=64), nullable=True))
    op.add_column(_STAMPS, sa.Column("altered_at", sa.BigInteger(), nullable=True))
    op.execute(
        "UPDATE mlops_candidates SET stamped_sha = (SELECT sha FROM mlops_job_stamps"
        "  WHERE candidate_id = mlops_candidates.id)"
        " WHERE id IN (SELECT candidate_id FROM mlops_job_stamps)"
    )
    op.create_index(
        _BY_COMMIT,
        _TAGS,
        ["value", "candidate_id"],
        unique=False,
        sqlite_where=sa.text(_WHICH),
        postgresql_where=sa.text(_WHICH),
    )


def downgrade() -> None:
    """Undo the change."""
    op.drop_index(_BY_COMMIT, table_name=_TAGS)
    with op.batch_alter_table(_STAMPS) as table:
        table.drop_column("altered_at")
    with op.batch_alter_table(_CANDIDATES) as table:
        table.drop_column("stamped_sha")
