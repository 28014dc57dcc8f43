"""What the pages of one candidate, or of one experiment, have in common: their head and tabs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from flask import Response
from markupsafe import Markup

from gitlab_mlops.access import Access, MaintainAccess, ReadAccess, WriteAccess, can
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import facts, markdown
from gitlab_mlops.blueprints.web.rendering import people, render
from gitlab_mlops.blueprints.web.state import Query
from gitlab_mlops.services import overview
from gitlab_mlops.services.experiment_records import ExperimentRecord
from gitlab_mlops.services.objectives import objective_of
from gitlab_mlops.services.overview import Counts
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.services.search import find_parents

CandidateTab = Literal["overview", "charts", "files", ""]
ExperimentTab = Literal["candidates", "charts", "trash", ""]

STYLES = ("overview.css",)
"""What every page of a candidate or an experiment loads, for its head."""
MAX_OPEN_NOTE = 600
"""Characters of a note of an experiment that stands above everything else unfolded."""


def render_candidate(
    access: ReadAccess,
    template: str,
    record: CandidateRecord,
    *,
    tab: CandidateTab,
    assets: Sequence[str] = (),
    **shown: Any,
) -> Response:
    """Render a page of a candidate; `template` extends `mlops/candidate_layout.html`.

    `tab` is the one that is open, empty for a page that belongs to none.
    """
    parent = facts.parent_of(record)
    return render(
        access,
        template,
        title=record.name,
        assets=(*STYLES, *assets),
        candidate=record,
        tab=tab,
        experiment_name=overview.experiment_name(access, record.experiment_iid),
        names_parent=bool(parent),
        parent=find_parents(access, [parent]).get(parent) if parent else None,
        author=people([record.actor_id]).get(record.actor_id or ""),
        may_write=may(access, WriteAccess),
        may_maintain=may(access, MaintainAccess),
        **shown,
    )


def render_experiment(
    access: ReadAccess,
    template: str,
    found: ExperimentRecord,
    counts: Counts,
    *,
    tab: ExperimentTab,
    assets: Sequence[str] = (),
    authors: Sequence[str | None] = (),
    carried: Query | None = None,
    **shown: Any,
) -> Response:
    """Render a page of an experiment; `template` extends `mlops/experiment_layout.html`.

    `authors` are ids of more actors that the template finds in `ml.people`. `carried` is the
    query that the tabs hand on, so that the charts show the candidates that the table shows.
    """
    return render(
        access,
        template,
        title=found.name,
        assets=(*STYLES, *assets),
        experiment=found,
        counts=counts,
        tab=tab,
        carried=carried or {},
        note=note_of(found),
        main_metric=objective_of(dict(found.tags), ()),
        people=people([found.actor_id, *authors]),
        may_write=may(access, WriteAccess),
        may_maintain=may(access, MaintainAccess),
        **shown,
    )


@dataclass(frozen=True, slots=True)
class Note:
    """A note as HTML; `summary` is its first line, if all of it is too long to be in the way."""

    html: Markup
    summary: str


def note_of(found: ExperimentRecord) -> Note | None:
    """The note of an experiment, if it has one."""
    text = dict(found.tags).get(facts.NOTE_TAG, "")
    if not text.strip():
        return None
    is_long = len(text) > MAX_OPEN_NOTE or text.count("\n") > MAX_OPEN_NOTE // 60
    return Note(markdown.render(text), markdown.first_line(text) if is_long else "")


def may(access: ReadAccess, kind: Access) -> bool:
    """Whether the reader of a page could get this kind of access to its project."""
    mount = mounted()
    return can(kind, mount.host, mount.settings, access.actor, access.project)
