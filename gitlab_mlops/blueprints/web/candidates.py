"""The page of a candidate, and its ways into the trash and back."""

from __future__ import annotations

from flask import Response, redirect

from gitlab_mlops.access import ReadAccess, WriteAccess, can
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import artifacts, state
from gitlab_mlops.blueprints.web.facts import facts_of
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.page import CANDIDATE, page
from gitlab_mlops.blueprints.web.rendering import people, render
from gitlab_mlops.services import candidates, mentions, overview

MAX_CHILDREN = 100
MAX_MENTIONS = 50


@page(CANDIDATE, access=ReadAccess)
def candidate(access: ReadAccess, candidate_iid: int) -> Response:
    """Everything that is known of a candidate."""
    mount = mounted()
    record = candidates.get_by_iid(access, candidate_iid)
    facts = facts_of(record)
    children, has_more = overview.list_children(
        access, record.experiment_id, record.eid, limit=MAX_CHILDREN
    )
    mentioned = mentions.of(access, record.id, mount.host, limit=MAX_MENTIONS)
    return render(
        access,
        "candidate.html",
        title=record.name,
        candidate=record,
        facts=facts,
        experiment_name=overview.experiment_name(access, record.experiment_iid),
        parent=overview.find_parent(access, facts.parent_eid) if facts.parent_eid else None,
        children=children,
        has_more_children=has_more,
        mentions=mentioned.links,
        has_more_mentions=mentioned.next_cursor is not None,
        artifacts=artifacts.look_into(access, record, state.raw("path"), state.page_number()),
        author=people([record.actor_id]).get(record.actor_id or ""),
        may_write=can(WriteAccess, mount.host, mount.settings, access.actor, access.project),
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
