"""Stores parameters, which never change: a value sent again is fine, another one is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, select

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.errors import Invalid, Unavailable
from gitlab_mlops.models import Param
from gitlab_mlops.services.series import OPEN_CANDIDATE
from gitlab_mlops.services.statements import Hot, dialect, text_array

# A row that has this value already is written again, which counts it, and takes its newest
# version into account, even one that another transaction has just committed.
_UNLESS_OTHER = """ON CONFLICT (candidate_id, key) DO UPDATE SET value = old.value
    WHERE old.value = excluded.value"""
_STORE_ONE = Hot(
    f"""
INSERT INTO mlops_params AS old (candidate_id, experiment_id, key, value)
SELECT candidate.id, candidate.experiment_id, CAST(%(key)s AS text), CAST(%(value)s AS text)
FROM mlops_candidates AS candidate WHERE {OPEN_CANDIDATE}
{_UNLESS_OTHER}
"""  # noqa: S608 - of constants
)
# In the order of keys, so that two batches at once wait for each other and never deadlock.
_STORE_ALL = Hot(
    f"""
INSERT INTO mlops_params AS old (candidate_id, experiment_id, key, value)
SELECT candidate.id, candidate.experiment_id, sent.key, sent.value
FROM mlops_candidates AS candidate,
    unnest((SELECT %(keys)s::text[]), (SELECT %(values)s::text[])) AS sent (key, value)
WHERE {OPEN_CANDIDATE}
ORDER BY sent.key COLLATE "C"
{_UNLESS_OTHER}
"""  # noqa: S608 - of constants
)


def store(access: WriteAccess, eid: str, sha: str | None, params: Mapping[str, str]) -> bool:
    """Store parameters of a candidate that has no stamp, or one of the commit `sha`.

    False if not all of them are stored: the candidate is not there, in the trash or of another
    commit, or a parameter has another value.
    """
    is_postgresql = dialect(access.session) == "postgresql"
    project = access.project.id
    named = {"eid": eid, "sha": sha, "project": str(project) if is_postgresql else project}
    if is_postgresql and len(params) > 1:
        arrays = {"keys": text_array(list(params)), "values": text_array(list(params.values()))}
        stored = _STORE_ALL.count(access.session, {**named, **arrays})
    else:
        rows = [{**named, "key": key, "value": value} for key, value in params.items()]
        stored = _STORE_ONE.count(access.session, rows[0] if len(rows) == 1 else rows)
    return stored == len(params)


def refuse(access: WriteAccess, candidate_id: int, params: Mapping[str, str]) -> None:
    """Say which of the parameters has another value already; always raises."""
    named = {"candidate_id": candidate_id, "keys": list(params)}
    for key, value in access.session.execute(_VALUES, named):
        if value != params[key]:
            raise Invalid(
                "Changing param values is not allowed. Param with "
                f"key='{key}' was already logged with value='{value}'; attempted new "
                f"value '{params[key]}'. Log the new value under another key, or in a new run."
            )
    raise Unavailable("Somebody else changed the same run; try again.")


_TABLE: Any = Param.__table__.c
_VALUES = select(_TABLE.key, _TABLE.value).where(
    _TABLE.candidate_id == bindparam("candidate_id"),
    _TABLE.key.in_(bindparam("keys", expanding=True)),
)
