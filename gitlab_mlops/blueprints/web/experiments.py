"""The list of a project's experiments."""

from __future__ import annotations

from flask import Response

from gitlab_mlops.access import MaintainAccess, ReadAccess, WriteAccess
from gitlab_mlops.blueprints.web import formats, markdown, state
from gitlab_mlops.blueprints.web.facts import NOTE_TAG
from gitlab_mlops.blueprints.web.frames import STYLES, may
from gitlab_mlops.blueprints.web.page import page
from gitlab_mlops.blueprints.web.rendering import HTMX, people, render
from gitlab_mlops.blueprints.web.snippet import first_steps
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services import experiment_records, leaders, overview
from gitlab_mlops.services.objectives import DIRECTION_TAG, NAME_TAG
from gitlab_mlops.services.overview import ExperimentSummary, Position, Sort, View
from gitlab_mlops.wire import paging

PER_PAGE = 50
SORTS: tuple[Sort, ...] = ("activity", "name", "candidates")
VIEWS: tuple[View, ...] = ("active", "deleted")
MAX_TAG = 300
"""Characters of a note or a metric's name that the list needs."""


@page("/experiments", access=ReadAccess)
def experiments(access: ReadAccess) -> Response:
    """The project's experiments, or how to log the first candidate."""
    name, view, sort = state.text("name"), state.choice("view", VIEWS), state.choice("sort", SORTS)
    found, after = overview.list_experiments(
        access, name=name, view=view, sort=sort, after=_position(), limit=PER_PAGE
    )
    counts = overview.count_experiments(access)
    # Nothing here has a candidate yet: time to say how they come.
    is_bare = view == "active" and not name and not any(each.candidates for each in found)
    tags = _tags(access, found)
    return render(
        access,
        "experiments.html",
        title="Experiments",
        assets=(*STYLES, *(HTMX if is_bare else ())),
        experiments=found,
        notes={each: markdown.first_line(own.get(NOTE_TAG, "")) for each, own in tags.items()},
        # In the trash no candidate is left to be the best.
        leaders=leaders.leaders(access, tags) if view == "active" else {},
        notice=_notice(),
        may_write=may(access, WriteAccess),
        may_maintain=may(access, MaintainAccess),
        counts=counts,
        name=name,
        view=view,
        sort=sort,
        is_first_page=not state.text("after"),
        next_page=paging.encode({"after": after}) if after else "",
        people=people([each.actor_id for each in found]),
        snippet=first_steps(access, "first-steps") if is_bare else None,
    )


def _tags(access: ReadAccess, found: list[ExperimentSummary]) -> dict[int, dict[str, str]]:
    wanted = (NOTE_TAG, NAME_TAG, DIRECTION_TAG)
    return experiment_records.tags_of(access, [each.id for each in found], wanted, length=MAX_TAG)


def _notice() -> str:
    """What was deleted before this page, as its address tells."""
    deleted, freed = state.text("deleted"), state.text("freed")
    if not (_is_count(deleted) and _is_count(freed)):
        return ""
    many = formats.plural(int(deleted), "experiment")
    return f"{many} deleted for ever. That freed {formats.size(int(freed))}."


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _position() -> Position | None:
    token = state.text("after")
    if not token:
        return None
    position = paging.decode(token).get("after")
    if not isinstance(position, list):
        raise Invalid("This page does not exist: its address is not whole; start again.")
    return position
