"""Parents and children among the candidates of an experiment, as MLflow's tag says."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Subquery, func, literal, select
from sqlalchemy.orm import aliased

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.models import NAMES_PARENT, PARENT_TAG, Candidate, CandidateTag
from gitlab_mlops.services.search.pages import View, in_view
from gitlab_mlops.services.search.values import Condition

LOOKED_AT = 500
"""The newest candidates decide whether an experiment has children."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A candidate that another one names as its parent."""

    iid: int
    name: str


def is_top_level(view: View) -> Condition:
    """Whether a candidate is nobody's child: no other of its experiment in this view is its parent.

    Looked up per candidate by key, so the plan never depends on statistics. Not by IS NULL, which
    PostgreSQL takes for rare, and then joins the few candidates that it expects by nested loops.
    """
    tag, parent = aliased(CandidateTag), aliased(Candidate)
    found = (
        select(parent.id)
        .join_from(tag, parent, parent.eid == tag.value)
        .where(
            tag.candidate_id == Candidate.id,
            tag.key == PARENT_TAG,
            parent.experiment_id == Candidate.experiment_id,
            parent.id != Candidate.id,
            *in_view(parent.deleted_at.expression, view),
        )
    )
    return func.coalesce(found.correlate(Candidate).scalar_subquery(), 0) < 1


def has_children(access: ReadAccess, experiment_id: int) -> bool:
    """Whether any of the newest active candidates of an experiment names a parent."""
    newest = (
        select(Candidate.id)
        .where(
            Candidate.project_id == access.project.id,
            Candidate.experiment_id == experiment_id,
            Candidate.deleted_at.is_(None),
        )
        .order_by(Candidate.start_time.desc())
        .limit(LOOKED_AT)
        .subquery()
    )
    named = select(literal(1)).join_from(
        newest, CandidateTag, newest.c.id == CandidateTag.candidate_id
    )
    found = access.session.execute(named.where(CandidateTag.key == PARENT_TAG).limit(1))
    return found.one_or_none() is not None


def count_children(
    access: ReadAccess, experiment_id: int, eids: Collection[str], view: View
) -> dict[str, int]:
    """How many children each of these candidates has in its experiment, if it has any."""
    links = links_to(eids)
    statement = (
        select(links.c.parent, func.count())
        .join_from(links, Candidate, Candidate.id == links.c.candidate_id)
        .where(
            *is_child(access, experiment_id, links), *in_view(Candidate.deleted_at.expression, view)
        )
        .group_by(links.c.parent)
    )
    return dict(access.session.execute(statement).all())


def find_parents(access: ReadAccess, eids: Collection[str]) -> dict[str, Parent]:
    """The candidates of the project with these eids, which others name as their parents."""
    rows = access.session.execute(
        select(Candidate.eid, Candidate.iid, Candidate.name).where(
            Candidate.project_id == access.project.id, Candidate.eid.in_(eids)
        )
    )
    return {eid: Parent(iid, name) for eid, iid, name in rows}


def links_to(eids: Collection[str]) -> Subquery:
    """(candidate_id, parent) of all that name one of these candidates as their parent."""
    return (
        select(CandidateTag.candidate_id, CandidateTag.value.label("parent"))
        .where(NAMES_PARENT, CandidateTag.value.in_(eids))
        .subquery()
    )


def is_child(access: ReadAccess, experiment_id: int, links: Subquery) -> tuple[Condition, ...]:
    """Whether what `links` lead to are children to show: of this experiment, nobody his own."""
    return (
        # The sums keep SQLite from going through the whole experiment to meet them.
        Candidate.project_id + 0 == access.project.id,
        Candidate.experiment_id + 0 == experiment_id,
        Candidate.eid != links.c.parent,
    )
