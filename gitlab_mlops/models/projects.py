"""What the plugin keeps per project of the host: the counters that number its things."""

from sqlalchemy import BigInteger, Integer
from sqlalchemy.orm import Mapped, mapped_column

from gitlab_mlops.models.base import Base


class ProjectCounters(Base):
    """The last `iid` given out per kind. The row's lock makes the numbers gapless."""

    __tablename__ = "mlops_projects"

    project_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    candidates: Mapped[int] = mapped_column(Integer, default=0)
    experiments: Mapped[int] = mapped_column(Integer, default=0)
