"""The tables of the plugin, all named `mlops_*`, in plain SQLAlchemy declarative."""

from gitlab_mlops.models.base import Base
from gitlab_mlops.models.candidates import (
    NAMES_PARENT,
    PARENT_TAG,
    Candidate,
    CandidateTag,
    Param,
    Status,
)
from gitlab_mlops.models.datasets import Dataset, Input, InputTag, ModelLink
from gitlab_mlops.models.experiments import Experiment, ExperimentTag
from gitlab_mlops.models.mentions import Mention
from gitlab_mlops.models.metrics import MetricKey, MetricPoint, MetricSeries
from gitlab_mlops.models.projects import ProjectCounters
from gitlab_mlops.models.stamps import JobStamp

__all__ = [
    "NAMES_PARENT",
    "PARENT_TAG",
    "Base",
    "Candidate",
    "CandidateTag",
    "Dataset",
    "Experiment",
    "ExperimentTag",
    "Input",
    "InputTag",
    "JobStamp",
    "Mention",
    "MetricKey",
    "MetricPoint",
    "MetricSeries",
    "ModelLink",
    "Param",
    "ProjectCounters",
    "Status",
]
