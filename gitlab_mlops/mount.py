"""What one Flask application got mounted: everything the edges need, in `app.extensions`."""

from __future__ import annotations

from dataclasses import dataclass

from gitlab_mlops.host import Host
from gitlab_mlops.settings import Settings
from gitlab_mlops.storage import Storage


@dataclass(frozen=True, slots=True)
class Mount:
    """One application's plugin. State lives here and never on `MLOps`, so two apps can coexist."""

    host: Host
    settings: Settings
    storage: Storage
