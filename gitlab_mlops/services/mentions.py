"""Where candidates are mentioned: recorded when a text is saved, listed for who may see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, delete, select
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.hooks.signals import announce, candidate_mentioned
from gitlab_mlops.host import Host, Project, Source, SourceLink
from gitlab_mlops.models import Candidate, Mention
from gitlab_mlops.services.clock import now
from gitlab_mlops.services.references.context import Context
from gitlab_mlops.services.references.markdown import without_code
from gitlab_mlops.services.references.markup import occurrences
from gitlab_mlops.services.references.resolver import Target, projects, resolve
from gitlab_mlops.services.references.syntax import Kind, Reference, references
from gitlab_mlops.services.statements import upsert

BATCH = 500
"""Mentions that the forge is asked about at once."""
MAX_BATCHES = 20
"""Batches that one page looks through; older mentions than these are not found."""


class MentionPage(NamedTuple):
    """Where a candidate is mentioned, newest first; `next_cursor` is None on the last page."""

    links: list[SourceLink]
    next_cursor: int | None


def in_html(html: str, context: Context) -> list[Reference]:
    """What rendered HTML mentions: what a reader would see as a link, and links' own targets."""
    return [each.reference for each in occurrences(html, context.url_root)]


def in_markdown(text: str, context: Context) -> list[Reference]:
    """What Markdown mentions, more or less; `in_html` is exact."""
    return list(references(without_code(text), context.url_root))


def record(source: Source, mentioned: Iterable[Reference], context: Context) -> list[Target]:
    """Make the mentions of `source` those of a text that the context's actor saved.

    Mentions that the text no longer makes go. New ones are recorded of candidates that the actor
    may see, announced, and returned. What somebody else mentioned and the actor may not see stays,
    so that correcting a typo loses nothing. Nothing is committed.

    With several databases, mentions are looked for in that of the text's own project and those of
    the projects that the text names now: one in a third database, whose last reference was edited
    away, stays until the source is edited to name that project again.
    """
    named = {
        reference: project
        for reference, project in projects(mentioned, context).items()
        if reference.kind is Kind.CANDIDATE
    }
    keep = {(project.id, reference.iid) for reference, project in named.items()}
    targets = set(resolve(named, context).values())
    new: list[Target] = []
    for engine, session in _databases([context.project, *named.values()], context.host).items():
        mine = {each.id: each for each in targets if _engine(each.access.session) is engine}
        for target in _record_in(session, source, keep, mine, context):
            announce(candidate_mentioned, target.access, target.iid, source=source)
            new.append(target)
    return new


def forget(source: Source, project: Project, host: Host) -> None:
    """Delete the mentions of a source that is gone from `project`.

    With several databases, those in the database of the project; the others show to nobody, for
    the forge gives no link to a source that is gone.
    """
    host.session(project).execute(_delete_of(source))


def of(
    access: ReadAccess, candidate_id: int, host: Host, *, limit: int = 20, cursor: int | None = None
) -> MentionPage:
    """Who mentions this candidate of the project, as far as the reader may see it, newest first.

    `cursor` is the `next_cursor` of the page before. There is a next page only if it has a link
    on it, so nothing tells of mentions that the reader may not see.
    """
    if host.references is None:
        return MentionPage([], None)
    shown: list[tuple[int, SourceLink]] = []
    for batch in _batches(access, candidate_id, cursor):
        links = host.references.links(access.actor, list(batch.values()))
        shown += [(i, links[source]) for i, source in batch.items() if source in links]
        if len(shown) > limit:
            return MentionPage([link for _, link in shown[:limit]], shown[limit - 1][0])
    return MentionPage([link for _, link in shown], None)


def _batches(
    access: ReadAccess, candidate_id: int, cursor: int | None
) -> Iterator[Mapping[int, Source]]:
    """Mentions of the candidate as {mention id: source}, newest first."""
    mentions = (
        select(Mention.id, Mention.source_project_id, Mention.source_kind, Mention.source_id)
        .join(Candidate, Candidate.id == Mention.candidate_id)
        .where(Candidate.project_id == access.project.id, Candidate.id == candidate_id)
        .order_by(Mention.id.desc())
        .limit(BATCH)
    )
    if access.actor is not None and access.actor.project_id is not None:
        mentions = mentions.where(Mention.source_project_id == access.actor.project_id)
    for _ in range(MAX_BATCHES):
        page = mentions if cursor is None else mentions.where(Mention.id < cursor)
        batch = {row[0]: Source(*row[1:]) for row in access.session.execute(page)}
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        cursor = min(batch)


def _databases(used: Iterable[Project], host: Host) -> dict[Engine, Session]:
    """A session for each database; two in one database would wait for each other's locks."""
    databases: dict[Engine, Session] = {}
    for project in dict.fromkeys(used):
        session = host.session(project)
        databases.setdefault(_engine(session), session)
    return databases


def _engine(session: Session) -> Engine:
    return session.get_bind().engine


def _record_in(
    session: Session,
    source: Source,
    keep: set[tuple[int, int]],
    targets: dict[int, Target],
    context: Context,
) -> list[Target]:
    """Bring the mentions in one database up to date; returns the targets that are new."""
    before = session.execute(
        select(Mention.candidate_id, Candidate.project_id, Candidate.iid)
        .join(Candidate, Candidate.id == Mention.candidate_id)
        .where(*_by(source))
    ).all()
    if gone := [row.candidate_id for row in before if (row.project_id, row.iid) not in keep]:
        session.execute(_delete_of(source).where(Mention.candidate_id.in_(gone)))
    new = targets.keys() - {row.candidate_id for row in before}
    return [targets[i] for i in _insert(session, source, sorted(new), context)]


def _insert(
    session: Session, source: Source, candidate_ids: list[int], context: Context
) -> list[int]:
    """Store mentions; returns those that nobody else stored at the same time."""
    if not candidate_ids:
        return []
    row = {
        "source_project_id": source.project_id,
        "source_kind": source.kind,
        "source_id": source.id,
        "actor_id": context.actor.id if context.actor else None,
        "created_at": now(),
    }
    statement = upsert(session, Mention).values([{**row, "candidate_id": i} for i in candidate_ids])
    stored = session.execute(
        statement.on_conflict_do_nothing().returning(Mention.__table__.c.candidate_id)
    )
    return sorted(stored.scalars())


def _by(source: Source) -> tuple[ColumnElement[bool], ...]:
    return (
        Mention.source_project_id == source.project_id,
        Mention.source_kind == source.kind,
        Mention.source_id == source.id,
    )


def _delete_of(source: Source) -> Any:
    return delete(Mention).where(*_by(source)).execution_options(synchronize_session=False)
