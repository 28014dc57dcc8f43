"""Tells webhooks what the plugin announces, and runs the thread that sends it.

What no signal announces, such as tags of registered models, the services of the registry tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from flask import Flask
from sqlalchemy import Engine

from gitlab_mlops import keys
from gitlab_mlops.access import ReadAccess, grant_self
from gitlab_mlops.blueprints import background
from gitlab_mlops.hooks import signals
from gitlab_mlops.hooks.receivers import context_of
from gitlab_mlops.host import Actor, Project
from gitlab_mlops.mount import Mount
from gitlab_mlops.services.webhooks import candidates, registry
from gitlab_mlops.services.webhooks.delivery import Sender
from gitlab_mlops.services.webhooks.transport import Transport
from gitlab_mlops.services.webhooks.worker import Worker

RECEIVERS = "mlops_webhooks"
"""Where an application keeps what listens here, in its `extensions`."""


@dataclass(frozen=True)
class Webhooks:
    """What an application does about webhooks."""

    mount: Mount

    def created(
        self,
        app: Flask,
        *,
        project: Project,
        iid: int,
        actor: Actor | None,
        has_webhooks: bool = True,
        **_more: Any,
    ) -> None:
        """A candidate was started."""
        if not has_webhooks:
            return  # nearly always; the statement that stored the candidate looked
        candidates.created(self._access(project), iid, actor, lambda: self._url(app, project, iid))

    def finished(
        self,
        app: Flask,
        *,
        project: Project,
        iid: int,
        actor: Actor | None,
        has_webhooks: bool = True,
        **_more: Any,
    ) -> None:
        """A candidate has finished, failed or was killed."""
        if not has_webhooks:
            return
        candidates.finished(self._access(project), iid, actor, lambda: self._url(app, project, iid))

    def version_created(
        self, _app: Flask, *, project: Project, name: str, version: int, **_more: Any
    ) -> None:
        """A registered model has a new version."""
        registry.version_created(self._access(project), name, version)

    def alias_moved(
        self, _app: Flask, *, project: Project, name: str, alias: str, new: int | None, **_more: Any
    ) -> None:
        """An alias means another version, or none."""
        registry.alias_moved(self._access(project), name, alias, new)

    def _access(self, project: Project) -> ReadAccess:
        return grant_self(self.mount.host, project)

    def _url(self, app: Flask, project: Project, iid: int) -> str:
        """The page of a candidate, for people elsewhere; a path where nobody knows our name."""
        root = context_of(app, self.mount, project, None, external=True).url_root
        path = f"{self.mount.host.chrome.project_url(project)}/-/ml/candidates/{iid}"
        return urljoin(root, path)


def connect(app: Flask, mount: Mount) -> None:
    """Listen to our own signals, as far as `app` is the sender; raises `ValueError`.

    With `MLOPS_WEBHOOKS_THREAD`, the first request of each process begins its thread.
    """
    transport = Transport.of(mount.settings)

    def engines() -> Sequence[Engine]:
        with app.app_context():
            return mount.host.engines()

    if mount.settings.webhooks_thread:
        worker = Worker(engines, lambda: Sender(transport, keys.secrets_of(app)))
        app.extensions[background.WORKER] = worker
    # Our signals are there as long as the process; they must not keep applications alive.
    app.extensions[RECEIVERS] = heard = Webhooks(mount)
    signals.candidate_created.connect(heard.created, sender=app)
    signals.candidate_finished.connect(heard.finished, sender=app)
    signals.model_version_created.connect(heard.version_created, sender=app)
    signals.model_alias_moved.connect(heard.alias_moved, sender=app)
