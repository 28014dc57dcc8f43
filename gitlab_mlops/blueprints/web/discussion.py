"""The sections for the pages of commits, and of what mentions candidates: issues and the like."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web.badge import BadgeView, badges_of
from gitlab_mlops.blueprints.web.embedded import MAX_SHOWN, read_access
from gitlab_mlops.blueprints.web.links import Links
from gitlab_mlops.blueprints.web.rendering import fragment, people
from gitlab_mlops.host import Actor, Project, Source
from gitlab_mlops.services.objectives import by_interest
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.proposals import listing
from gitlab_mlops.services.proposals.brought import brought_by
from gitlab_mlops.services.proposals.listing import Listed
from gitlab_mlops.services.proposals.mentioned import mentioned_by
from gitlab_mlops.services.stamps import stamps_of

MAX_METRICS = 3
"""Metrics of a candidate in a list, those that people ask for first."""


@dataclass(frozen=True, slots=True)
class Line:
    """A candidate in a list, with its pages and its main metrics.

    `path` is that of its project, if it is not the page's. `badge` shows where the page is about
    code.
    """

    listed: Listed
    links: Links
    path: str
    metrics: list[Point]
    badge: BadgeView | None = None


def commit_panel(project: Project, sha: str, actor: Actor | None) -> Markup:
    """The candidates of a commit; empty if there are none that the actor may see."""
    access = read_access(actor, project)
    brought = [] if access is None else brought_by(access, [str(sha)])
    if access is None or not brought:
        return Markup()
    keys = [(project.id, each.candidate_id) for each in brought[:MAX_SHOWN]]
    listed = listing.load({project.id: access}, keys)
    records = [each.record for each in listed]
    badges = badges_of(access, records, stamps_of(access, [each.id for each in records]))
    lines = _lines(project, listed, badges)
    return _section(access, "commit_candidates.html", lines, total=len(brought))


def mentions_panel(source: Source, project: Project, actor: Actor | None) -> Markup:
    """The candidates that a source mentions; empty if there are none that the actor may see."""
    host = mounted().host
    if not source.id.isprintable():
        return Markup()
    found = mentioned_by(
        source, project, host, lambda each: read_access(actor, each), limit=MAX_SHOWN
    )
    if not found.shown:
        return Markup()
    lines = _lines(project, found.shown)
    return _section(found.shown[0].access, "mentioned_candidates.html", lines, total=found.total)


def _lines(
    project: Project, listed: Iterable[Listed], badges: Mapping[int, BadgeView] | None = None
) -> list[Line]:
    host = mounted().host
    return [
        Line(
            each,
            Links.of(host, each.access.project),
            "" if each.access.project.id == project.id else each.access.project.path,
            _main_metrics(each),
            badges.get(each.record.id) if badges else None,
        )
        for each in listed
    ]


def _main_metrics(listed: Listed) -> list[Point]:
    points = {point.key: point for point in listed.record.metrics}
    return [
        points[key] for key in by_interest(points, listed.objective)[:MAX_METRICS] if key in points
    ]


def _section(access: ReadAccess, template: str, lines: Sequence[Line], *, total: int) -> Markup:
    authors = people([each.listed.record.actor_id for each in lines])
    return fragment(
        access, template, lines=lines, total=total, more=total - len(lines), people=authors
    )
