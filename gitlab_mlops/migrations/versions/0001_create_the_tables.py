"""Create the tables.

Revision: 0001, after nothing, of 2026-11-23
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "mlops_experiments",
        sa.Column("id", BigId, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("iid", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("actor_id", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mlops_experiments")),
        sa.UniqueConstraint("project_id", "iid", name=op.f("uq_mlops_experiments_project_id_iid")),
        sa.UniqueConstraint(
            "project_id", "name", name=op.f("uq_mlops_experiments_project_id_name")
        ),
    )
    op.create_table(
        "mlops_metric_keys",
        sa.Column("id", BigId, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mlops_metric_keys")),
        sa.UniqueConstraint("project_id", "key", name=op.f("uq_mlops_metric_keys_project_id_key")),
    )
    op.create_table(
        "mlops_metric_points",
        sa.Column("series_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("timestamp", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint(
            "series_id", "timestamp", "step", "value", name=op.f("pk_mlops_metric_points")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "mlops_projects",
        sa.Column("project_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.Column("experiments", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_mlops_projects")),
    )
    op.create_table(
        "mlops_candidates",
        sa.Column("id", BigId, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("experiment_id", BigId, nullable=False),
        sa.Column("iid", sa.Integer(), nullable=False),
        sa.Column("eid", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.String(length=255), nullable=True),
        sa.Column("start_time", sa.BigInteger(), nullable=True),
        sa.Column("end_time", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["mlops_experiments.id"],
            name=op.f("fk_mlops_candidates_experiment_id_mlops_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mlops_candidates")),
        sa.UniqueConstraint("eid", name=op.f("uq_mlops_candidates_eid")),
        sa.UniqueConstraint("project_id", "iid", name=op.f("uq_mlops_candidates_project_id_iid")),
    )
    op.create_index(
        "ix_mlops_candidates_experiment_start",
        "mlops_candidates",
        ["experiment_id", "start_time", "eid"],
        unique=False,
    )

    op.create_table(
        "mlops_datasets",
        sa.Column("id", BigId, nullable=False),
        sa.Column("experiment_id", BigId, nullable=False),
        sa.Column("name", sa.String(length=500), nullable=False),
        sa.Column("digest", sa.String(length=36), nullable=False),
        sa.Column("source_type", sa.String(length=36), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("schema", sa.Text(), nullable=True),
        sa.Column("profile", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["mlops_experiments.id"],
            name=op.f("fk_mlops_datasets_experiment_id_mlops_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mlops_datasets")),
        sa.UniqueConstraint(
            "experiment_id",
            "name",
            "digest",
            name=op.f("uq_mlops_datasets_experiment_id_name_digest"),
        ),
    )
    op.create_table(
        "mlops_experiment_tags",
        sa.Column("experiment_id", BigId, nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["mlops_experiments.id"],
            name=op.f("fk_mlops_experiment_tags_experiment_id_mlops_experiments"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("experiment_id", "key", name=op.f("pk_mlops_experiment_tags")),
    )
    op.create_table(
        "mlops_candidate_tags",
        sa.Column("candidate_id", BigId, nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["mlops_candidates.id"],
            name=op.f("fk_mlops_candidate_tags_candidate_id_mlops_candidates"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("candidate_id", "key", name=op.f("pk_mlops_candidate_tags")),
    )
    op.create_table(
        "mlops_inputs",
        sa.Column("candidate_id", BigId, nullable=False),
        sa.Column("dataset_id", BigId, nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["mlops_candidates.id"],
            name=op.f("fk_mlops_inputs_candidate_id_mlops_candidates"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["dataset_id"],
            ["mlops_datasets.id"],
            name=op.f("fk_mlops_inputs_dataset_id_mlops_datasets"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("candidate_id", "dataset_id", name=op.f("pk_mlops_inputs")),
    )
    op.create_index(
        op.f("ix_mlops_inputs_dataset_id"), "mlops_inputs", ["dataset_id"], unique=False
    )

    op.create_table(
        "mlops_mentions",
        sa.Column("id", BigId, nullable=False),
        sa.Column("candidate_id", BigId, nullable=False),
        sa.Column("source_project_id", sa.BigInteger(), nullable=False),
        sa.Column("source_kind", sa.String(length=50), nullable=False),
        sa.Column("source_id", sa.String(length=100), nullable=False),
        sa.Column("actor_id", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["mlops_candidates.id"],
            name=op.f("fk_mlops_mentions_candidate_id_mlops_candidates"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mlops_mentions")),
        sa.UniqueConstraint(
            "candidate_id",
            "source_project_id",
            "source_kind",
            "source_id",
            name="uq_mlops_mentions_candidate_source",
        ),
    )
    op.create_index(
        "ix_mlops_mentions_source",
        "mlops_mentions",
        ["source_project_id", "source_kind", "source_id"],
        unique=False,
    )

    op.create_table(
        "mlops_metric_series",
        sa.Column("id", BigId, nullable=False),
        sa.Column("candidate_id", BigId, nullable=False),
        sa.Column("experiment_id", sa.BigInteger(), nullable=False),
        sa.Column("key_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["mlops_candidates.id"],
            name=op.f("fk_mlops_metric_series_candidate_id_mlops_candidates"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mlops_metric_series")),
        sa.UniqueConstraint(
            "candidate_id", "key_id", name=op.f("uq_mlops_metric_series_candidate_id_key_id")
        ),
    )
    op.create_index(
        "ix_mlops_metric_series_value",
        "mlops_metric_series",
        ["experiment_id", "key_id", "value", "candidate_id"],
        unique=False,
    )

    op.create_table(
        "mlops_model_links",
        sa.Column("candidate_id", BigId, nullable=False),
        sa.Column("direction", sa.String(length=6), nullable=False),
        sa.Column("model_id", sa.String(length=50), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["mlops_candidates.id"],
            name=op.f("fk_mlops_model_links_candidate_id_mlops_candidates"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "candidate_id", "direction", "model_id", name=op.f("pk_mlops_model_links")
        ),
    )
    op.create_table(
        "mlops_params",
        sa.Column("candidate_id", BigId, nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"],
            ["mlops_candidates.id"],
            name=op.f("fk_mlops_params_candidate_id_mlops_candidates"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("candidate_id", "key", name=op.f("pk_mlops_params")),
    )
    op.create_table(
        "mlops_input_tags",
        sa.Column("candidate_id", BigId, autoincrement=False, nullable=False),
        sa.Column("dataset_id", BigId, autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("value", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id", "dataset_id"],
            ["mlops_inputs.candidate_id", "mlops_inputs.dataset_id"],
            name=op.f("fk_mlops_input_tags_candidate_id_mlops_inputs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "candidate_id", "dataset_id", "key", name=op.f("pk_mlops_input_tags")
        ),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("mlops_input_tags")
    op.drop_table("mlops_params")
    op.drop_table("mlops_model_links")
    op.drop_index("ix_mlops_metric_series_value", table_name="mlops_metric_series")

    op.drop_table("mlops_metric_series")
    op.drop_index("ix_mlops_mentions_source", table_name="mlops_mentions")

    op.drop_table("mlops_mentions")
    op.drop_index(op.f("ix_mlops_inputs_dataset_id"), table_name="mlops_inputs")

    op.drop_table("mlops_inputs")
    op.drop_table("mlops_candidate_tags")
    op.drop_table("mlops_experiment_tags")
    op.drop_table("mlops_datasets")
    op.drop_index("ix_mlops_candidates_experiment_start", table_name="mlops_candidates")

    op.drop_table("mlops_candidates")
    op.drop_table("mlops_projects")
    op.drop_table("mlops_metric_points")
    op.drop_table("mlops_metric_keys")
    op.drop_table("mlops_experiments")
