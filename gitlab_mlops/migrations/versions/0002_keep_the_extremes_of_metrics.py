"""Keep the extremes of metrics.

Revision: 0002, after 0001, of 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLE = "mlops_metric_series"


def upgrade() -> None:
    """Apply the change, and find the extremes of what was logged before."""
    # Without a default, adding a column rewrites no table.
    op.add_column(_TABLE, sa.Column("lowest", sa.Double(), nullable=True))
    op.add_column(_TABLE, sa.Column("highest", sa.Double(), nullable=True))
    # NaN is more than every number, as PostgreSQL's own and as SQLite's text.
    op.execute(
        "UPDATE mlops_metric_series SET"
        " lowest = (SELECT min(value) FROM mlops_metric_points"
        "  WHERE series_id = mlops_metric_series.id AND value < 'NaN'),"
        " highest = (SELECT max(value) FROM mlops_metric_points"
        "  WHERE series_id = mlops_metric_series.id AND value < 'NaN')"
    )


def downgrade() -> None:
    """Undo the change."""
    with op.batch_alter_table(_TABLE) as table:
        table.drop_column("highest")
        table.drop_column("lowest")
