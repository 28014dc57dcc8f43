"""The thread of a process that sends messages of webhooks, begun by the first request to us."""

from __future__ import annotations

from flask import current_app

from gitlab_mlops.services.webhooks.worker import Worker

WORKER = "mlops_webhooks_worker"
"""Where an application keeps its thread, in its `extensions`."""


def start_thread() -> None:
    """Begin the thread, if this application has one and it is not running in this process."""
    worker: Worker | None = current_app.extensions.get(WORKER)
    if worker is not None:
        worker.start()
