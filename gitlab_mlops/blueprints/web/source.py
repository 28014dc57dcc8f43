"""Where a candidate comes from, as its client says: nobody has checked it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gitlab_mlops.blueprints.web import formats
from gitlab_mlops.blueprints.web.columns import ColumnName

COMMIT_TAG = "mlflow.source.git.commit"
BRANCH_TAG = "mlflow.source.git.branch"
JOB_TAG = "gitlab.CI_JOB_ID"
SOURCE_TAGS = tuple(ColumnName("tag", key) for key in (COMMIT_TAG, BRANCH_TAG, JOB_TAG))
"""The tags in which the client says it, as columns."""
MAX_TEXT = 40

_HASH = re.compile(r"[0-9a-f]{12,64}\Z")


@dataclass(frozen=True, slots=True)
class Source:
    """What the client says about its code and its CI job; empty texts where it says nothing."""

    commit: str
    branch: str
    job: str


def source_of(tags: Sequence[tuple[str, str]]) -> Source | None:
    """The source that these tags claim, None if they claim none."""
    said = {key: value for key, value in tags if key in (COMMIT_TAG, BRANCH_TAG, JOB_TAG)}
    if not any(value.strip() for value in said.values()):
        return None
    commit = said.get(COMMIT_TAG, "")
    return Source(
        commit[:8] if _HASH.match(commit) else formats.shortened(commit, MAX_TEXT),
        formats.shortened(said.get(BRANCH_TAG, ""), MAX_TEXT),
        formats.shortened(said.get(JOB_TAG, ""), MAX_TEXT),
    )
