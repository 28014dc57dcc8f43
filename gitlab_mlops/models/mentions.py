"""Where candidates are mentioned."""

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gitlab_mlops.models.base import Base, BigId


class Mention(Base):
    """A merge request or issue of the host mentions a candidate; once per source."""

    __tablename__ = "mlops_mentions"
    __table_args__ = (
        # By the convention its name would be longer than PostgreSQL's 63 characters.
        UniqueConstraint(
            "candidate_id",
            "source_project_id",
            "source_kind",
            "source_id",
            name="uq_mlops_mentions_candidate_source",
        ),
        Index("ix_mlops_mentions_source", "source_project_id", "source_kind", "source_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("mlops_candidates.id", ondelete="CASCADE"))
    source_project_id: Mapped[int] = mapped_column(BigInteger)
    source_kind: Mapped[str] = mapped_column(String(50))
    source_id: Mapped[str] = mapped_column(String(100))
    actor_id: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[int] = mapped_column(BigInteger)
