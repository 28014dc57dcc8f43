"""Stores what is numbered per project, with its number: 1, 2, 3, without gaps.

The row of the project's numbers stays locked until commit, so a rolled back number is not lost.
PostgreSQL does all of it in one statement. SQLite cannot, but whoever writes there is alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.services.durability import RELEASE, releases_early
from gitlab_mlops.services.statements import Hot, dialect


class Numbered(NamedTuple):
    """What the database knows of a new candidate: internal ids, number, and who is to be told."""

    id: int
    experiment_id: int
    iid: int
    has_webhooks: bool


def insert_candidate(
    access: WriteAccess, experiment_iid: int, row: Mapping[str, Any], tags: Mapping[str, str]
) -> Numbered | None:
    """Store a candidate with its tags; None, and nothing, without such an active experiment."""
    session = access.session
    values = {"project_id": access.project.id, "experiment_iid": experiment_iid, **row}
    if dialect(session) == "postgresql":
        values |= {"tags": json.dumps(tags), "early": releases_early(session)}
        made = _CANDIDATE.row(session, values)
        return Numbered(*made[:4]) if made is not None else None
    place = _CANDIDATE_NUMBER.row(session, values)
    if place is None:
        return None
    iid, experiment_id, has_webhooks = place
    values |= {"experiment_id": experiment_id, "iid": iid}
    ((id,),) = _CANDIDATE_ROW.rows(session, values)
    rows = [{"id": id, "key": key, "value": value} for key, value in tags.items()]
    _CANDIDATE_TAGS.count(session, rows)
    return Numbered(id, experiment_id, iid, bool(has_webhooks))


def insert_experiment(
    access: WriteAccess, row: Mapping[str, Any], tags: Mapping[str, str]
) -> int | None:
    """Store an experiment with its tags; its number, or None if its name is taken.

    The number is spent then, until the transaction is rolled back.
    """
    session = access.session
    values = {"project_id": access.project.id, **row}
    if dialect(session) == "postgresql":
        values |= {"tags": json.dumps(tags), "early": releases_early(session)}
        made = _EXPERIMENT.row(session, values)
        return made[0] if made is not None else None
    ((iid,),) = _EXPERIMENT_NUMBER.rows(session, values)
    stored = _EXPERIMENT_ROW.row(session, {**values, "iid": iid})
    if stored is None:
        return None
    if tags:
        rows = [{"id": stored[0], "key": key, "value": value} for key, value in tags.items()]
        _EXPERIMENT_TAGS.count(session, rows)
    return int(iid)


_PLACE = """FROM mlops_experiments
    WHERE project_id = %(project_id)s AND iid = %(experiment_iid)s AND deleted_at IS NULL"""
_HAS_WEBHOOKS = """EXISTS (
        SELECT 1 FROM mlops_webhooks WHERE project_id = %(project_id)s AND is_active
    )"""

_CANDIDATE = Hot(
    postgresql=f"""
WITH place AS (SELECT id {_PLACE}),
number AS (
    INSERT INTO mlops_projects AS old (project_id, candidates, experiments)
    SELECT %(project_id)s, 1, 0 FROM place
    ON CONFLICT (project_id) DO UPDATE SET candidates = old.candidates + 1
    RETURNING candidates AS iid
),
made AS (
    INSERT INTO mlops_candidates (
        project_id, experiment_id, iid, eid, name, status, user_id, actor_id, start_time,
        created_at, stamped_sha
    )
    SELECT
        %(project_id)s, place.id, number.iid, %(eid)s::text, %(name)s::text, %(status)s,
        %(user_id)s::text, %(actor_id)s::text, %(start_time)s::bigint, %(created_at)s,
        %(stamped_sha)s::text
    FROM place, number
    RETURNING id, experiment_id, iid
),
tagged AS (
    INSERT INTO mlops_candidate_tags (candidate_id, key, value)
    SELECT made.id, tag.key, tag.value FROM made, json_each_text(%(tags)s::json) AS tag
)
SELECT id, experiment_id, iid, {_HAS_WEBHOOKS}, {RELEASE} FROM made
"""  # noqa: S608 - of constants
)
_CANDIDATE_NUMBER = Hot(
    f"""
INSERT INTO mlops_projects (project_id, candidates, experiments)
SELECT %(project_id)s, 1, 0 {_PLACE}
ON CONFLICT (project_id) DO UPDATE SET candidates = candidates + 1
RETURNING candidates, (SELECT id {_PLACE}), {_HAS_WEBHOOKS}
"""
)
_CANDIDATE_ROW = Hot("""
INSERT INTO mlops_candidates (
    project_id, experiment_id, iid, eid, name, status, user_id, actor_id, start_time, created_at,
    stamped_sha
)
VALUES (
    %(project_id)s, %(experiment_id)s, %(iid)s, %(eid)s, %(name)s, %(status)s, %(user_id)s,
    %(actor_id)s, %(start_time)s, %(created_at)s, %(stamped_sha)s
)
RETURNING id
""")
_CANDIDATE_TAGS = Hot("""
INSERT INTO mlops_candidate_tags (candidate_id, key, value)
VALUES (%(id)s, %(key)s, %(value)s)
""")

_EXPERIMENT = Hot(
    f"""
WITH number AS (
    INSERT INTO mlops_projects AS old (project_id, candidates, experiments)
    VALUES (%(project_id)s, 0, 1)
    ON CONFLICT (project_id) DO UPDATE SET experiments = old.experiments + 1
    RETURNING experiments AS iid
),
made AS (
    INSERT INTO mlops_experiments (project_id, iid, name, actor_id, created_at, updated_at)
    SELECT
        %(project_id)s, number.iid, %(name)s::text, %(actor_id)s::text, %(moment)s, %(moment)s
    FROM number
    ON CONFLICT DO NOTHING
    RETURNING id, iid
),
tagged AS (
    INSERT INTO mlops_experiment_tags (experiment_id, key, value)
    SELECT made.id, tag.key, tag.value FROM made, json_each_text(%(tags)s::json) AS tag
)
SELECT iid, {RELEASE} FROM made
"""  # noqa: S608 - of constants
)
_EXPERIMENT_NUMBER = Hot("""
INSERT INTO mlops_projects (project_id, candidates, experiments)
VALUES (%(project_id)s, 0, 1)
ON CONFLICT (project_id) DO UPDATE SET experiments = experiments + 1
RETURNING experiments
""")
_EXPERIMENT_ROW = Hot("""
INSERT INTO mlops_experiments (project_id, iid, name, actor_id, created_at, updated_at)
VALUES (%(project_id)s, %(iid)s, %(name)s, %(actor_id)s, %(moment)s, %(moment)s)
ON CONFLICT DO NOTHING
RETURNING id
""")
_EXPERIMENT_TAGS = Hot("""
INSERT INTO mlops_experiment_tags (experiment_id, key, value)
VALUES (%(id)s, %(key)s, %(value)s)
""")
