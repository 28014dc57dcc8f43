"""Metrics: names as integers, one series per candidate and name, and the series' points."""

from sqlalchemy import BigInteger, Double, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from gitlab_mlops.models.base import Base, BigId, MetricValue


class MetricKey(Base):
    """A metric's name, once per project, so that series stay narrow."""

    __tablename__ = "mlops_metric_keys"
    __table_args__ = (UniqueConstraint("project_id", "key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    project_id: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(String(250))


class MetricSeries(Base):
    """A metric of a candidate with its latest point: the largest (step, timestamp, value).

    `lowest` and `highest` are the extremes of its history, infinities too; None while it has
    nothing but NaN. They are kept as points come, since a history may have millions.

    The index by value serves sorting and filtering an experiment's candidates by a metric. Names
    are deleted with their project only, after its series, so `key_id` needs no foreign key, which
    would need another index.
    """

    __tablename__ = "mlops_metric_series"
    __table_args__ = (
        UniqueConstraint("candidate_id", "key_id"),
        Index("ix_mlops_metric_series_value", "experiment_id", "key_id", "value", "candidate_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("mlops_candidates.id", ondelete="CASCADE"))
    experiment_id: Mapped[int] = mapped_column(BigInteger)
    key_id: Mapped[int] = mapped_column(BigInteger)
    step: Mapped[int] = mapped_column(BigInteger)
    timestamp: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[float] = mapped_column(MetricValue)
    lowest: Mapped[float | None] = mapped_column(Double)
    highest: Mapped[float | None] = mapped_column(Double)


class MetricPoint(Base):
    """One point: `step` and `timestamp` (milliseconds) are any int64, `value` any float.

    The whole row is the key, as in MLflow: the same point sent again changes nothing. Its order
    is that of MLflow's get-history, so a page of a long history is a range of the index. There is
    no foreign key to the series, because PostgreSQL would look the series up once more for each
    point; whoever deletes series deletes their points (`services/purge.py`).
    """

    __tablename__ = "mlops_metric_points"
    __table_args__ = {"sqlite_with_rowid": False}

    series_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    timestamp: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    step: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    value: Mapped[float] = mapped_column(MetricValue, primary_key=True)
