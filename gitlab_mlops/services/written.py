"""Candidates with what they logged as JSON texts, which the database writes.

An answer of a hundred candidates holds thousands of metrics, parameters and tags. PostgreSQL
writes them as JSON in less time than Python takes to fetch them, so `find` and `load` read nothing
else there. SQLite's JSON keeps only 15 digits of a number; there they give `CandidateRecord`s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.services import records
from gitlab_mlops.services.records import CandidateRecord, DatasetInput
from gitlab_mlops.services.statements import Hot, array, dialect


class WrittenCandidate(NamedTuple):
    """A candidate as read: `records.RECORD_COLUMNS`, and what it logged.

    `metrics` and what follows are JSON arrays of objects, None where there are none; the objects'
    names are those of the columns.
    """

    id: int
    experiment_id: int
    experiment_iid: int
    iid: int
    eid: str
    name: str
    status: int
    user_id: str
    actor_id: str | None
    start_time: int | None
    end_time: int | None
    created_at: int
    deleted_at: int | None
    metrics: str | None
    params: str | None
    tags: str | None
    used_models: str | None
    made_models: str | None
    uses_datasets: bool
    datasets: Sequence[DatasetInput] = ()


def _pairs(table: str) -> str:
    return f"""(
    SELECT to_json(array_agg(x))::text FROM (
        SELECT key, value FROM {table} WHERE candidate_id = candidate.id ORDER BY key
    ) AS x)"""  # noqa: S608 - of constants


def _models(direction: str, columns: str) -> str:
    return f"""(
    SELECT to_json(array_agg(x))::text FROM (
        SELECT {columns} FROM mlops_model_links
        WHERE candidate_id = candidate.id AND direction = '{direction}'
        ORDER BY model_id COLLATE "C"
    ) AS x)"""  # noqa: S608 - of constants


# Subqueries for each candidate: looked up by key whatever the statistics say, and by one process.
# PostgreSQL starts others for a UNION, and for reading all candidates' rows at once.
_LOGGED = f"""(
    SELECT to_json(array_agg(x))::text FROM (
        SELECT name.key, series.value, series.timestamp, series.step
        FROM mlops_metric_series AS series JOIN mlops_metric_keys AS name ON name.id = series.key_id
        WHERE series.candidate_id = candidate.id
        ORDER BY name.key COLLATE "C"
    ) AS x),
{_pairs("mlops_params")},
{_pairs("mlops_candidate_tags")},
{_models("input", "model_id")},
{_models("output", "model_id, step")},
EXISTS (SELECT FROM mlops_inputs WHERE candidate_id = candidate.id)"""  # noqa: S608 - of constants

_OF_EID = Hot(f"""
SELECT
    id, experiment_id,
    (SELECT iid FROM mlops_experiments AS experiment WHERE experiment.id = experiment_id),
    iid, eid, name, status, user_id, actor_id, start_time, end_time, created_at, deleted_at,
    {_LOGGED}
FROM mlops_candidates AS candidate
WHERE eid = %(eid)s AND project_id = %(project_id)s
""")  # noqa: S608 - of constants
_OF_IDS = Hot(f"""
SELECT {_LOGGED}
FROM unnest(CAST(%(ids)s AS bigint[])) WITH ORDINALITY AS candidate (id, place)
ORDER BY place
""")  # noqa: S608 - of constants


def find(access: ReadAccess, eid: str) -> WrittenCandidate | CandidateRecord | None:
    """The whole candidate of the project with this `eid`, or None."""
    if dialect(access.session) != "postgresql":
        return records.find(access, eid=eid)
    named = {"eid": eid, "project_id": access.project.id}
    row = _OF_EID.row(access.session, named)
    return None if row is None else _with_datasets(access, [WrittenCandidate(*row)])[0]


def load(
    access: ReadAccess, rows: Sequence[Sequence[Any]]
) -> Sequence[WrittenCandidate | CandidateRecord]:
    """The whole candidates of rows of `records.RECORD_COLUMNS`, in the same order."""
    if dialect(access.session) != "postgresql":
        return records.load(access, rows)
    ids = array([str(row[0]) for row in rows])
    logged = _OF_IDS.rows(access.session, {"ids": ids})
    found = [WrittenCandidate(*row, *texts) for row, texts in zip(rows, logged, strict=True)]
    return _with_datasets(access, found)


def _with_datasets(access: ReadAccess, found: list[WrittenCandidate]) -> list[WrittenCandidate]:
    """Datasets apart: several candidates may use one, and it may be megabytes."""
    ids = [each.id for each in found if each.uses_datasets]
    if not ids:
        return found
    used = records.datasets_of(access, ids)
    return [each._replace(datasets=used.get(each.id, ())) for each in found]
