"""Find candidates by their parameters.

Revision: 0009, after 0008, of 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_PARAMS, _OLD = "mlops_params", "mlops_params_of_0008"
_PRIMARY_KEY, _FOREIGN_KEY = "pk_mlops_params", "fk_mlops_params_candidate_id_mlops_candidates"
_BY_VALUE = "ix_mlops_params_value"
_WHICH = "length(value) <= 100"


def upgrade() -> None:
    """Apply the change, by a new table: to change every row of the old one takes far longer."""
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    if is_postgresql:
        # In the order in which requests lock them: the other one would deadlock with a forge that
        # serves meanwhile.
        op.execute("LOCK TABLE mlops_candidates, mlops_params IN ACCESS EXCLUSIVE MODE")
    op.rename_table(_PARAMS, _OLD)
    if is_postgresql:
        op.drop_constraint(_PRIMARY_KEY, _OLD)
        op.drop_constraint(_FOREIGN_KEY, _OLD)
    _create_table(with_keys=not is_postgresql)
    op.execute(
        "INSERT INTO mlops_params (candidate_id, key, value, experiment_id)"
        " SELECT candidate_id, key, value, experiment_id"
        " FROM mlops_params_of_0008 JOIN mlops_candidates ON id = candidate_id"
        " ORDER BY candidate_id, key"
    )
    op.drop_table(_OLD)
    if is_postgresql:
        # Afterwards, since it would look up each row's candidate on its own.
        op.create_primary_key(_PRIMARY_KEY, _PARAMS, ["candidate_id", "key"])
        op.create_foreign_key(
            _FOREIGN_KEY, _PARAMS, "mlops_candidates", ["candidate_id"], ["id"], ondelete="CASCADE"
        )
    op.create_index(
        _BY_VALUE,
        _PARAMS,
        ["experiment_id", "key", "value", "candidate_id"],
        unique=False,
        sqlite_where=sa.text(_WHICH),
        postgresql_where=sa.text(_WHICH),
        postgresql_ops={"value": "text_pattern_ops"},
    )
    if is_postgresql:
        op.execute("ANALYZE mlops_params")  # what it knew, it knew of the old table


def _create_table(*, with_keys: bool) -> None:
    keys = [
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["mlops_candidates.id"], name=_FOREIGN_KEY, ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("candidate_id", "key", name=_PRIMARY_KEY),
    ]
    big_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        _PARAMS,
        sa.Column("candidate_id", big_id, nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        *(keys if with_keys else []),
    )


def downgrade() -> None:
    """Undo the change."""
    op.drop_index(_BY_VALUE, table_name=_PARAMS)
    with op.batch_alter_table(_PARAMS) as table:
        table.drop_column("experiment_id")
