"""What the API and the pages of webhooks share: keys, networks, and sending a message at once."""

from __future__ import annotations

from flask import current_app

from gitlab_mlops import keys
from gitlab_mlops.access import MaintainAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.services.webhooks import log
from gitlab_mlops.services.webhooks.delivery import Sender
from gitlab_mlops.services.webhooks.hooks import Keeping, WebhookRecord
from gitlab_mlops.services.webhooks.transport import Answer, Transport


def keeping() -> Keeping:
    """What the forge brings to keep webhooks."""
    return Keeping(keys.secrets_of(current_app), Transport.of(mounted().settings).networks)


def try_out(access: MaintainAccess, webhook: WebhookRecord, event: str) -> tuple[Answer, int]:
    """Send an example to a webhook and write that down; the answer, and the line of the log.

    Ends the transaction: nobody else waits while the receiver thinks.
    """
    trial = log.prepare_trial(access, webhook, event)
    access.session.commit()
    sender = Sender(Transport.of(mounted().settings), keys.secrets_of(current_app))
    answer = trial.send(sender)
    return answer, log.store_trial(access, trial, answer)
