"""The candidates that a merge request or issue mentions, as far as a reader may see them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import select

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.host import Host, Project, Source
from gitlab_mlops.models import Candidate, Mention
from gitlab_mlops.services.proposals import listing
from gitlab_mlops.services.proposals.listing import Key, Listed

MAX_MENTIONS = 2_000
"""Mentions of one source that are looked at, the newest; a text makes 1,000 at most."""
MAX_PROJECTS = 50
"""Projects that one source mentions candidates of; the forge is asked about each."""

Readable = Callable[[Project], ReadAccess | None]


class Mentions(NamedTuple):
    """The candidates that show, the newest mention first, of `total` that the reader may see."""

    shown: list[Listed]
    total: int


def mentioned_by(
    source: Source, project: Project, host: Host, readable: Readable, *, limit: int
) -> Mentions:
    """The candidates that `source`, of `project`, mentions, in the trash or not.

    `readable` gives access to a project if the reader may see it. The forge is asked about each
    project once; what this asks the databases does not depend on how many there are.
    """
    found = [key for keys in _keys(source, project, host) for key in keys]
    accesses = _accesses(dict.fromkeys(project_id for project_id, _ in found), host, readable)
    seen = [key for key in found if key[0] in accesses]
    return Mentions(listing.load(accesses, seen[:limit]), len(seen))


def _keys(source: Source, project: Project, host: Host) -> Iterator[list[Key]]:
    """What is mentioned, by database: that of the source's own project first.

    Mentions are in the database of the candidate. Others than the source's are read through
    connections of their own, for there is no project yet whose session to ask for.
    """
    statement = _newest(source)
    session = host.session(project)
    yield [(row[0], row[1]) for row in session.execute(statement)]
    own = session.get_bind().engine
    for engine in host.engines():
        if engine is not own:
            with engine.connect() as connection:
                yield [(row[0], row[1]) for row in connection.execute(statement)]


def _newest(source: Source) -> Any:
    return (
        select(Candidate.project_id, Candidate.id)
        .join(Mention, Mention.candidate_id == Candidate.id)
        .where(
            Mention.source_project_id == source.project_id,
            Mention.source_kind == source.kind,
            Mention.source_id == source.id,
        )
        .order_by(Mention.id.desc())
        .limit(MAX_MENTIONS)
    )


def _accesses(project_ids: Iterable[int], host: Host, readable: Readable) -> dict[int, ReadAccess]:
    """Access to those of the projects that the reader may see."""
    found: dict[int, ReadAccess] = {}
    for project_id in islice(project_ids, MAX_PROJECTS):
        project = host.projects.by_id(project_id)
        access = readable(project) if project is not None else None
        if access is not None:
            found[project_id] = access
    return found
