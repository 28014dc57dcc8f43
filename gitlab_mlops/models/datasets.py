"""What a candidate used and made: datasets with their tags, and links to logged models."""

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    ForeignKeyConstraint,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from gitlab_mlops.models.base import Base, BigId


class Dataset(Base):
    """A dataset as a client described it; the same name and digest is the same dataset."""

    __tablename__ = "mlops_datasets"
    __table_args__ = (UniqueConstraint("experiment_id", "name", "digest"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    experiment_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_experiments.id", ondelete="CASCADE")
    )
    name: Mapped[str] = mapped_column(String(500))
    digest: Mapped[str] = mapped_column(String(36))
    source_type: Mapped[str] = mapped_column(String(36))
    source: Mapped[str] = mapped_column(Text)
    schema: Mapped[str | None] = mapped_column(Text)
    profile: Mapped[str | None] = mapped_column(Text)


class Input(Base):
    """A candidate used a dataset."""

    __tablename__ = "mlops_inputs"

    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_candidates.id", ondelete="CASCADE"), primary_key=True
    )
    dataset_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_datasets.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class InputTag(Base):
    """A tag on the use of a dataset, such as `mlflow.data.context`: training."""

    __tablename__ = "mlops_input_tags"
    __table_args__ = (
        ForeignKeyConstraint(
            ["candidate_id", "dataset_id"],
            ["mlops_inputs.candidate_id", "mlops_inputs.dataset_id"],
            ondelete="CASCADE",
        ),
    )

    candidate_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    dataset_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    value: Mapped[str] = mapped_column(String(500))


class ModelLink(Base):
    """A candidate used (`input`) or made (`output`) a logged model, at a step."""

    __tablename__ = "mlops_model_links"

    candidate_id: Mapped[int] = mapped_column(
        ForeignKey("mlops_candidates.id", ondelete="CASCADE"), primary_key=True
    )
    direction: Mapped[str] = mapped_column(String(6), primary_key=True)
    model_id: Mapped[str] = mapped_column(String(50), primary_key=True)
    step: Mapped[int] = mapped_column(BigInteger, default=0)
