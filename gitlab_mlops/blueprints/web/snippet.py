"""What it takes to log the first candidate, for a page that has none yet."""

from __future__ import annotations

import json

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web.frames import may
from gitlab_mlops.blueprints.web.links import tracking_uri


def first_steps(access: ReadAccess, experiment_name: str) -> dict[str, object]:
    """What `mlops/snippet.html` tells: how to log to an experiment of this name."""
    mount = mounted()
    return {
        # JSON's way to write a text is also Python's.
        "experiment": json.dumps(experiment_name, ensure_ascii=False),
        "signed_in": access.actor is not None,
        "tracking_uri": tracking_uri(mount.settings.api_prefix, access.project),
        "tokens_url": mount.host.chrome.tokens_url(),
        "scopes": mount.settings.write_scopes,
        "may_write": may(access, WriteAccess),
    }
