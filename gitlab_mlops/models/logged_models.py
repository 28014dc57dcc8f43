"""Models as MLflow 3 logs them, next to the candidate that made them, and what is said of them."""

from __future__ import annotations

from enum import IntEnum

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from gitlab_mlops.models.base import Base, BigId, MetricValue


class LoggedModelStatus(IntEnum):
    """MLflow's LoggedModelStatus, with the numbers of its protocol."""

    UNSPECIFIED = 0
    PENDING = 1
    READY = 2
    FAILED = 3


class LoggedModel(Base):
    """A model with files of its own. On the wire and in paths it is `model_id`, `m-` and 32 hex.

    `source_eid` is the candidate that the client says made it, of this project, or empty;
    `actor_id` and `job_id` are who the forge knows it was. Times are milliseconds since 1970;
    `deleted_at` is set once somebody deleted it: its files stay until its experiment goes.
    """

    __tablename__ = "mlops_logged_models"
    __table_args__ = (
        UniqueConstraint("model_id"),
        Index("ix_mlops_logged_models_created", "experiment_id", "created_at", "model_id"),
        Index("ix_mlops_logged_models_source", "project_id", "source_eid"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    project_id: Mapped[int] = mapped_column(BigInteger)
    experiment_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_experiments.id", ondelete="CASCADE")
    )
    model_id: Mapped[str] = mapped_column(String(34))
    name: Mapped[str] = mapped_column(String(500))
    model_type: Mapped[str] = mapped_column(String(500), default="")
    status: Mapped[int] = mapped_column(SmallInteger)
    source_eid: Mapped[str] = mapped_column(String(32), default="")
    actor_id: Mapped[str | None] = mapped_column(String(255))
    job_id: Mapped[str | None] = mapped_column(String(100))
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)


class LoggedModelParam(Base):
    """One parameter of a logged model; it never changes once it is stored."""

    __tablename__ = "mlops_logged_model_params"

    logged_model_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_logged_models.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class LoggedModelTag(Base):
    """One tag of a logged model."""

    __tablename__ = "mlops_logged_model_tags"

    logged_model_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_logged_models.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class LoggedModelMetric(Base):
    """A point that a candidate measured of a logged model, perhaps on a dataset (else empty).

    It repeats a point of the candidate's own metric. The whole row is the key: the same point sent
    again changes nothing. `key_id` is a `MetricKey`, so that the key stays short enough for an
    index of PostgreSQL whatever the dataset is called.
    """

    __tablename__ = "mlops_logged_model_metrics"
    __table_args__ = (
        Index("ix_mlops_logged_model_metrics_candidate", "candidate_id"),
        {"sqlite_with_rowid": False},
    )

    logged_model_id: Mapped[int] = mapped_column(
        BigId,
        ForeignKey("mlops_logged_models.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    key_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    timestamp: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    step: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    candidate_id: Mapped[int] = mapped_column(
        BigId,
        ForeignKey("mlops_candidates.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    dataset_name: Mapped[str] = mapped_column(String(500), primary_key=True)
    dataset_digest: Mapped[str] = mapped_column(String(36), primary_key=True)
    value: Mapped[float] = mapped_column(MetricValue, primary_key=True)
