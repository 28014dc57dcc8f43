"""MLflow tracking for every project of a forge: mount `MLOps` into its Flask application."""

from gitlab_mlops.extension import MLOps
from gitlab_mlops.host import (
    CI,
    Ability,
    Actor,
    Chrome,
    Credential,
    Events,
    Host,
    Identity,
    Job,
    Notifications,
    Permissions,
    Project,
    Projects,
    References,
    Source,
    SourceLink,
)

__all__ = [
    "CI",
    "Ability",
    "Actor",
    "Chrome",
    "Credential",
    "Events",
    "Host",
    "Identity",
    "Job",
    "MLOps",
    "Notifications",
    "Permissions",
    "Project",
    "Projects",
    "References",
    "Source",
    "SourceLink",
]
