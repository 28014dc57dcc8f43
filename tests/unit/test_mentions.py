"""Mentions are recorded for what an author may see, and shown to who may see the source."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, insert, select
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess, grant
from gitlab_mlops.hooks import signals
from gitlab_mlops.host import Actor, Project, Source
from gitlab_mlops.models import Base, Mention
from gitlab_mlops.services import mentions
from gitlab_mlops.services.purge import purge_project
from gitlab_mlops.services.references import Context
from gitlab_mlops.settings import Settings
from tests.fakes import FakeForge, actor
from tests.unit.rows import add_candidate, add_candidates, counted

AUTHOR, EDITOR = actor("author"), actor("editor")


@pytest.fixture
def forge(session: Session) -> FakeForge:
    return FakeForge(lambda project: session)


@pytest.fixture
def project(forge: FakeForge) -> Project:
    return forge.add_project("group/project", AUTHOR, EDITOR)


@pytest.fixture
def secret(forge: FakeForge) -> Project:
    """A project that the author reads and the editor does not."""
    return forge.add_project("group/secret", AUTHOR)


@pytest.fixture
def issue(forge: FakeForge, project: Project) -> Source:
    return forge.add_source(project)


def save(forge: FakeForge, source: Source, html: str, author: Actor = AUTHOR) -> None:
    here = forge.projects[source.project_id]
    context = Context(author, here, forge.host(), Settings(), "https://forge.example/")
    mentions.record(source, mentions.in_html(html, context), context)


def recorded(session: Session, source: Source) -> list[int]:
    """Ids of the candidates that the source is known to mention."""
    mine = (
        Mention.source_project_id == source.project_id,
        Mention.source_kind == source.kind,
        Mention.source_id == source.id,
    )
    return sorted(session.scalars(select(Mention.candidate_id).where(*mine)))


def access(forge: FakeForge, project: Project, reader: Actor | None = AUTHOR) -> ReadAccess:
    return grant(ReadAccess, forge.host(), Settings(), reader, project)


def page(
    forge: FakeForge, project: Project, candidate_id: int, reader: Actor | None, **more: Any
) -> mentions.MentionPage:
    return mentions.of(access(forge, project, reader), candidate_id, forge.host(), **more)


def test_a_mention_is_recorded_once_per_source(
    forge: FakeForge, project: Project, issue: Source, session: Session
) -> None:
    candidate = add_candidate(session, project, 42)
    url = "https://forge.example/group/project/-/ml/candidates/42"
    save(forge, issue, f"[candidate:42] [candidate:42] [candidate:group/project/42] {url}")
    assert recorded(session, issue) == [candidate.id]
    save(forge, issue, "[candidate:42]")
    assert recorded(session, issue) == [candidate.id]
    (mention,) = session.scalars(select(Mention))
    assert mention.actor_id == AUTHOR.id
    assert abs(mention.created_at - time.time() * 1000) < 60_000


def test_a_link_with_other_words_is_a_mention(
    forge: FakeForge, project: Project, issue: Source, session: Session
) -> None:
    candidate = add_candidate(session, project, 42)
    url = "https://forge.example/group/project/-/ml/candidates/42"
    save(forge, issue, f'<a href="{url}">our best</a>')
    assert recorded(session, issue) == [candidate.id]


def test_what_is_no_candidate_is_linked_and_not_recorded(
    forge: FakeForge, project: Project, issue: Source, session: Session
) -> None:
    candidate = add_candidate(session, project, 42)
    other = add_candidate(session, project, 0)
    save(forge, issue, "[candidate:42] [experiment:0] [model:churn/42] [model:42]")
    assert recorded(session, issue) == [candidate.id] != [other.id]
    save(forge, issue, "[experiment:0] [experiment:42] [model:42]")
    assert recorded(session, issue) == []


def test_code_mentions_nothing(
    forge: FakeForge, project: Project, issue: Source, session: Session
) -> None:
    add_candidate(session, project, 42)
    save(forge, issue, "<code>[candidate:42]</code>")
    assert recorded(session, issue) == []


def test_a_mention_that_was_edited_away_goes(
    forge: FakeForge, project: Project, issue: Source, session: Session
) -> None:
    one, two = add_candidate(session, project, 1), add_candidate(session, project, 2)
    other = forge.add_source(project)
    save(forge, issue, "[candidate:1]")
    save(forge, other, "[candidate:1]")
    save(forge, issue, "[candidate:2]")
    assert recorded(session, issue) == [two.id]
    assert recorded(session, other) == [one.id]
    save(forge, issue, "nothing")
    assert recorded(session, issue) == []


def test_sources_are_told_apart_by_project_kind_and_id(
    forge: FakeForge, project: Project, secret: Project, session: Session
) -> None:
    candidate = add_candidate(session, project, 42)
    sources = [
        Source(project.id, "issue", "1"),
        Source(project.id, "issue", "11"),
        Source(project.id, "merge_request", "1"),
        Source(secret.id, "issue", "1"),
    ]
    for source in sources:
        save(forge, source, "[candidate:group/project/42]")
    mentions.forget(sources[0], project, forge.host())
    assert [recorded(session, source) for source in sources] == [[], *[[candidate.id]] * 3]


@pytest.mark.parametrize(
    "author",
    [
        actor("outsider"),
        actor("author", project_id=1),
        actor("author", scopes=frozenset({"read_issues"})),
    ],
    ids=["outsider", "token of another project", "token of too narrow scope"],
)
def test_a_candidate_that_the_author_may_not_see_is_not_recorded(
    forge: FakeForge, project: Project, secret: Project, session: Session, author: Actor
) -> None:
    add_candidate(session, secret, 42)
    issue = forge.add_source(project)
    save(forge, issue, "[candidate:group/secret/42]", author)
    assert recorded(session, issue) == []


def test_an_edit_by_somebody_who_sees_less_loses_nothing(
    forge: FakeForge, project: Project, secret: Project, issue: Source, session: Session
) -> None:
    hidden = add_candidate(session, secret, 42)
    visible = add_candidate(session, project, 7)
    save(forge, issue, "[candidate:group/secret/42]")
    save(forge, issue, "[candidate:group/secret/42] [candidate:7]", EDITOR)
    assert recorded(session, issue) == sorted([hidden.id, visible.id])
    save(forge, issue, "[candidate:7]", EDITOR)
    assert recorded(session, issue) == [visible.id]


def test_a_new_mention_is_announced_once(
    forge: FakeForge, project: Project, issue: Source, session: Session
) -> None:
    add_candidate(session, project, 42)
    heard: list[dict[str, Any]] = []

    def hear(_sender: object, **facts: Any) -> None:
        heard.append(facts)

    with signals.candidate_mentioned.connected_to(hear):
        save(forge, issue, "[candidate:42] [candidate:43]")
        save(forge, issue, "[candidate:42] again")
    assert heard == [
        {"project": project, "iid": 42, "actor": AUTHOR, "session": session, "source": issue}
    ]


def test_a_thousand_mentions_in_one_text_take_few_queries(
    forge: FakeForge, project: Project, issue: Source, session: Session, engine: Engine
) -> None:
    add_candidates(session, project, range(1, 1001))
    html = " ".join(f"[candidate:{i}]" for i in range(1, 1001))
    start = time.perf_counter()
    with counted(engine) as statements:
        save(forge, issue, html)
        save(forge, issue, html)
        save(forge, issue, "")
    assert time.perf_counter() - start < 3
    # candidates, mentions before, insert; the same without an insert; mentions before, delete
    assert len(statements) == 7
    assert recorded(session, issue) == []


def test_the_list_shows_links_newest_first(
    forge: FakeForge, project: Project, session: Session
) -> None:
    candidate = add_candidate(session, project, 42)
    sources = [forge.add_source(project) for _ in range(3)]
    for source in sources:
        save(forge, source, "[candidate:42]")
    newest_first = [forge.sources[source] for source in reversed(sources)]
    assert page(forge, project, candidate.id, AUTHOR) == (newest_first, None)
    first = page(forge, project, candidate.id, AUTHOR, limit=2)
    assert first.links == newest_first[:2]
    assert page(forge, project, candidate.id, AUTHOR, limit=2, cursor=first.next_cursor) == (
        newest_first[2:],
        None,
    )


def test_the_list_has_only_what_the_reader_may_see(
    forge: FakeForge, secret: Project, session: Session
) -> None:
    public = forge.add_project("group/public", public=True)
    candidate = add_candidate(session, public, 42)
    visible, hidden = forge.add_source(public), forge.add_source(secret)
    for source in (visible, hidden):
        save(forge, source, "[candidate:group/public/42]")
    only = ([forge.sources[visible]], None)
    assert len(page(forge, public, candidate.id, AUTHOR).links) == 2
    assert page(forge, public, candidate.id, None) == only
    # With room for one, the hidden one must not show as a next page.
    assert page(forge, public, candidate.id, None, limit=1) == only
    bound = actor("author", project_id=public.id)
    assert page(forge, public, candidate.id, bound) == only


def test_another_projects_candidate_has_no_mentions_here(
    forge: FakeForge, project: Project, secret: Project, issue: Source, session: Session
) -> None:
    candidate = add_candidate(session, secret, 42)
    save(forge, issue, "[candidate:group/secret/42]")
    assert page(forge, project, candidate.id, EDITOR) == ([], None)


def test_a_forge_without_references_shows_none(
    forge: FakeForge, project: Project, issue: Source, session: Session
) -> None:
    candidate = add_candidate(session, project, 42)
    save(forge, issue, "[candidate:42]")
    host = forge.host(references=None)
    assert mentions.of(access(forge, project), candidate.id, host) == ([], None)


@pytest.fixture
def crowd(forge: FakeForge, project: Project, session: Session) -> tuple[int, list[Source]]:
    """A candidate with 10,000 mentions: its id, and their sources, oldest first."""
    candidate = add_candidate(session, project, 42)
    sources = [Source(project.id, "issue", str(i)) for i in range(10_000)]
    rows = [
        {
            "candidate_id": candidate.id,
            "source_project_id": source.project_id,
            "source_kind": source.kind,
            "source_id": source.id,
            "created_at": 0,
        }
        for source in sources
    ]
    session.execute(insert(Mention), rows)
    return candidate.id, sources


def test_a_page_of_ten_thousand_mentions_takes_one_query(
    forge: FakeForge, project: Project, engine: Engine, crowd: tuple[int, list[Source]]
) -> None:
    candidate_id, sources = crowd
    seen = forge.add_source(project)
    forge.sources = dict.fromkeys(sources, forge.sources[seen])
    start = time.perf_counter()
    with counted(engine) as statements:
        first = page(forge, project, candidate_id, AUTHOR)
    assert time.perf_counter() - start < 1
    assert len(first.links) == 20
    assert first.next_cursor is not None
    assert len(statements) == forge.calls["links"] == 1


def test_ten_thousand_hidden_mentions_take_a_bounded_number_of_queries(
    forge: FakeForge, project: Project, engine: Engine, crowd: tuple[int, list[Source]]
) -> None:
    candidate_id, sources = crowd
    link = forge.sources[forge.add_source(project)]
    forge.sources = {sources[0]: link}  # the oldest is the only one to be seen
    start = time.perf_counter()
    with counted(engine) as statements:
        only = page(forge, project, candidate_id, AUTHOR)
    assert time.perf_counter() - start < 1
    assert only == ([link], None)
    assert len(statements) == forge.calls["links"] == mentions.MAX_BATCHES


@pytest.fixture
def databases() -> Iterator[tuple[Session, Session]]:
    """Two databases of their own."""
    engines = [create_engine("sqlite://") for _ in range(2)]
    for engine in engines:
        Base.metadata.create_all(engine)
    with Session(engines[0]) as one, Session(engines[1]) as two:
        yield one, two
    for engine in engines:
        engine.dispose()


def test_mentions_are_kept_where_the_candidate_is(databases: tuple[Session, Session]) -> None:
    one, two = databases
    forge = FakeForge(lambda project: one if project.path == "group/one" else two)
    here, there = forge.add_project("group/one", AUTHOR), forge.add_project("group/two", AUTHOR)
    near, far = add_candidate(one, here, 42), add_candidate(two, there, 42)
    assert near.id == far.id
    issue = forge.add_source(here)
    save(forge, issue, "[candidate:42] [candidate:group/two/42]")
    assert (recorded(one, issue), recorded(two, issue)) == ([near.id], [far.id])
    save(forge, issue, "[candidate:group/two/42] [candidate:group/two/1]")
    assert (recorded(one, issue), recorded(two, issue)) == ([], [far.id])
    assert page(forge, there, far.id, AUTHOR).links == [forge.sources[issue]]


def test_two_sessions_of_one_database_do_not_wait_for_each_other(engine: Engine) -> None:
    with Session(engine) as one, Session(engine) as two:
        forge = FakeForge(lambda project: one if project.path == "group/one" else two)
        here, there = forge.add_project("group/one", AUTHOR), forge.add_project("group/two", AUTHOR)
        ids = [add_candidate(one, project, 42).id for project in (here, there)]
        issue = forge.add_source(here)
        one.commit()
        try:
            save(forge, issue, "[candidate:42] [candidate:group/two/42]")
            assert recorded(one, issue) == sorted(ids)
            save(forge, issue, "[candidate:group/two/42]")
            assert recorded(one, issue) == ids[1:]
        finally:
            one.rollback()
            for project in (here, there):
                purge_project(one, project.id, lambda project_id: None)
            one.commit()


def test_nothing_is_committed(databases: tuple[Session, Session]) -> None:
    session, _ = databases
    forge = FakeForge(lambda project: session)
    project = forge.add_project("group/project", AUTHOR)
    candidate = add_candidate(session, project, 42)
    issue, other = forge.add_source(project), forge.add_source(project)
    save(forge, issue, "[candidate:42]")
    session.commit()
    save(forge, other, "[candidate:42]")
    mentions.forget(issue, project, forge.host())
    session.rollback()
    assert (recorded(session, issue), recorded(session, other)) == ([candidate.id], [])
