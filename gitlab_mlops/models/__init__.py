"""The tables of the plugin, all named `mlops_*`, in plain SQLAlchemy declarative."""

from gitlab_mlops.models.base import Base
from gitlab_mlops.models.candidates import (
    COMMIT_TAG,
    MAX_INDEXED,
    NAMES_COMMIT,
    NAMES_PARENT,
    PARENT_TAG,
    Candidate,
    CandidateTag,
    Param,
    Status,
)
from gitlab_mlops.models.datasets import Dataset, Input, InputTag, ModelLink
from gitlab_mlops.models.experiments import Experiment, ExperimentTag
from gitlab_mlops.models.logged_models import (
    LoggedModel,
    LoggedModelMetric,
    LoggedModelParam,
    LoggedModelStatus,
    LoggedModelTag,
)
from gitlab_mlops.models.mentions import Mention
from gitlab_mlops.models.metrics import MetricKey, MetricPoint, MetricSeries
from gitlab_mlops.models.projects import ProjectCounters
from gitlab_mlops.models.registry import (
    MARKS_PROMPT,
    PROMPT_TAG,
    AliasMove,
    ModelAlias,
    ModelVersion,
    ModelVersionTag,
    ProtectedAlias,
    RegisteredModel,
    RegisteredModelTag,
)
from gitlab_mlops.models.stamps import JobStamp
from gitlab_mlops.models.webhooks import IS_WAITING, Webhook, WebhookDelivery

__all__ = [
    "COMMIT_TAG",
    "IS_WAITING",
    "MARKS_PROMPT",
    "MAX_INDEXED",
    "NAMES_COMMIT",
    "NAMES_PARENT",
    "PARENT_TAG",
    "PROMPT_TAG",
    "AliasMove",
    "Base",
    "Candidate",
    "CandidateTag",
    "Dataset",
    "Experiment",
    "ExperimentTag",
    "Input",
    "InputTag",
    "JobStamp",
    "LoggedModel",
    "LoggedModelMetric",
    "LoggedModelParam",
    "LoggedModelStatus",
    "LoggedModelTag",
    "Mention",
    "MetricKey",
    "MetricPoint",
    "MetricSeries",
    "ModelAlias",
    "ModelLink",
    "ModelVersion",
    "ModelVersionTag",
    "Param",
    "ProjectCounters",
    "ProtectedAlias",
    "RegisteredModel",
    "RegisteredModelTag",
    "Status",
    "Webhook",
    "WebhookDelivery",
]
