"""Searching candidates means on SQLite and on PostgreSQL what it means in MLflow."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import create_engine, event, insert, text
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.errors import Invalid
from gitlab_mlops.host import Project
from gitlab_mlops.models import (
    Base,
    Candidate,
    CandidateTag,
    Dataset,
    Experiment,
    Input,
    InputTag,
    MetricKey,
    MetricSeries,
    Param,
    Status,
)
from gitlab_mlops.services import records
from gitlab_mlops.services.expressions import Comparison, Order
from gitlab_mlops.services.search import search_candidates, selectivity
from gitlab_mlops.wire.filters import parse_candidate_filter
from gitlab_mlops.wire.order import parse_candidate_order
from gitlab_mlops.wire.paging import search_position, search_token
from tests.postgresql import new_postgresql_database

PROJECT, OTHER_PROJECT = 7, 8
INFINITY = math.inf


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A session of an empty database, with what the module's tests find."""
    url = "sqlite://"
    if request.param == "postgresql":
        url = new_postgresql_database(request.getfixturevalue("postgresql_url"))
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        Store(session).fill()
        yield session
    engine.dispose()


class Store:
    """Puts rows into the tables."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.keys: dict[tuple[int, str], int] = {}

    def fill(self) -> None:
        """Five candidates that differ in everything, and two that must not be found."""
        for identifier, project, iid in [(1, PROJECT, 1), (2, PROJECT, 2), (3, OTHER_PROJECT, 1)]:
            self.experiment(identifier, project, iid)
        self.candidate(
            "ada", 1, 1000, status=Status.FINISHED, end_time=2500, user_id="ann",
            metrics={"acc": 0.5, "loss": 3.0, "val loss": 1.0},
            params={"lr": "0.1", "opt": "SGD", "path": "C:\\dir\\", "a.b": "1", "odd": "a*b?c[d]e"},
            tags={"team": "x", "k/1": "100%", "note": "it''s"},
            datasets=[("iris", "d1", "training"), ("wine", "d2", "eval")],
        )  # fmt: skip
        self.candidate(
            "bob", 1, 2000, status=Status.FAILED, end_time=2600, user_id="Bea",
            metrics={"acc": 0.9, "loss": 1.0}, params={"lr": "0.01", "opt": "sgd"},
            tags={"team": "y", "note": "it's"}, datasets=[("iris", "d9", None)],
        )  # fmt: skip
        self.candidate(
            "cyd", 1, 3000, metrics={"acc": math.nan, "loss": INFINITY},
            params={"lr": "10", "odd": "aXbYcZdZe"}, tags={"team": "X", "k/1": "100x"},
        )  # fmt: skip
        self.candidate("dan", 1, 3000, metrics={"loss": -INFINITY}, params={"opt": "Adam_W"})
        self.candidate("eve", 1, None, metrics={"acc": 0.7, "loss": 1.0}, tags={"team": ""})
        self.candidate("gone", 1, 9000, deleted_at=1, metrics={"acc": 0.99})
        self.candidate("two", 2, 500, metrics={"acc": 0.6})
        self.candidate("far", 3, 500, project=OTHER_PROJECT, metrics={"acc": 0.6, "alien": 1.0})
        self.session.commit()

    def add(self, model: Any, **values: Any) -> int:
        """Insert a row; its id, if it has one."""
        result = self.session.execute(insert(model).values(**values))
        return int(result.inserted_primary_key[0])

    def experiment(self, identifier: int, project: int, iid: int) -> None:
        """An experiment."""
        self.add(
            Experiment, id=identifier, project_id=project, iid=iid, name=f"e{iid}",
            created_at=1, updated_at=1,
        )  # fmt: skip

    def candidate(
        self, name: str, experiment: int, start: int | None, *,
        project: int = PROJECT, metrics: dict[str, float] | None = None,
        params: dict[str, str] | None = None, tags: dict[str, str] | None = None,
        datasets: Sequence[tuple[str, str, str | None]] = (), **more: Any,
    ) -> None:  # fmt: skip
        """A candidate; its eid begins with its name."""
        values = {"status": Status.RUNNING, "user_id": "", "created_at": 1, **more}
        number = self.session.query(Candidate).count() + 1
        identifier = self.add(
            Candidate, project_id=project, experiment_id=experiment, iid=number,
            eid=f"{name}-{number}", name=name, start_time=start, **values,
        )  # fmt: skip
        for key, value in (metrics or {}).items():
            self.add(
                MetricSeries, candidate_id=identifier, experiment_id=experiment,
                key_id=self.key(project, key), step=0, timestamp=0, value=value,
            )  # fmt: skip
        for key, text_ in (params or {}).items():
            self.add(
                Param, candidate_id=identifier, experiment_id=experiment, key=key, value=text_
            )  # fmt: skip
        for key, text_ in (tags or {}).items():
            self.add(CandidateTag, candidate_id=identifier, key=key, value=text_)
        for dataset in datasets:
            self.dataset(identifier, experiment, *dataset)

    def key(self, project: int, key: str) -> int:
        """The id of a metric's name."""
        if (project, key) not in self.keys:
            self.keys[project, key] = self.add(MetricKey, project_id=project, key=key)
        return self.keys[project, key]

    def dataset(
        self, candidate: int, experiment: int, name: str, digest: str, context: str | None
    ) -> None:
        """A candidate uses a dataset."""
        identifier = self.add(
            Dataset, experiment_id=experiment, name=name, digest=digest, source_type="local",
            source="s",
        )  # fmt: skip
        self.add(Input, candidate_id=candidate, dataset_id=identifier)
        if context:
            self.add(
                InputTag, candidate_id=candidate, dataset_id=identifier,
                key="mlflow.data.context", value=context,
            )  # fmt: skip


@pytest.fixture
def access(session: Session) -> ReadAccess:
    """Somebody who may read the project."""
    return ReadAccess(None, Project(PROJECT, "group/vision"), session)


Find = Callable[..., list[str]]


@pytest.fixture
def find(access: ReadAccess) -> Find:
    """Names of the candidates of experiment 1 that a filter finds, in order."""

    def find(where: str = "", *order: str, experiments: Sequence[int] = (1,), **more: Any) -> Any:
        page = search_candidates(
            access,
            experiments,
            where=parse_candidate_filter(where),
            order=parse_candidate_order(order),
            **{"limit": 100, **more},
        )
        assert page.after is None
        return names(access, page.rows)

    return find


def names(access: ReadAccess, rows: Any) -> list[str]:
    """Names of the candidates in a page."""
    return [record.name for record in records.load(access, rows)]


FILTERS = [
    ("metrics.acc > 0.5", "bob eve"),
    ("metrics.acc >= 0.5", "ada bob eve"),
    ("metrics.acc < 0.9", "ada eve"),
    ("metrics.acc <= 0.9", "ada bob eve"),
    ("metrics.acc = 0.9", "bob"),
    ("metrics.acc != 0.9", "ada cyd eve"),
    ("metrics.acc != 0.5 AND metrics.acc > 0", "bob eve"),
    ("metrics.acc > 0.5 AND metrics.acc < 0.8", "eve"),
    ("metrics.acc > 1e400", ""),
    ("metrics.loss > 1e308", "cyd"),
    ("metrics.loss = 1e400", "cyd"),
    ("metrics.loss < -1e308", "dan"),
    ("metrics.loss >= 1", "ada bob cyd eve"),
    ("metrics.nothing != 0", ""),
    ("metrics.alien = 1", ""),
    ("metrics.`val loss` = 1", "ada"),
    ("metrics.acc > 0.4 AND metrics.loss > 1 AND metrics.`val loss` > 0", "ada"),
    ("params.lr = '0.1'", "ada"),
    ("params.lr != '0.1'", "bob cyd"),
    ("params.opt LIKE 'S%'", "ada"),
    ("params.opt LIKE 's_d'", "bob"),
    ("params.opt ILIKE 'sG%'", "ada bob"),
    ("params.opt LIKE '%_W'", "dan"),
    ("params.opt ILIKE '%m\\_w'", ""),
    ("params.opt IS NULL", "cyd eve"),
    ("params.opt IS NOT NULL", "ada bob dan"),
    ("params.path = 'C:\\dir\\'", "ada"),
    ("params.path LIKE 'C:\\%'", "ada"),
    ("params.path LIKE '%\\'", "ada"),
    ("params.path ILIKE 'c:\\DIR\\'", "ada"),
    ("params.odd LIKE 'a*b?c[d]e'", "ada"),
    ("params.odd LIKE 'a_b_c_d_e'", "ada cyd"),
    ("params.odd LIKE '%[d]%'", "ada"),
    ("params.odd LIKE '[a]%'", ""),
    ("params.odd LIKE '%'", "ada cyd"),
    ("params.a.b = '1'", "ada"),
    ("tags.team = 'x'", "ada"),
    ("tags.team = ''", "eve"),
    ("tags.team != 'x'", "bob cyd eve"),
    ("tags.team ILIKE 'x'", "ada cyd"),
    ("tags.team LIKE '%'", "ada bob cyd eve"),
    ("tags.team LIKE '_'", "ada bob cyd"),
    ("tags.`k/1` LIKE '100%'", "ada cyd"),
    ("tags.`k/1` LIKE '100\\%'", ""),
    ("tags.note = 'it''s'", "ada"),
    ('tags.note = "it\'s"', "bob"),
    ("run_name = 'ada'", "ada"),
    ("run_name != 'ada'", "bob cyd dan eve"),
    ("run_name LIKE '%d%'", "ada cyd dan"),
    ("run_name ILIKE 'A%'", "ada"),
    ("status = 'FINISHED'", "ada"),
    ("status = 'finished'", ""),
    ("status = 'DREAMING'", ""),
    ("status != 'RUNNING'", "ada bob"),
    ("status LIKE 'F%'", "ada bob"),
    ("status ILIKE 'fin%'", "ada"),
    ("run_id = 'ada-1'", "ada"),
    ("run_id IN ('ada-1', 'bob-2', 'gone-6', 'far-8')", "ada bob"),
    ("run_id NOT IN ('ada-1', 'bob-2')", "cyd dan eve"),
    ("user_id = 'ann'", "ada"),
    ("user_id ILIKE 'B%'", "bob"),
    ("artifact_uri = 'mlflow-artifacts:/1/ada-1/artifacts'", "ada"),
    ("artifact_uri LIKE 'mlflow-artifacts:/1/%'", "ada bob cyd dan eve"),
    ("start_time > 2000", "cyd dan"),
    ("start_time >= 1999.5", "bob cyd dan"),
    ("start_time = 2000.0", "bob"),
    ("start_time != 1000", "bob cyd dan"),
    ("start_time < 99999999999999999999999", "ada bob cyd dan"),
    ("end_time > 0", "ada bob"),
    ("end_time != 2500", "bob"),
    ("dataset.name = 'iris'", "ada bob"),
    ("dataset.name = 'iris' AND dataset.digest = 'd2'", "ada"),
    ("dataset.name != 'iris'", "ada"),
    ("dataset.name LIKE 'I%'", ""),
    ("dataset.digest IN ('d1', 'd9')", "ada bob"),
    ("dataset.digest NOT IN ('d1', 'd9')", "ada"),
    ("dataset.context = 'training'", "ada"),
    ("dataset.context ILIKE 'TRAIN%'", "ada"),
    ("dataset.context != 'training'", "ada"),
    ("metrics.acc > 0.8 OR tags.team = 'x'", "ada bob"),
    ("metrics.acc > 0.8 OR metrics.acc < 0.6 AND run_name = 'eve'", "bob"),
    ("(metrics.acc > 0.8 OR metrics.acc < 0.6) AND params.lr = '0.1'", "ada"),
    ("params.lr = '10' OR (params.opt LIKE 'A%' OR metrics.nothing > 1)", "cyd dan"),
]


@pytest.mark.parametrize(("where", "expected"), FILTERS)
def test_a_filter_finds_what_it_says(find: Find, where: str, expected: str) -> None:
    assert sorted(find(where)) == expected.split()


ORDERS = [
    ([], "cyd dan bob ada eve"),
    (["start_time"], "ada bob cyd dan eve"),
    (["start_time DESC"], "cyd dan bob ada eve"),
    (["metrics.acc"], "ada eve bob cyd dan"),
    (["metrics.acc DESC"], "bob eve ada cyd dan"),
    (["metrics.loss"], "dan bob eve ada cyd"),
    (["metrics.loss DESC"], "cyd ada bob eve dan"),
    (["metrics.nothing DESC"], "cyd dan bob ada eve"),
    (["metrics.nothing", "run_name DESC"], "eve dan cyd bob ada"),
    (["run_name DESC", "metrics.nothing"], "eve dan cyd bob ada"),
    (["params.lr"], "bob ada cyd dan eve"),
    (["params.lr DESC"], "cyd ada bob dan eve"),
    (["tags.note"], "ada bob cyd dan eve"),
    (["end_time"], "ada bob cyd dan eve"),
    (["end_time DESC"], "bob ada cyd dan eve"),
    (["status", "run_id DESC"], "bob ada eve dan cyd"),
    (["run_id"], "ada bob cyd dan eve"),
    (["artifact_uri DESC"], "eve dan cyd bob ada"),
    (["metrics.loss", "metrics.acc DESC"], "dan bob eve ada cyd"),
    (["metrics.loss", "metrics.acc"], "dan eve bob ada cyd"),
    (["params.opt", "metrics.acc"], None),
]


@pytest.mark.parametrize(("order", "expected"), ORDERS)
def test_an_order_puts_nan_after_numbers_and_what_is_missing_last(
    find: Find, order: list[str], expected: str | None
) -> None:
    found = find("", *order)
    if expected is None:
        # PostgreSQL sorts text by the database's collation.
        assert found[3:] == ["eve", "cyd"]
    else:
        assert found == expected.split()


@pytest.mark.parametrize("few", [0, 10**6])
def test_what_is_found_does_not_depend_on_the_plan(
    find: Find, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(selectivity, "FEW", few)
    assert find("metrics.acc > 0.4 AND metrics.loss > 0", "run_name") == ["ada", "bob", "eve"]
    assert find("metrics.acc != 0.5", "metrics.loss DESC") == ["cyd", "bob", "eve"]
    assert find("metrics.acc > 0.6 OR metrics.loss < 0") == ["dan", "bob", "eve"]
    assert find("params.lr = '0.1' AND metrics.acc > 0.4", "metrics.acc") == ["ada"]
    assert find("params.lr LIKE '0.%' AND params.opt != 'x'") == ["bob", "ada"]
    assert find("params.lr = '0.1' AND params.opt = 'sgd'") == []
    assert find("params.lr = '0.1' OR params.opt = 'sgd'") == ["bob", "ada"]
    assert find("params.lr = '0.1'", experiments=[1, 2]) == ["ada"]
    assert find("params.lr = '0.1'", experiments=[2]) == []
    assert find("params.lr = '0.1'", view="deleted") == []


@pytest.mark.parametrize("length", [100, 101, 6000])
def test_a_parameter_is_found_however_long_it_is(find: Find, session: Session, length: int) -> None:
    value = "ü" * length
    row = {"candidate_id": 1, "experiment_id": 1, "key": f"long {length}", "value": value}
    session.execute(insert(Param).values(row))
    assert find(f"params.`long {length}` = '{value}'") == ["ada"]
    assert find(f"params.`long {length}` = '{value[:-1]}'") == []
    session.rollback()


def test_a_rare_parameter_leads_to_its_candidates(find: Find, session: Session) -> None:
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        found.append(statement)

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        assert find("params.lr = '0.1' AND metrics.acc > 0.4", "metrics.acc") == ["ada"]
    finally:
        event.remove(engine, "before_cursor_execute", note)
    pages = [each for each in found if "sort_0" in each]
    assert pages
    assert all("json_each" in each or "ANY (" in each for each in pages)


def test_the_same_search_again_finds_what_came_since(find: Find, session: Session) -> None:
    where = "params.opt = 'sgd' AND metrics.acc > 0"
    assert find(where) == ["bob"]
    row = {"candidate_id": 5, "experiment_id": 1, "key": "opt", "value": "sgd"}
    session.execute(insert(Param).values(row))
    assert find(where) == ["bob", "eve"]
    session.rollback()


def test_the_same_search_of_another_project_finds_its_own(session: Session) -> None:
    for project, expected in ((PROJECT, ["ada"]), (OTHER_PROJECT, []), (PROJECT, ["ada"])):
        access = ReadAccess(None, Project(project, "group/vision"), session)
        where = parse_candidate_filter("params.lr = '0.1'")
        page = search_candidates(access, [1], where=where, limit=10)
        assert names(access, page.rows) == expected


@pytest.mark.parametrize("order", [each for each, _ in ORDERS])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_put_together_are_the_whole(
    find: Find, access: ReadAccess, order: list[str], limit: int
) -> None:
    orders, token, found = parse_candidate_order(order), "", []
    for _ in range(10):
        page = search_candidates(
            access, [1], order=orders, limit=limit, after=search_position(token, orders)
        )
        found += names(access, page.rows)
        if page.after is None:
            break
        token = search_token(page.after, orders)
    assert found == find("", *order)


def test_a_filter_and_an_order_share_a_metric(find: Find) -> None:
    assert find("metrics.acc != 0.5", "metrics.acc DESC") == ["bob", "eve", "cyd"]
    assert find("metrics.acc > 0.5 OR run_name = 'dan'", "metrics.acc") == ["eve", "bob", "dan"]


def test_a_view_shows_the_trash_the_rest_or_both(find: Find) -> None:
    assert find("", view="deleted") == ["gone"]
    assert "gone" not in find("", view="active")
    assert find("", view="all")[0] == "gone"


def test_experiments_of_another_project_are_empty(find: Find) -> None:
    assert find("", experiments=[3]) == []
    assert find("metrics.acc > 0", "metrics.acc", experiments=[1, 2, 3]) == [
        "ada", "two", "eve", "bob",
    ]  # fmt: skip


def test_no_experiments_are_no_candidates(find: Find) -> None:
    assert find("metrics.acc > 0", "metrics.acc", experiments=[]) == []


def test_several_experiments_are_searched_at_once(find: Find) -> None:
    assert find("metrics.acc < 0.7", "metrics.acc DESC", experiments=[2, 1]) == ["two", "ada"]


def test_too_many_experiments_are_refused(access: ReadAccess) -> None:
    with pytest.raises(Invalid, match="10000 experiments"):
        search_candidates(access, range(10_001), limit=1)


def test_as_many_experiments_and_values_as_are_allowed_are_searched(access: ReadAccess) -> None:
    listed = ", ".join(f"'{number}'" for number in range(9_000))
    where = parse_candidate_filter(f"run_id NOT IN ({listed}) AND metrics.acc = 0.9")
    found = search_candidates(access, range(10_000), where=where, limit=5)
    assert names(access, found.rows) == ["bob"]


def test_the_longest_filter_is_within_the_databases_limits(find: Find) -> None:
    many = " AND ".join(["params.lr = '0.1'"] * 100 + ["metrics.acc > 0"] * 100)
    assert find(many, *(f"params.p{number}" for number in range(20))) == ["ada"]
    nested = "(" * 50 + "metrics.acc = 0.9" + ")" * 50
    assert find(nested) == ["bob"]
    pattern = "%" * 10 + "[" * 9_980 + "%" * 10
    assert find(f"params.odd LIKE '{pattern}'") == []
    assert find(f"params.odd ILIKE '{'é' * 10_000}'") == []


HOSTILE = [
    "'; DROP TABLE mlops_candidates; --",
    "' OR '1'='1",
    '" OR ""="',
    "x`; SELECT pg_sleep(9)",
    "%s %(x)s :x ? $1 {0} \\' \\",
    "'' OR 1=1 /*",
    ") OR EXISTS (SELECT 1",
    "\u202e\ufeff\u2028é🙂",
    "\x01\x1f\x7f",
    "NULL",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_text_is_only_text(access: ReadAccess, hostile: str) -> None:
    store = Store(access.session)
    store.candidate("evil", 2, 1, params={hostile: hostile}, tags={hostile: hostile})
    try:
        for entity in ("param", "tag"):
            for operator in ("=", "LIKE", "ILIKE"):
                found = _search(access, entity, hostile, operator, hostile)
                # The text is a pattern too, and one that matches itself.
                assert found == ["evil"], operator
            assert _search(access, entity, hostile, "!=", hostile) == []
            assert _search(access, entity, hostile + "x", "=", hostile) == []
    finally:
        access.session.rollback()


def _search(access: ReadAccess, entity: Any, key: str, operator: Any, value: str) -> list[str]:
    page = search_candidates(
        access,
        [1, 2],
        where=Comparison(entity, key, operator, value),
        order=[Order(entity, key), Order("metric", key)],
        limit=10,
    )
    return names(access, page.rows)


def test_random_texts_as_keys_and_values_find_their_candidate(access: ReadAccess) -> None:
    generator = random.Random(20240607)
    alphabet = "aA'\"`\\%_*?[]{}():;,.=<>!-/ \t\né🙂"
    store = Store(access.session)
    try:
        for number in range(60):
            chosen = "".join(generator.choices(alphabet, k=generator.randint(1, 12)))
            store.candidate(f"r{number}", 2, 1, params={f"{number}{chosen}": chosen})
            key = f"{number}{chosen}"
            assert _search(access, "param", key, "=", chosen) == [f"r{number}"]
            assert _search(access, "param", key, "LIKE", chosen) == [f"r{number}"]
            # Only the case of ASCII: SQLite, MLflow's default database, knows no other.
            other_case = chosen.translate({ord("a"): "A", ord("A"): "a"})
            assert _search(access, "param", key, "ILIKE", other_case) == [f"r{number}"]
            assert _search(access, "param", key, "LIKE", chosen + "x") == []
    finally:
        access.session.rollback()


@pytest.mark.parametrize(
    "after",
    [
        [], [1], ["a", "b"], [None, None], [1, 2], ["1", "eve-5"], [True, "eve-5"],
        [1.5, "eve-5"], [2**63, "eve-5"], [1, "\x00"], [1, "\ud800"], [1, "eve-5", 1], [{}, []],
    ],
)  # fmt: skip
def test_a_forged_position_is_refused(access: ReadAccess, after: Any) -> None:
    with pytest.raises(Invalid, match="page token"):
        search_candidates(access, [1], limit=2, after=after)


def test_a_page_of_a_metric_is_one_statement_after_the_metrics_id(access: ReadAccess) -> None:
    statements: list[str] = []
    engine = access.session.get_bind()
    orders = parse_candidate_order(["metrics.acc DESC"])

    def count(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(engine, "before_cursor_execute", count)
    search_candidates(access, [1], order=orders, limit=2)
    event.remove(engine, "before_cursor_execute", count)
    assert len(statements) == 2


def test_a_candidate_logged_between_two_pages_repeats_no_row(access: ReadAccess) -> None:
    orders = parse_candidate_order(["metrics.acc DESC"])
    first = search_candidates(access, [1], order=orders, limit=2)
    Store(access.session).keys[PROJECT, "acc"] = access.session.execute(
        text("SELECT id FROM mlops_metric_keys WHERE key = 'acc' AND project_id = 7")
    ).scalar_one()
    store = Store(access.session)
    store.candidate("zoe", 1, 8000)
    try:
        rest = search_candidates(access, [1], order=orders, limit=9, after=first.after)
        assert names(access, first.rows) == ["bob", "eve"]
        assert names(access, rest.rows) == ["ada", "cyd", "zoe", "dan"]
    finally:
        access.session.rollback()
