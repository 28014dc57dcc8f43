"""Keep registered models.

Revision: 0007, after 0006, of 2026-11-25
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

BigId = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MODELS, _VERSIONS, _MOVES = (
    "mlops_registered_models",
    "mlops_model_versions",
    "mlops_alias_moves",
)
_MODEL_TAGS, _VERSION_TAGS = "mlops_registered_model_tags", "mlops_model_version_tags"
_ALIASES, _PROTECTED = "mlops_model_aliases", "mlops_protected_aliases"


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        _MODELS,
        sa.Column("id", BigId, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=256), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("last_version", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{_MODELS}")),
        sa.UniqueConstraint("project_id", "name", name=op.f(f"uq_{_MODELS}_project_id_name")),
    )
    _create_versions()
    _create_tags(_MODEL_TAGS, "model_id", _MODELS)
    _create_tags(_VERSION_TAGS, "version_id", _VERSIONS)
    prompts = sa.text("key = 'mlflow.prompt.is_prompt'")
    op.create_index(
        "ix_mlops_model_version_tags_prompt",
        _VERSION_TAGS,
        ["version_id"],
        sqlite_where=prompts,
        postgresql_where=prompts,
    )
    _create_aliases()
    _create_moves()


def _create_versions() -> None:
    op.create_table(
        _VERSIONS,
        sa.Column("id", BigId, nullable=False),
        sa.Column("project_id", sa.BigInteger(), nullable=False),
        sa.Column("model_id", BigId, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("status_message", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("run_link", sa.Text(), nullable=False),
        sa.Column("candidate_id", BigId, nullable=True),
        sa.Column("logged_model_id", BigId, nullable=True),
        sa.Column("actor_id", sa.String(length=255), nullable=True),
        sa.Column("job_id", sa.String(length=100), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        _belongs_to(_VERSIONS, "model_id", _MODELS, ondelete="CASCADE"),
        # Neither may go while it is a version of a model.
        _belongs_to(_VERSIONS, "candidate_id", "mlops_candidates"),
        _belongs_to(_VERSIONS, "logged_model_id", "mlops_logged_models"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{_VERSIONS}")),
        sa.UniqueConstraint("model_id", "version", name=op.f(f"uq_{_VERSIONS}_model_id_version")),
    )
    op.create_index("ix_mlops_model_versions_updated", _VERSIONS, ["project_id", "updated_at"])
    for column in ("candidate_id", "logged_model_id"):
        op.create_index(op.f(f"ix_{_VERSIONS}_{column}"), _VERSIONS, [column])


def _create_tags(table: str, owner: str, of: str) -> None:
    op.create_table(
        table,
        sa.Column(owner, BigId, nullable=False),
        sa.Column("key", sa.String(length=250), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        _belongs_to(table, owner, of, ondelete="CASCADE"),
        sa.PrimaryKeyConstraint(owner, "key", name=op.f(f"pk_{table}")),
    )


def _create_aliases() -> None:
    op.create_table(
        _ALIASES,
        sa.Column("model_id", BigId, nullable=False),
        sa.Column("alias", sa.String(length=255), nullable=False),
        sa.Column("version_id", BigId, nullable=False),
        _belongs_to(_ALIASES, "model_id", _MODELS, ondelete="CASCADE"),
        _belongs_to(_ALIASES, "version_id", _VERSIONS, ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("model_id", "alias", name=op.f(f"pk_{_ALIASES}")),
    )
    op.create_index(op.f(f"ix_{_ALIASES}_version_id"), _ALIASES, ["version_id"])
    op.create_table(
        _PROTECTED,
        sa.Column("model_id", BigId, nullable=False),
        sa.Column("alias", sa.String(length=255), nullable=False),
        sa.Column("actor_id", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        _belongs_to(_PROTECTED, "model_id", _MODELS, ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("model_id", "alias", name=op.f(f"pk_{_PROTECTED}")),
    )


def _create_moves() -> None:
    op.create_table(
        _MOVES,
        sa.Column("id", BigId, nullable=False),
        sa.Column("model_id", BigId, nullable=False),
        sa.Column("alias", sa.String(length=255), nullable=True),
        sa.Column("version_before", sa.Integer(), nullable=True),
        sa.Column("version_after", sa.Integer(), nullable=True),
        sa.Column("stage_before", sa.String(length=20), nullable=True),
        sa.Column("stage_after", sa.String(length=20), nullable=True),
        sa.Column("actor_id", sa.String(length=255), nullable=True),
        sa.Column("moved_at", sa.BigInteger(), nullable=False),
        _belongs_to(_MOVES, "model_id", _MODELS, ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{_MOVES}")),
    )
    op.create_index("ix_mlops_alias_moves_model", _MOVES, ["model_id", "id"])


def _belongs_to(
    table: str, column: str, other: str, *, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=name, ondelete=ondelete)


def downgrade() -> None:
    """Undo the change."""
    for table in (_MOVES, _PROTECTED, _ALIASES, _VERSION_TAGS, _MODEL_TAGS, _VERSIONS, _MODELS):
        op.drop_table(table)
