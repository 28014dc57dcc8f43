"""Index the parents of candidates.

Revision: 0003, after 0002, of 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_NAME, _TABLE = "ix_mlops_candidate_tags_parent", "mlops_candidate_tags"
_WHICH = "key = 'mlflow.parentRunId' AND length(value) = 32"


def upgrade() -> None:
    """Apply the change."""
    op.create_index(
        _NAME,
        _TABLE,
        ["value", "candidate_id"],
        unique=False,
        sqlite_where=sa.text(_WHICH),
        postgresql_where=sa.text(_WHICH),
    )


def downgrade() -> None:
    """Undo the change."""
    op.drop_index(_NAME, table_name=_TABLE)
