"""Searching experiments means on SQLite and on PostgreSQL what it means in MLflow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import create_engine, insert
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.errors import Invalid
from gitlab_mlops.host import Project
from gitlab_mlops.models import Base, Experiment, ExperimentTag
from gitlab_mlops.services import experiment_records
from gitlab_mlops.services.search import search_experiments
from gitlab_mlops.wire.filters import parse_experiment_filter
from gitlab_mlops.wire.order import parse_experiment_order
from gitlab_mlops.wire.paging import search_position, search_token
from tests.postgresql import new_postgresql_database

PROJECT, OTHER_PROJECT = 7, 8


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def access(request: pytest.FixtureRequest) -> Iterator[ReadAccess]:
    """Somebody who may read a project with four experiments, one of them in the trash."""
    url = "sqlite://"
    if request.param == "postgresql":
        url = new_postgresql_database(request.getfixturevalue("postgresql_url"))
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        _experiment(session, 1, PROJECT, 0, "Default", 10)
        _experiment(session, 2, PROJECT, 1, "a%b", 30, tags={"team": "Vision", "other key": "x'y"})
        _experiment(session, 3, PROJECT, 2, "axb", 30, tags={"team": "vision"})
        _experiment(session, 4, PROJECT, 3, "gone", 40, deleted_at=1)
        _experiment(session, 5, OTHER_PROJECT, 1, "alien", 50, tags={"team": "vision"})
        yield ReadAccess(None, Project(PROJECT, "group/vision"), session)
    engine.dispose()


def _experiment(
    session: Session, identifier: int, project: int, iid: int, name: str, created: int, *,
    tags: dict[str, str] | None = None, deleted_at: int | None = None,
) -> None:  # fmt: skip
    session.execute(
        insert(Experiment).values(
            id=identifier, project_id=project, iid=iid, name=name, created_at=created,
            updated_at=100 - created, deleted_at=deleted_at,
        )
    )  # fmt: skip
    for key, value in (tags or {}).items():
        session.execute(
            insert(ExperimentTag).values(experiment_id=identifier, key=key, value=value)
        )


def find(access: ReadAccess, where: str = "", *order: str, **more: Any) -> list[str]:
    """Names of the experiments that a filter finds, in order."""
    page = search_experiments(
        access,
        where=parse_experiment_filter(where),
        order=parse_experiment_order(order),
        **{"limit": 10, **more},
    )
    assert page.after is None
    return [record.name for record in experiment_records.load(access, page.rows)]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("name = 'axb'", "axb"),
        ("name != 'axb'", "a%b Default"),
        ("name LIKE 'a_b'", "a%b axb"),
        ("name LIKE 'A%'", ""),
        ("name ILIKE 'A%'", "a%b axb"),
        ("attribute.name LIKE 'De%'", "Default"),
        ("experiment_id = '0'", "Default"),
        ("experiment_id != '0'", "a%b axb"),
        ("experiment_id IN ('1', '2', '99999999999999999999')", "a%b axb"),
        ("experiment_id NOT IN ('1', '2')", "Default"),
        ("experiment_id = '99999999999999999999'", ""),
        ("experiment_id != '99999999999999999999'", "a%b axb Default"),
        ("experiment_id = '-1'", ""),
        ("creation_time > 10", "a%b axb"),
        ("creation_time >= 10 AND last_update_time = 90", "Default"),
        ("creation_time < 99999999999999999999", "a%b axb Default"),
        ("tags.team = 'vision'", "axb"),
        ("tags.team ILIKE 'VIS%'", "a%b axb"),
        ("tags.team != 'vision'", "a%b"),
        ("tags.team IS NULL", "Default"),
        ("tags.team IS NOT NULL", "a%b axb"),
        ('tags.`other key` LIKE "x\'%"', "a%b"),
        ("tags.team = 'vision' OR experiment_id = '0'", "Default axb"),
    ],
)
def test_a_filter_finds_what_it_says(access: ReadAccess, where: str, expected: str) -> None:
    assert sorted(find(access, where)) == sorted(expected.split())


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ([], "a%b axb Default"),
        (["creation_time"], "Default axb a%b"),
        (["creation_time DESC"], "axb a%b Default"),
        (["last_update_time DESC"], "Default axb a%b"),
        (["experiment_id DESC"], "axb a%b Default"),
        (["name DESC"], None),
        (["creation_time DESC", "experiment_id ASC"], "a%b axb Default"),
    ],
)
def test_an_order_is_followed_on_every_page(
    access: ReadAccess, order: list[str], expected: str | None
) -> None:
    whole = find(access, "", *order)
    if expected is not None:
        assert whole == expected.split()
    orders, token, paged = parse_experiment_order(order), "", []
    for _ in range(5):
        page = search_experiments(
            access, order=orders, limit=1, after=search_position(token, orders)
        )
        paged += [record.name for record in experiment_records.load(access, page.rows)]
        if page.after is None:
            break
        token = search_token(page.after, orders)
    assert paged == whole
    assert len(paged) == 3


def test_a_view_shows_the_trash_the_rest_or_both(access: ReadAccess) -> None:
    assert find(access, view="deleted") == ["gone"]
    assert find(access, view="all")[0] == "gone"
    assert "gone" not in find(access)


def test_a_position_of_another_order_is_refused(access: ReadAccess) -> None:
    with pytest.raises(Invalid, match="page token"):
        search_experiments(access, limit=1, after=["name", 1])
