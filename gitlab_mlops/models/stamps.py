"""What CI stamped on candidates: facts of the forge, which no client can send."""

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from gitlab_mlops.models.base import Base, BigId


class JobStamp(Base):
    """The CI job whose token started a candidate, as the forge knew it then.

    `source_project_id` is the project whose code ran, another one for a merge request of a fork.
    `merge_request` is the forge's id of it, empty for a job of a branch. The indexes serve the
    pages of a commit and of a merge request, and what was logged from a branch. `altered_at` is
    when somebody else than a job of the same commit first logged values or files to the
    candidate (milliseconds since 1970): from then on its values are not what CI measured.
    """

    __tablename__ = "mlops_job_stamps"
    __table_args__ = (
        Index("ix_mlops_job_stamps_sha", "project_id", "sha"),
        Index("ix_mlops_job_stamps_merge_request", "project_id", "merge_request"),
        Index("ix_mlops_job_stamps_ref", "project_id", "ref", "candidate_id"),
    )

    candidate_id: Mapped[int] = mapped_column(
        BigId,
        ForeignKey("mlops_candidates.id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    project_id: Mapped[int] = mapped_column(BigInteger)
    source_project_id: Mapped[int] = mapped_column(BigInteger)
    job_id: Mapped[str] = mapped_column(String(100))
    pipeline_id: Mapped[str] = mapped_column(String(100))
    sha: Mapped[str] = mapped_column(String(64))
    ref: Mapped[str] = mapped_column(String(255))
    merge_request: Mapped[str] = mapped_column(String(100))
    url: Mapped[str] = mapped_column(Text)
    altered_at: Mapped[int | None] = mapped_column(BigInteger)
