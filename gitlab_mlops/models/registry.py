"""MLflow's model registry: models by name, their numbered versions, and aliases that move."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from gitlab_mlops.models.base import Base, BigId


class RegisteredModel(Base):
    """A model as users name it; the name is unique in its project, and may change.

    `last_version` is the number given out last: numbers of deleted versions do not come back.
    `description` is Markdown, the model's card. Times are milliseconds since 1970.
    """

    __tablename__ = "mlops_registered_models"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    project_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(256))
    description: Mapped[str] = mapped_column(Text, default="")
    last_version: Mapped[int] = mapped_column(Integer, default=0)
    actor_id: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)


class RegisteredModelTag(Base):
    """One tag of a registered model."""

    __tablename__ = "mlops_registered_model_tags"

    model_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_registered_models.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(250), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class ModelVersion(Base):
    """A version of a registered model, by its number.

    `source` is what the client said, and `place` what the server made of it when the version was
    made: an address below `mlflow-artifacts:/` in this project, None for a prompt, which has no
    files. `candidate_id` and `logged_model_id` are what the files belong to; the foreign keys
    cascade nothing, because neither may be deleted for ever below a version. `actor_id` and
    `job_id` are who the forge knows made it. `description` is None after an update without one.
    """

    __tablename__ = "mlops_model_versions"
    __table_args__ = (
        UniqueConstraint("model_id", "version"),
        Index("ix_mlops_model_versions_updated", "project_id", "updated_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    project_id: Mapped[int] = mapped_column(BigInteger)
    model_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_registered_models.id", ondelete="CASCADE")
    )
    version: Mapped[int] = mapped_column(Integer)
    description: Mapped[str | None] = mapped_column(Text)
    stage: Mapped[str] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(32))
    status_message: Mapped[str] = mapped_column(Text, default="")
    source: Mapped[str] = mapped_column(Text)
    place: Mapped[str | None] = mapped_column(Text)
    run_link: Mapped[str] = mapped_column(Text, default="")
    candidate_id: Mapped[int | None] = mapped_column(ForeignKey("mlops_candidates.id"), index=True)
    logged_model_id: Mapped[int | None] = mapped_column(
        ForeignKey("mlops_logged_models.id"), index=True
    )
    actor_id: Mapped[str | None] = mapped_column(String(255))
    job_id: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)


PROMPT_TAG = "mlflow.prompt.is_prompt"
"""The tag by which MLflow tells prompts, which it keeps in the registry, from models."""
# Literal, because a partial index serves only who repeats its condition word by word.
MARKS_PROMPT = text(f"key = '{PROMPT_TAG}'")


class ModelVersionTag(Base):
    """One tag of a version. The index finds the prompts, which a search for models leaves out."""

    __tablename__ = "mlops_model_version_tags"
    __table_args__ = (
        Index(
            "ix_mlops_model_version_tags_prompt",
            "version_id",
            sqlite_where=MARKS_PROMPT,
            postgresql_where=MARKS_PROMPT,
        ),
    )

    version_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_model_versions.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(250), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class ModelAlias(Base):
    """A name such as `champion` for one version of a model."""

    __tablename__ = "mlops_model_aliases"

    model_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_registered_models.id", ondelete="CASCADE"), primary_key=True
    )
    alias: Mapped[str] = mapped_column(String(255), primary_key=True)
    version_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_model_versions.id", ondelete="CASCADE"), index=True
    )


class ProtectedAlias(Base):
    """An alias, set or not yet, that only maintainers may set, move and delete."""

    __tablename__ = "mlops_protected_aliases"

    model_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_registered_models.id", ondelete="CASCADE"), primary_key=True
    )
    alias: Mapped[str] = mapped_column(String(255), primary_key=True)
    actor_id: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[int] = mapped_column(BigInteger)


class AliasMove(Base):
    """Somebody moved an alias, or moved a version to another stage.

    Of an alias: from the version `version_before` (None: it was new) to `version_after` (None: it
    was deleted). Of a version, with `alias` None: from `stage_before` to `stage_after`, and both
    numbers are the version's.
    """

    __tablename__ = "mlops_alias_moves"
    __table_args__ = (Index("ix_mlops_alias_moves_model", "model_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    model_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_registered_models.id", ondelete="CASCADE")
    )
    alias: Mapped[str | None] = mapped_column(String(255))
    version_before: Mapped[int | None] = mapped_column(Integer)
    version_after: Mapped[int | None] = mapped_column(Integer)
    stage_before: Mapped[str | None] = mapped_column(String(20))
    stage_after: Mapped[str | None] = mapped_column(String(20))
    actor_id: Mapped[str | None] = mapped_column(String(255))
    moved_at: Mapped[int] = mapped_column(BigInteger)
