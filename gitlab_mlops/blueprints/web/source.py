"""Where a candidate comes from, in a cell: what CI stamped, else what its client says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.blueprints.web.badge import BadgeView
from gitlab_mlops.blueprints.web.columns import ColumnName
from gitlab_mlops.models import COMMIT_TAG
from gitlab_mlops.services.stamps import Stamp

BRANCH_TAG = "mlflow.source.git.branch"
JOB_TAG = "gitlab.CI_JOB_ID"
SOURCE = ColumnName("attribute", "source")
SOURCE_TAGS = tuple(ColumnName("tag", key) for key in (COMMIT_TAG, BRANCH_TAG, JOB_TAG))
"""The tags in which the client says it, as columns."""
MAX_TEXT = 40

_HASH = re.compile(r"[0-9a-f]{12,64}\Z")


@dataclass(frozen=True, slots=True)
class Source:
    """The code of a candidate and its CI job; empty texts where nobody says anything.

    `is_stamped`: CI says it, else the client does. `url` is the page of a job that is a fact.
    """

    commit: str
    branch: str
    job: str
    is_stamped: bool = False
    url: str = ""
    badge: BadgeView | None = None


def source_of(
    tags: Sequence[tuple[str, str]], stamp: Stamp | None = None, badge: BadgeView | None = None
) -> Source | None:
    """The source that CI stamped, else the one that these tags claim; None if they claim none."""
    if stamp is not None:
        branch = formats.shortened(stamp.ref, MAX_TEXT)
        return Source(stamp.sha[:8], branch, stamp.job_id, True, stamp.url, badge)
    said = {key: value for key, value in tags if key in (COMMIT_TAG, BRANCH_TAG, JOB_TAG)}
    if not any(value.strip() for value in said.values()):
        return None
    commit = said.get(COMMIT_TAG, "")
    return Source(
        commit[:8] if _HASH.match(commit) else formats.shortened(commit, MAX_TEXT),
        formats.shortened(said.get(BRANCH_TAG, ""), MAX_TEXT),
        formats.shortened(said.get(JOB_TAG, ""), MAX_TEXT),
        badge=badge,
    )
