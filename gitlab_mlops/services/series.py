"""Stores metric points: moves each series' latest point forward, and keeps the history.

One statement does all on PostgreSQL, two on SQLite. They find the candidate themselves, and store
nothing if it is not there to be logged to, or if the project does not know a metric's name.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.services.durability import RELEASE, releases_early
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.statements import Hot, array, dialect, text_array

# `sha` is the commit of stamped candidates that take it; those without a stamp always do.
OPEN_CANDIDATE = """candidate.eid = %(eid)s AND candidate.project_id = CAST(%(project)s AS bigint)
    AND candidate.deleted_at IS NULL
    AND (candidate.stamped_sha IS NULL OR candidate.stamped_sha = CAST(%(sha)s AS text))"""
_KNOWN = "known.project_id = CAST(%(project)s AS bigint) AND known.key = "
_COLUMNS = """mlops_metric_series AS old
    (candidate_id, experiment_id, key_id, step, "timestamp", value, lowest, highest)"""
# MLflow's order of a history, whose last point is a metric's value. NaN is larger than numbers,
# and no extreme. Compared with NULL, nothing is beyond; then whichever is there stays.
_IS_NEWER = """(excluded.step, excluded."timestamp", excluded.value)
        > (old.step, old."timestamp", old.value)"""
_MOVE_FORWARD = f"""ON CONFLICT (candidate_id, key_id) DO UPDATE SET
    step = CASE WHEN {_IS_NEWER} THEN excluded.step ELSE old.step END,
    "timestamp" = CASE WHEN {_IS_NEWER} THEN excluded."timestamp" ELSE old."timestamp" END,
    value = CASE WHEN {_IS_NEWER} THEN excluded.value ELSE old.value END,
    lowest = CASE WHEN excluded.lowest < old.lowest THEN excluded.lowest
        ELSE coalesce(old.lowest, excluded.lowest) END,
    highest = CASE WHEN excluded.highest > old.highest THEN excluded.highest
        ELSE coalesce(old.highest, excluded.highest) END"""

# Without rows to read, which cost a third of its time in Python. A point that is there already is
# written again, which counts it.
_STORE_POINT = Hot(
    f"""
WITH series AS (
    INSERT INTO {_COLUMNS}
    SELECT candidate.id, candidate.experiment_id, known.id, %(step)s::bigint,
        %(timestamp)s::bigint, %(value)s::float8, NULLIF(%(value)s::float8, 'NaN'),
        NULLIF(%(value)s::float8, 'NaN')
    FROM mlops_candidates AS candidate, mlops_metric_keys AS known
    WHERE {OPEN_CANDIDATE} AND {_KNOWN} %(key)s
    {_MOVE_FORWARD}
    RETURNING id
), released AS MATERIALIZED (SELECT {RELEASE})
INSERT INTO mlops_metric_points (series_id, "timestamp", step, value)
SELECT id, %(timestamp)s::bigint, %(step)s::bigint, %(value)s::float8 FROM series, released
ON CONFLICT (series_id, "timestamp", step, value) DO UPDATE SET value = excluded.value
"""  # noqa: S608 - of constants
)
# The arrays come out of subqueries, so that PostgreSQL makes one plan for all of their lengths,
# and plans no request anew. In the order of keys, so that two batches at once wait for each other
# and never deadlock; and nothing for whoever does not know all keys, who will come back.
_STORE_POINTS = Hot(
    f"""
WITH point AS MATERIALIZED (
    SELECT known.id AS key_id, sent.step, sent."timestamp", sent.value
    FROM unnest(
        (SELECT %(keys)s::text[]), (SELECT %(steps)s::bigint[]),
        (SELECT %(timestamps)s::bigint[]), (SELECT %(values)s::float8[])
    ) AS sent (key, step, "timestamp", value)
    JOIN mlops_metric_keys AS known ON {_KNOWN} sent.key
), latest AS (
    SELECT DISTINCT ON (key_id) key_id, step, "timestamp", value,
        min(NULLIF(value, 'NaN')) OVER by_key, max(NULLIF(value, 'NaN')) OVER by_key
    FROM point WINDOW by_key AS (PARTITION BY key_id)
    ORDER BY key_id, step DESC, "timestamp" DESC, value DESC
), series AS (
    INSERT INTO {_COLUMNS}
    SELECT candidate.id, candidate.experiment_id, latest.*
    FROM mlops_candidates AS candidate, latest
    WHERE {OPEN_CANDIDATE} AND (SELECT count(*) FROM point) = %(count)s::bigint
    ORDER BY latest.key_id
    {_MOVE_FORWARD}
    RETURNING id, key_id
), stored AS (
    INSERT INTO mlops_metric_points (series_id, "timestamp", step, value)
    SELECT series.id, point."timestamp", point.step, point.value
    FROM point JOIN series ON series.key_id = point.key_id
    ON CONFLICT DO NOTHING
)
SELECT count(*), {RELEASE} FROM series
"""  # noqa: S608 - of constants
)
_MOVE_SERIES = Hot(
    f"""
INSERT INTO {_COLUMNS}
SELECT candidate.id, candidate.experiment_id, known.id, %(step)s, %(timestamp)s, %(value)s,
    NULLIF(%(value)s, 'NaN'), NULLIF(%(value)s, 'NaN')
FROM mlops_candidates AS candidate, mlops_metric_keys AS known
WHERE {OPEN_CANDIDATE} AND {_KNOWN} %(key)s
{_MOVE_FORWARD}
"""  # noqa: S608 - of constants
)
_KEEP_HISTORY = Hot(
    f"""
INSERT INTO mlops_metric_points (series_id, "timestamp", step, value)
SELECT series.id, %(timestamp)s, %(step)s, %(value)s
FROM mlops_candidates AS candidate, mlops_metric_keys AS known, mlops_metric_series AS series
WHERE {OPEN_CANDIDATE} AND {_KNOWN} %(key)s
    AND series.candidate_id = candidate.id AND series.key_id = known.id
ON CONFLICT DO NOTHING
"""  # noqa: S608 - of constants
)


def store(access: WriteAccess, eid: str, sha: str | None, points: Sequence[Point]) -> bool:
    """Store points of a candidate that has no stamp, or one of the commit `sha`.

    False if not all of them are stored: the candidate is not there, in the trash or of another
    commit, or the project does not know the name of a metric. The same point again changes nothing.
    """
    if dialect(access.session) != "postgresql":
        return _store_on_sqlite(access, eid, sha, points)
    early = releases_early(access.session)
    named = {"eid": eid, "project": str(access.project.id), "sha": sha, "early": early}
    # Numbers go as text: psycopg names types by size, and each would be another statement.
    if len(points) == 1:
        point = points[0]
        values = {
            **named,
            "key": point.key,
            "step": str(point.step),
            "timestamp": str(point.timestamp),
            "value": point.value,
        }
        return _STORE_POINT.count(access.session, values) > 0
    keys, numbers, timestamps, steps, *_ = zip(*points, strict=True)
    values = {
        **named,
        "keys": text_array(keys),
        "values": array(map(repr, numbers)),
        "timestamps": array(map(str, timestamps)),
        "steps": array(map(str, steps)),
        "count": str(len(points)),
    }
    ((stored, *_),) = _STORE_POINTS.rows(access.session, values)
    return bool(stored)


def _store_on_sqlite(
    access: WriteAccess, eid: str, sha: str | None, points: Sequence[Point]
) -> bool:
    named = {"eid": eid, "project": access.project.id, "sha": sha}
    rows = [
        {
            **named,
            "key": point.key,
            "step": point.step,
            "timestamp": point.timestamp,
            "value": "NaN" if point.value != point.value else point.value,
        }
        for point in points
    ]
    if _MOVE_SERIES.count(access.session, rows) != len(points):
        return False
    _KEEP_HISTORY.count(access.session, rows)
    return True
