"""What the plugin asks of a forge: frozen values, and a Protocol for each part of the adapter.

`docs/adapters.md` explains each method to somebody who writes an adapter, and
`gitlab_mlops.testing` checks an adapter against these contracts.
"""

from gitlab_mlops.host.bundle import Events, Host
from gitlab_mlops.host.parts import (
    CI,
    Admission,
    Chrome,
    Identity,
    Notifications,
    Permissions,
    Projects,
    References,
    Repository,
)
from gitlab_mlops.host.values import (
    Ability,
    Actor,
    Admitted,
    Credential,
    Job,
    MergeRequest,
    Project,
    Source,
    SourceLink,
)

__all__ = [
    "CI",
    "Ability",
    "Actor",
    "Admission",
    "Admitted",
    "Chrome",
    "Credential",
    "Events",
    "Host",
    "Identity",
    "Job",
    "MergeRequest",
    "Notifications",
    "Permissions",
    "Project",
    "Projects",
    "References",
    "Repository",
    "Source",
    "SourceLink",
]
