"""The page of a candidate, and its ways into the trash and back."""

from __future__ import annotations

from typing import Any

from flask import Response, redirect

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import state
from gitlab_mlops.blueprints.web.badge import badges_of
from gitlab_mlops.blueprints.web.facts import facts_of
from gitlab_mlops.blueprints.web.frames import render_candidate
from gitlab_mlops.blueprints.web.lineage import ASSETS as LINEAGE
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.markdown import render as render_markdown
from gitlab_mlops.blueprints.web.page import CANDIDATE, page
from gitlab_mlops.blueprints.web.provenance import pages_of, stamped_of
from gitlab_mlops.blueprints.web.rendering import HTMX
from gitlab_mlops.models import Status
from gitlab_mlops.services import (
    candidates,
    experiment_records,
    leaders,
    lineage,
    mentions,
    overview,
    summaries,
)
from gitlab_mlops.services.family import list_children
from gitlab_mlops.services.objectives import DIRECTION_TAG, NAME_TAG
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.stamps import stamps_of

MAX_CHILDREN = 50
MAX_MENTIONS = 50
MAX_COUNTED = 200_000
"""Points of all metrics together that are counted, each time that the page is shown."""
MAX_FIND = 250
"""Characters of what is looked for in names; names have no more."""


@page(CANDIDATE, access=ReadAccess)
def candidate(access: ReadAccess, candidate_iid: int) -> Response:
    """Everything that is known of a candidate."""
    find = state.text("find")[:MAX_FIND]
    record = candidates.get_by_iid(access, candidate_iid)
    mentioned = mentions.of(access, record.id, mounted().host, limit=MAX_MENTIONS)
    return render_candidate(
        access,
        "candidate.html",
        record,
        tab="overview",
        assets=(*HTMX, *LINEAGE),
        find=find,
        mentions=mentioned.links,
        has_more_mentions=mentioned.next_cursor is not None,
        made=lineage.made_by(access, record),
        is_live=record.status == Status.RUNNING and record.deleted_at is None,
        **_contents(access, record, find),
    )


def _contents(access: ReadAccess, record: CandidateRecord, find: str) -> dict[str, Any]:
    """What was logged, and the children, by what the experiment is about."""
    id_, wanted = record.experiment_id, (NAME_TAG, DIRECTION_TAG)
    tags = experiment_records.tags_of(access, [id_], wanted, length=MAX_FIND)[id_]
    objective = leaders.objective(access, id_, tags)
    children, has_more = list_children(access, record, objective, limit=MAX_CHILDREN)
    histories = summaries.metric_summaries(access, record.id, counted_to=_counted_to(record))
    stamps = stamps_of(access, [record.id])
    stamp = stamps.get(record.id)
    stamped = stamped_of(stamp, pages_of(access, mounted().host.repository, stamp))
    facts = facts_of(record, histories, objective, tags, find, stamped)
    return {
        "facts": facts,
        "badge": badges_of(access, [record], stamps)[record.id],
        "note": render_markdown(facts.note),
        "objective": objective,
        "children": children,
        "has_more_children": has_more,
    }


def _counted_to(record: CandidateRecord) -> int:
    """How many points of each metric are counted: of many metrics fewer, to bound the whole."""
    return max(1000, MAX_COUNTED // (len(record.metrics) or 1))


@page(f"{CANDIDATE}/trash", access=WriteAccess, method="POST")
def trash_candidate(access: WriteAccess, candidate_iid: int) -> Response:
    """Move a candidate to the trash."""
    _, eid = overview.get_eid(access, candidate_iid)
    candidates.delete(access, eid)
    return see_candidate(access, candidate_iid)


@page(f"{CANDIDATE}/restore", access=WriteAccess, method="POST")
def restore_candidate(access: WriteAccess, candidate_iid: int) -> Response:
    """Take a candidate out of the trash."""
    _, eid = overview.get_eid(access, candidate_iid)
    candidates.restore(access, eid)
    return see_candidate(access, candidate_iid)


def see_candidate(access: ReadAccess, iid: int) -> Response:
    """Lead to the page of a candidate, after a form."""
    url = Links.of(mounted().host, access.project).candidate(iid)
    return redirect(url, 303)  # type: ignore[return-value]
