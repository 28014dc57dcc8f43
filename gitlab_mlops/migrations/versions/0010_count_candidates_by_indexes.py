"""Count candidates by indexes.

Revision: 0010, after 0009, of 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TABLE = "mlops_candidates"
_INDEXES = {
    "ix_mlops_candidates_active": (["created_at"], "deleted_at IS NULL"),
    "ix_mlops_candidates_trashed": (["start_time", "eid", "created_at"], "deleted_at IS NOT NULL"),
}


def upgrade() -> None:
    """Apply the change. An index that the operator made before, while people worked, is kept."""
    for name, (columns, condition) in _INDEXES.items():
        which = sa.text(condition)
        op.create_index(
            name,
            _TABLE,
            ["project_id", "experiment_id", *columns],
            unique=False,
            if_not_exists=True,
            sqlite_where=which,
            postgresql_where=which,
        )


def downgrade() -> None:
    """Undo the change."""
    for name in _INDEXES:
        op.drop_index(name, table_name=_TABLE)
