"""The candidates of commits: those that CI stamped with one, and those whose client claims one."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, Subquery, literal, or_, select, union_all

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import NAMES_COMMIT, Candidate, CandidateTag, JobStamp

MAX_LOOKED_AT = 5_000
"""Stamps, and claims, that are looked at: whoever may log could claim a commit a million times."""
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


class Brought(NamedTuple):
    """A candidate (internal id) of a commit; `is_claimed`: only its client says so."""

    candidate_id: int
    sha: str
    is_claimed: bool


def brought_by(access: ReadAccess, shas: Sequence[str]) -> list[Brought]:
    """The candidates of the project that are of these commits, in one statement.

    In the order of `shas`; of each commit facts before claims, and the newest first. What is in
    the trash is left out, and what a job logged is of that job's commit, whatever else it claims.
    """
    # A sha from an address may be anything, such as a NUL, which PostgreSQL does not take.
    places = {sha: place for place, sha in enumerate(shas) if _SHA.fullmatch(sha)}
    if not places:
        return []
    statement = union_all(
        _active(access, _stamps(access, places), is_claimed=False),
        _active(access, _claims(access, places), is_claimed=True),
    )
    found = [Brought(*row) for row in access.session.execute(statement)]
    return sorted(found, key=lambda each: (places[each.sha], each.is_claimed, -each.candidate_id))


def has_candidates(access: ReadAccess) -> bool:
    """Whether anybody ever logged to the project; what is in the trash counts."""
    there = select(Candidate.id).where(Candidate.project_id == access.project.id).limit(1)
    return access.session.scalar(there) is not None


def _active(access: ReadAccess, found: Subquery, *, is_claimed: bool) -> Select[Any]:
    of_commit = literal(True) if is_claimed else literal(False)
    return (
        select(Candidate.id, found.c.sha, of_commit)
        .join(found, found.c.candidate_id == Candidate.id)
        .where(Candidate.project_id == access.project.id, Candidate.deleted_at.is_(None))
    )


def _stamps(access: ReadAccess, shas: Collection[str]) -> Subquery:
    return (
        select(JobStamp.candidate_id, JobStamp.sha)
        .where(JobStamp.project_id == access.project.id, JobStamp.sha.in_(shas))
        .order_by(JobStamp.candidate_id.desc())
        .limit(MAX_LOOKED_AT)
        .subquery()
    )


def _claims(access: ReadAccess, shas: Collection[str]) -> Subquery:
    """Claims of a commit in any project: the index leads from a commit to them."""
    return (
        select(CandidateTag.candidate_id, CandidateTag.value.label("sha"))
        .join(Candidate, Candidate.id == CandidateTag.candidate_id)
        .where(
            NAMES_COMMIT,
            CandidateTag.value.in_(shas),
            # Not by the index of projects: without statistics SQLite takes it for the better one.
            Candidate.project_id + 0 == access.project.id,
            # A forge that does not know the commits of its jobs leaves that to their clients.
            or_(Candidate.stamped_sha.is_(None), Candidate.stamped_sha == ""),
        )
        .order_by(CandidateTag.candidate_id.desc())
        .limit(MAX_LOOKED_AT)
        .subquery()
    )
