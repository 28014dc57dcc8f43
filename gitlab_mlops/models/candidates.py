"""Candidates (MLflow calls them runs), their parameters and tags."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from gitlab_mlops.models.base import Base, BigId


class Status(IntEnum):
    """MLflow's RunStatus, with the numbers of its protocol."""

    RUNNING = 1
    SCHEDULED = 2
    FINISHED = 3
    FAILED = 4
    KILLED = 5


def _only(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Candidate(Base):
    """One try. On the wire `run_id` is `eid` (32 hex digits); pages count by `iid` per project.

    `user_id` is what the client claims, `actor_id` who the forge knows it was. Times are
    milliseconds since 1970; `deleted_at` is set while the candidate is in the trash.
    `stamped_sha` repeats the commit of the `JobStamp`, None without one: whoever logs reads this
    row anyway, and learns from it whether there is a stamp to keep true. The partial indexes count
    an experiment's candidates, and tell when the newest was made, without reading any; that of the
    trash also has its order.
    """

    __tablename__ = "mlops_candidates"
    __table_args__ = (
        UniqueConstraint("eid"),
        UniqueConstraint("project_id", "iid"),
        Index("ix_mlops_candidates_experiment_start", "experiment_id", "start_time", "eid"),
        Index(
            "ix_mlops_candidates_active",
            *("project_id", "experiment_id", "created_at"),
            **_only("deleted_at IS NULL"),
        ),
        Index(
            "ix_mlops_candidates_trashed",
            *("project_id", "experiment_id", "start_time", "eid", "created_at"),
            **_only("deleted_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    project_id: Mapped[int] = mapped_column(BigInteger)
    experiment_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_experiments.id", ondelete="CASCADE")
    )
    iid: Mapped[int] = mapped_column(Integer)
    eid: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(Text)
    status: Mapped[int] = mapped_column(SmallInteger)
    user_id: Mapped[str] = mapped_column(Text, default="")
    actor_id: Mapped[str | None] = mapped_column(String(255))
    start_time: Mapped[int | None] = mapped_column(BigInteger)
    end_time: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[int] = mapped_column(BigInteger)
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)
    stamped_sha: Mapped[str | None] = mapped_column(String(64))


MAX_INDEXED = 100
"""Characters of a parameter's value that can be searched by an index."""
IS_INDEXED = text(f"length(value) <= {MAX_INDEXED}")


class Param(Base):
    """One parameter; it never changes once it is stored.

    `experiment_id` repeats the candidate's, which never changes either, for the index: it serves
    the search for a value, if that is not too long for an index of PostgreSQL. There it compares
    bytes, which is all that equality needs.
    """

    __tablename__ = "mlops_params"
    __table_args__ = (
        Index(
            "ix_mlops_params_value",
            "experiment_id",
            "key",
            "value",
            "candidate_id",
            sqlite_where=IS_INDEXED,
            postgresql_where=IS_INDEXED,
            postgresql_ops={"value": "text_pattern_ops"},
        ),
    )

    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_candidates.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(250), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    experiment_id: Mapped[int] = mapped_column(BigInteger)


PARENT_TAG = "mlflow.parentRunId"
"""The tag in which MLflow's client names the `eid` of the parent of a nested run."""
# Literal, because a partial index serves only who repeats its condition word by word. The length
# keeps out what is no eid, and may be too long for an index of PostgreSQL.
NAMES_PARENT = text(f"key = '{PARENT_TAG}' AND length(value) = 32")
COMMIT_TAG = "mlflow.source.git.commit"
"""The tag in which MLflow's client names the commit of the code: a claim, which nobody checked."""
NAMES_COMMIT = text(f"key = '{COMMIT_TAG}' AND length(value) = 40")


class CandidateTag(Base):
    """One tag of a candidate.

    The indexes lead from a parent to its children, and from a commit to who claims it.
    """

    __tablename__ = "mlops_candidate_tags"
    __table_args__ = (
        Index(
            "ix_mlops_candidate_tags_parent",
            "value",
            "candidate_id",
            sqlite_where=NAMES_PARENT,
            postgresql_where=NAMES_PARENT,
        ),
        Index(
            "ix_mlops_candidate_tags_commit",
            "value",
            "candidate_id",
            sqlite_where=NAMES_COMMIT,
            postgresql_where=NAMES_COMMIT,
        ),
    )

    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_candidates.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(250), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
