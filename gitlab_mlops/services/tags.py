"""Tags of candidates as rows; what they mean, `candidates` knows."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.models import CandidateTag
from gitlab_mlops.services.statements import Hot, dialect, store_tags


def store(access: WriteAccess, candidate_id: int, tags: Mapping[str, str]) -> None:
    """Set tags of a candidate that may change."""
    store_tags(access.session, CandidateTag, "candidate_id", candidate_id, tags)


def store_if_active(access: WriteAccess, eid: str, tags: Mapping[str, str]) -> bool:
    """Set tags if the candidate is there and may change; whether any was set."""
    session, of = access.session, {"eid": eid, "project_id": access.project.id}
    # In the order of keys, so that two batches at once wait for each other and never deadlock.
    if dialect(session) == "postgresql":
        values: Any = {**of, "tags": json.dumps(tags, sort_keys=True)}
    else:
        values = [{**of, "key": key, "value": tags[key]} for key in sorted(tags)]
    return bool(tags) and _STORE.count(session, values) > 0


def remove_if_active(access: WriteAccess, eid: str, keys: Collection[str]) -> bool:
    """Remove tags if the candidate is there and may change; whether any was removed."""
    of = {"eid": eid, "project_id": access.project.id}
    removed = [_REMOVE.count(access.session, {**of, "key": key}) for key in keys]
    return sum(removed) > 0


_ACTIVE = "eid = %(eid)s AND project_id = %(project_id)s AND deleted_at IS NULL"
_REPLACE = "ON CONFLICT (candidate_id, key) DO UPDATE SET value = excluded.value"
_STORE = Hot(
    postgresql=f"""
INSERT INTO mlops_candidate_tags (candidate_id, key, value)
SELECT candidate.id, tag.key, tag.value
FROM mlops_candidates AS candidate, json_each_text(%(tags)s::json) AS tag
WHERE {_ACTIVE}
{_REPLACE}
""",  # noqa: S608 - of constants
    sqlite=f"""
INSERT INTO mlops_candidate_tags (candidate_id, key, value)
SELECT id, %(key)s, %(value)s FROM mlops_candidates WHERE {_ACTIVE}
{_REPLACE}
""",  # noqa: S608 - of constants
)
_REMOVE = Hot(
    f"""
DELETE FROM mlops_candidate_tags
WHERE candidate_id = (SELECT id FROM mlops_candidates WHERE {_ACTIVE}) AND key = %(key)s
"""  # noqa: S608 - of constants
)
