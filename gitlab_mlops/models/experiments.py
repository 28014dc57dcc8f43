"""Experiments and their tags."""

from sqlalchemy import BigInteger, ForeignKey, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gitlab_mlops.models.base import Base, BigId


class Experiment(Base):
    """Comparable candidates. On the wire `experiment_id` is `iid`; 0 is the project's Default.

    Times are milliseconds since 1970; `deleted_at` is set while the experiment is in the trash.
    """

    __tablename__ = "mlops_experiments"
    __table_args__ = (UniqueConstraint("project_id", "iid"), UniqueConstraint("project_id", "name"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    project_id: Mapped[int] = mapped_column(BigInteger)
    iid: Mapped[int] = mapped_column(Integer)
    name: Mapped[str] = mapped_column(String(500))
    actor_id: Mapped[str | None] = mapped_column(String(255))
    created_at: Mapped[int] = mapped_column(BigInteger)
    updated_at: Mapped[int] = mapped_column(BigInteger)
    deleted_at: Mapped[int | None] = mapped_column(BigInteger)


class ExperimentTag(Base):
    """One tag of an experiment."""

    __tablename__ = "mlops_experiment_tags"

    experiment_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_experiments.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(250), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
