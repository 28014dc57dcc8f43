"""The page of a candidate, and its ways into the trash and back."""

from __future__ import annotations

from flask import Response, redirect

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web.facts import facts_of
from gitlab_mlops.blueprints.web.frames import render_candidate
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import CANDIDATE, page
from gitlab_mlops.services import candidates, mentions, overview

MAX_CHILDREN = 100
MAX_MENTIONS = 50


@page(CANDIDATE, access=ReadAccess)
def candidate(access: ReadAccess, candidate_iid: int) -> Response:
    """Everything that is known of a candidate."""
    record = candidates.get_by_iid(access, candidate_iid)
    facts = facts_of(record)
    children, has_more = overview.list_children(
        access, record.experiment_id, record.eid, limit=MAX_CHILDREN
    )
    mentioned = mentions.of(access, record.id, mounted().host, limit=MAX_MENTIONS)
    return render_candidate(
        access,
        "candidate.html",
        record,
        tab="overview",
        facts=facts,
        parent=overview.find_parent(access, facts.parent_eid) if facts.parent_eid else None,
        children=children,
        has_more_children=has_more,
        mentions=mentioned.links,
        has_more_mentions=mentioned.next_cursor is not None,
    )


@page(f"{CANDIDATE}/trash", access=WriteAccess, method="POST")
def trash_candidate(access: WriteAccess, candidate_iid: int) -> Response:
    """Move a candidate to the trash."""
    _, eid = overview.get_eid(access, candidate_iid)
    candidates.delete(access, eid)
    return _back_to(access, candidate_iid)


@page(f"{CANDIDATE}/restore", access=WriteAccess, method="POST")
def restore_candidate(access: WriteAccess, candidate_iid: int) -> Response:
    """Take a candidate out of the trash."""
    _, eid = overview.get_eid(access, candidate_iid)
    candidates.restore(access, eid)
    return _back_to(access, candidate_iid)


def _back_to(access: ReadAccess, iid: int) -> Response:
    url = Links.of(mounted().host, access.project).candidate(iid)
    return redirect(url, 303)  # type: ignore[return-value]
