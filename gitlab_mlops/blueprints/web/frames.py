"""What the pages of one candidate, or of one experiment, have in common: their head and tabs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from flask import Response

from gitlab_mlops.access import Access, MaintainAccess, ReadAccess, WriteAccess, can
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web import facts
from gitlab_mlops.blueprints.web.rendering import people, render
from gitlab_mlops.services import overview
from gitlab_mlops.services.experiments import ExperimentRecord
from gitlab_mlops.services.overview import Counts
from gitlab_mlops.services.records import CandidateRecord

CandidateTab = Literal["overview", "charts", "files", ""]
ExperimentTab = Literal["candidates", "charts", "trash", ""]


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
    return render(
        access,
        template,
        title=record.name,
        assets=assets,
        candidate=record,
        tab=tab,
        experiment_name=overview.experiment_name(access, record.experiment_iid),
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
    **shown: Any,
) -> Response:
    """Render a page of an experiment; `template` extends `mlops/experiment_layout.html`.

    `authors` are ids of more actors that the template finds in `ml.people`.
    """
    return render(
        access,
        template,
        title=found.name,
        assets=assets,
        experiment=found,
        counts=counts,
        tab=tab,
        note=dict(found.tags).get(facts.NOTE_TAG, ""),
        people=people([found.actor_id, *authors]),
        may_write=may(access, WriteAccess),
        may_maintain=may(access, MaintainAccess),
        **shown,
    )


def may(access: ReadAccess, kind: Access) -> bool:
    """Whether the reader of a page could get this kind of access to its project."""
    mount = mounted()
    return can(kind, mount.host, mount.settings, access.actor, access.project)
