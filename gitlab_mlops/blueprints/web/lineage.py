"""The lineage of a version for its page: a chain of steps back to the merge request and issues.

A page loads `ASSETS`, puts what `lineage_of` returns into `ml.lineage`, and includes
`mlops/lineage.html`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.endpoint import mounted
from gitlab_mlops.blueprints.web.badge import BadgeView, badges_of
from gitlab_mlops.blueprints.web.provenance import Origin, code_of, pages_of, stamped_of
from gitlab_mlops.services import lineage
from gitlab_mlops.services.lineage import Lineage
from gitlab_mlops.services.registry.records import VersionRecord

ASSETS = ("lineage.css",)
# From what ran to where it was agreed on; the rest of an origin stands at the candidate's page.
_STEPS = ("Job", "Commit", "Merge request")
_ALONG = {"Commit": "Branch", "Job": "Pipeline"}


@dataclass(frozen=True, slots=True)
class Step:
    """What is known of a step of the code: a fact or a claim, and what it goes along with."""

    origin: Origin
    along: Origin | None


@dataclass(frozen=True, slots=True)
class LineageView:
    """A lineage with the words and pages of its steps; no badge without a candidate."""

    found: Lineage
    steps: Sequence[Step]
    badge: BadgeView | None


def lineage_of(access: ReadAccess, version: VersionRecord) -> LineageView:
    """Where a version comes from, as far as the reader may see it."""
    host = mounted().host
    found = lineage.of_version(access, host, version)
    if found.candidate is None:
        return LineageView(found, (), None)
    record, stamp = found.candidate.record, found.stamp
    stamped = stamped_of(stamp, pages_of(access, host.repository, stamp))
    stamps = {record.id: stamp} if stamp is not None else {}
    badge = badges_of(access, [record], stamps)[record.id]
    return LineageView(found, _steps(code_of(dict(record.tags), stamped)), badge)


def _steps(origins: Sequence[Origin]) -> list[Step]:
    """The first that is said of each step, in the order of the chain: facts are before claims."""
    first: dict[str, Origin] = {}
    for each in origins:
        first.setdefault(each.label, each)
    steps = []
    for label in _STEPS:
        if label in first:
            along = first.get(_ALONG.get(label, ""))
            steps.append(Step(first[label], along if _agree(first[label], along) else None))
    return steps


def _agree(one: Origin, other: Origin | None) -> bool:
    """Whether both are facts, or both claims: one line cannot be half of each."""
    return other is not None and one.is_stamped == other.is_stamped
