"""The filter language: what MLflow accepts means the same here, and the rest is refused."""

from __future__ import annotations

import random
import time

import pytest

from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.expressions import And, Comparison, Expression, Or, Order
from gitlab_mlops.wire.filters import parse_candidate_filter, parse_experiment_filter
from gitlab_mlops.wire.order import parse_candidate_order, parse_experiment_order
from gitlab_mlops.wire.tokens import FilterError

Clause = tuple[str, str, str, object]


def clauses(where: Expression | None) -> list[Clause]:
    """The comparisons of an expression without OR, without their positions."""
    if where is None:
        return []
    found = where.operands if isinstance(where, And) else (where,)
    assert all(isinstance(each, Comparison) for each in found)
    return [(c.entity, c.key, c.operator, c.value) for c in found if isinstance(c, Comparison)]


# Every line was given to `SearchUtils.parse_search_filter` of MLflow 3.17.2 and compared.
AS_IN_MLFLOW: list[tuple[str, list[Clause]]] = [
    ("", []),
    ("AND", []),
    ("metrics.acc > 0.5", [("metric", "acc", ">", 0.5)]),
    ("metric.acc>-.5", [("metric", "acc", ">", -0.5)]),
    ("metrics.acc < 1.", [("metric", "acc", "<", 1.0)]),
    ("metrics.acc <= 1.5e-5", [("metric", "acc", "<=", 1.5e-5)]),
    ("metrics.acc != 1e400", [("metric", "acc", "!=", float("inf"))]),
    ("metrics.`val loss` = 1", [("metric", "val loss", "=", 1)]),
    ('metrics."val/loss" = 1', [("metric", "val/loss", "=", 1)]),
    ("metrics.'val loss' = 1", [("metric", "val loss", "=", 1)]),
    ("`metrics`.acc = 1", [("metric", "acc", "=", 1)]),
    ("metrics.a.b = 1", [("metric", "a.b", "=", 1)]),
    ("metrics.1a = 1", [("metric", "1a", "=", 1)]),
    ("metrics.é = 1", [("metric", "é", "=", 1)]),
    ("metrics. > 1", [("metric", "", ">", 1)]),
    ("param.x = 'a'", [("param", "x", "=", "a")]),
    ('params.x = "a"', [("param", "x", "=", "a")]),
    ("parameter.x = ''", [("param", "x", "=", "")]),
    ("parameters.x like 'a%'", [("param", "x", "LIKE", "a%")]),
    ("params.x iLike'a'", [("param", "x", "ILIKE", "a")]),
    ("params.x = 'it''s'", [("param", "x", "=", "it''s")]),
    ("params.x = 'it\\'s'", [("param", "x", "=", "it\\'s")]),
    ("params.x = 'C:\\dir\\'", [("param", "x", "=", "C:\\dir\\")]),
    (
        "params.x = 'C:\\' AND metrics.x > 1",
        [("param", "x", "=", "C:\\"), ("metric", "x", ">", 1)],
    ),
    ('params.x = "a\'b"', [("param", "x", "=", "a'b")]),
    ("params.x = 'AND'", [("param", "x", "=", "AND")]),
    ("params.x\n=\t'a\nb'", [("param", "x", "=", "a\nb")]),
    ("tags.and = 'a'", [("tag", "and", "=", "a")]),
    ("tag.mlflow.source.name != 'a'", [("tag", "mlflow.source.name", "!=", "a")]),
    ("tags.x is null", [("tag", "x", "IS NULL", None)]),
    ("params.x IS NOT NULL", [("param", "x", "IS NOT NULL", None)]),
    ("run_id IN ('a', \"b\",)", [("attribute", "eid", "IN", ("a", "b"))]),
    ("attr.run_id not in('a')", [("attribute", "eid", "NOT IN", ("a",))]),
    ("run.run_name = 'a'", [("attribute", "name", "=", "a")]),
    ("`run name` = 'a'", [("attribute", "name", "=", "a")]),
    ("attributes.\"Run Name\" = 'a'", [("attribute", "name", "=", "a")]),
    ("Created > 5", [("attribute", "start_time", ">", 5)]),
    ("attribute.start_time > 5.5", [("attribute", "start_time", ">", 5.5)]),
    ("end_time = 99999999999999999999", [("attribute", "end_time", "=", 1e20)]),
    ("status != 'x'", [("attribute", "status", "!=", "x")]),
    ("datasets.name LIKE 'x'", [("dataset", "name", "LIKE", "x")]),
    ("dataset.context NOT IN ('x')", [("dataset", "context", "NOT IN", ("x",))]),
    ("metrics.a > 1 aNd metrics.b < 2", [("metric", "a", ">", 1), ("metric", "b", "<", 2)]),
    ("metrics.a > 1 metrics.b < 2", [("metric", "a", ">", 1), ("metric", "b", "<", 2)]),
    (" AND metrics.a > 1 AND AND ", [("metric", "a", ">", 1)]),
    ("params.a='x'AND params.b='y'", [("param", "a", "=", "x"), ("param", "b", "=", "y")]),
]


@pytest.mark.parametrize(("text", "expected"), AS_IN_MLFLOW)
def test_what_mlflow_accepts_means_the_same(text: str, expected: list[Clause]) -> None:
    assert clauses(parse_candidate_filter(text)) == expected


# Every one of these is refused by MLflow too.
REFUSED = [
    "   ", "metrics.acc", "metrics.acc >", "> 5", "5 > metrics.acc", "metrics.acc > '5'",
    "metrics.acc > nan", "metrics.acc > +5", "metrics.acc > 0x10", "metrics.acc == 1",
    "metrics.acc <> 1", "metrics.acc ! = 1", "metrics.acc => 1", "metrics.acc LIKE '1'",
    "metrics.acc IS NULL", "metrics.acc IN (1)", "metrics.acc BETWEEN 1 AND 2",
    "metrics.acc > metrics.b", "metrics.acc > 1 + 1", "metrics.acc > (1)", "metrics.a b > 0",
    "metrics.a-b > 0", "metrics.a/b > 0", "metrics.a@5 > 0", "METRICS.acc > 0", "Metrics.acc > 0",
    '"metrics".acc > 0', '"metrics.acc" > 0', "metrics .acc > 0", "models.acc > 1", ".acc > 1",
    "'metrics.acc' > 1", "params.x = a", "params.x = `a`", "params.x = 5", "params.x > 'a'",
    "params.x IN ('a')", "params.x NOT LIKE 'a'", "params.x RLIKE 'a'", "params.x = 'a",
    "params.x = 'C:\\' AND params.y = 'b'", "params.x = 'a' 'b'", "params.x = null",
    "params.x IS", "params.x IS NOT", "params.x NOT", "params.x = 'a'||'b'", "tags.x < 'z'",
    "status IS NULL", "status IN ('RUNNING')", "status > 'A'", "status = RUNNING", "status = 1",
    "Status = 'RUNNING'", "run name = 'a'", "run_id IN ()", "run_id IN (1)", "run_id IN ('a', 1)",
    "run_id IN 'a'", "run_id IN ('a'", "run_id IN ('a';)", "run_name IN ('a')", "CREATED > 5",
    "start_time > '5'", 'start_time > "5"', "start_time LIKE '5'", "start_time IN (5)",
    "dataset.source = 'x'", "dataset.name > 'x'", "dataset.name IS NULL", "dataset.name = 5",
    "lifecycle_stage = 'active'", "experiment_id = '1'", "nothing = 'x'",
    "metrics.a > 1 , metrics.b < 2", "NOT metrics.a > 1", "metrics.a > 1;",
    "metrics.a > 1; metrics.b > 2", "metrics.a > 1 -- c", "metrics.a > 1 /* c */", "*", "🙂 = '1'",
    "1 = 1", "'a' = 'a'", "metrics.a = 1 OR", "OR metrics.a = 1", "(metrics.a = 1", "()",
    "metrics.a = 1)", "(metrics.a = 1 OR)", "tags.a = '\x00'", "tags.a = '\ud800'",
    "tags.`a = 'x'", "1", "'", '"', "`", "\\", "metrics.a = 1 OR OR metrics.b = 1",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_filter_is_refused_with_a_place(text: str) -> None:
    with pytest.raises(FilterError, match=r"^Invalid filter at character \d+: .+\.$") as caught:
        parse_candidate_filter(text)
    assert 0 <= caught.value.position <= len(text)


def test_an_error_says_what_is_wrong_where_and_what_is_allowed() -> None:
    with pytest.raises(FilterError) as caught:
        parse_candidate_filter("metrics.acc > 1 AND params.lr > '2'")
    assert caught.value.position == 30
    assert str(caught.value) == (
        "Invalid filter at character 31: > cannot be used with params.lr, which takes "
        "=, !=, LIKE, ILIKE, IS NULL, IS NOT NULL."
    )


def test_a_comparison_knows_its_place() -> None:
    where = parse_candidate_filter("metrics.a > 1 AND tags.b = 'c'")
    assert isinstance(where, And)
    assert [each.position for each in where.operands if isinstance(each, Comparison)] == [0, 18]


def test_and_binds_tighter_than_or() -> None:
    a, b, c = (Comparison("metric", key, "=", 1) for key in "abc")
    text = "metrics.a = 1 OR metrics.b = 1 AND metrics.c = 1"
    assert _unplaced(parse_candidate_filter(text)) == Or((a, And((b, c))))
    text = "(metrics.a = 1 OR metrics.b = 1) AND metrics.c = 1"
    assert _unplaced(parse_candidate_filter(text)) == And((Or((a, b)), c))


def _unplaced(where: Expression | None) -> Expression:
    assert where is not None
    if isinstance(where, Comparison):
        return Comparison(where.entity, where.key, where.operator, where.value)
    return type(where)(tuple(_unplaced(each) for each in where.operands))


def test_numbers_in_the_spelling_of_python_are_numbers() -> None:
    assert clauses(parse_candidate_filter(f"metrics.a < {1e16}"))[0][3] == 1e16


def test_a_list_refuses_what_mlflow_reads_as_python() -> None:
    with pytest.raises(FilterError, match="backslash"):
        parse_candidate_filter("run_id IN ('a\\nb')")
    with pytest.raises(FilterError, match="own quote"):
        parse_candidate_filter("run_id IN ('it''s')")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name LIKE 'a%'", ("attribute", "name", "LIKE", "a%")),
        ("attribute.name = 'a'", ("attribute", "name", "=", "a")),
        ("experiment_id = ' 1 '", ("attribute", "iid", "=", 1)),
        ("experiment_id IN ('1', '2')", ("attribute", "iid", "IN", (1, 2))),
        ("creation_time > 5", ("attribute", "created_at", ">", 5)),
        ("last_update_time <= 5", ("attribute", "updated_at", "<=", 5)),
        ("tag.`a b` IS NULL", ("tag", "a b", "IS NULL", None)),
    ],
)
def test_experiments_have_a_language_of_their_own(text: str, expected: Clause) -> None:
    assert clauses(parse_experiment_filter(text)) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "name IN ('a')", "attributes.name = 'a'", "attr.name = 'a'", "Name = 'a'", "name > 'a'",
        "experiment_id = 1", "experiment_id = 'x'", "experiment_id > '1'", "experiment_id LIKE '1'",
        f"experiment_id = '{'9' * 5000}'", "creation_time > 5.5", "creation_time > '5'",
        "tags.x IN ('a')", "name IS NULL", "metrics.x > 1", "params.x = 'a'", "run_id = 'a'",
    ],
)  # fmt: skip
def test_what_experiments_lack_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        parse_experiment_filter(text)


HUGE = [
    "(" * 10_000, "(" * 10_000 + "metrics.a = 1" + ")" * 10_000, ")" * 100_000, "'" * 100_001,
    "'" * 99_999 + "\\'", "\\'" * 50_000, "params.x = '" + "\\'" * 50_000 + " x",
    "params.x = '" + "''" * 50_000, "`" * 99_999, '"\\' * 50_000, "AND " * 25_000 + "x",
    "metrics." + "." * 100_000, "a" * 100_000, "1" * 100_000, "1e" * 50_000, "1." * 50_000,
    "-" * 100_000, "<" * 100_000, " " * 100_000, "metrics.a = " + "9" * 100_000 + "x",
    "metrics.a = 1 AND " * 6_000, "run_id IN (" + "'a'," * 25_000 + ")",
    "run_id IN (" + "," * 99_999,
    "params.x LIKE '" + "%a" * 50_000 + "'", "params.x LIKE '" + "a" * 100_000 + "'",
    "x" * 400_001, "(metrics.a = 1 OR " * 10_000, "NOT " * 25_000, "IS " * 33_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HUGE, ids=[each[:12] for each in HUGE])
def test_a_huge_filter_is_refused_at_once(text: str) -> None:
    start = time.perf_counter()
    with pytest.raises(FilterError) as caught:
        parse_candidate_filter(text)
    assert time.perf_counter() - start < 1
    assert len(str(caught.value)) < 500


def test_a_long_list_of_runs_is_accepted() -> None:
    listed = ", ".join(f"'{number:032x}'" for number in range(9_999))
    [(_, _, _, value)] = clauses(parse_candidate_filter(f"run_id IN ({listed})"))
    assert isinstance(value, tuple)
    assert len(value) == 9_999


def test_random_text_is_parsed_or_refused_and_never_breaks() -> None:
    generator = random.Random(20240607)
    names = "metrics.a params.`x` run_id IN NOT IS NULL AND OR"
    marks = "( ) , = != 'a' \"b\" 1 -.5e3 ' ` \" \\ . é"
    choices = [*names.split(), *marks.split(), " ", " "]
    refused = 0
    for _ in range(20_000):
        text = "".join(generator.choices(choices, k=generator.randint(1, 12)))
        try:
            parse_candidate_filter(text)
        except Invalid:
            refused += 1
    assert 0 < refused < 20_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.acc", Order("metric", "acc")),
        ("metrics.acc DESC", Order("metric", "acc", True)),
        ("metric.`val loss` desc", Order("metric", "val loss", True)),
        ('params."a/b" ASC', Order("param", "a/b")),
        ("tags.mlflow.x desc", Order("tag", "mlflow.x", True)),
        ("start_time", Order("attribute", "start_time")),
        ("Created DESC", Order("attribute", "start_time", True)),
        ("attributes.run_id", Order("attribute", "eid")),
        ("`run_name` DESC", Order("attribute", "name", True)),
        ("metrics.desc", Order("metric", "desc")),
    ],
)
def test_an_order_is_read_as_mlflow_reads_it(text: str, expected: Order) -> None:
    assert parse_candidate_order([text]) == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "sideways", "metrics.acc SIDEWAYS", "metrics.acc ASC DESC", "metrics.a b DESC",
        "metrics.acc DESC NULLS LAST", "metrics.acc, metrics.loss", "run_id; DROP TABLE runs",
        "dataset.name", "models.acc", "lifecycle_stage", "experiment_id", "run name",
        "`run name` DESC", "Status", "'start_time' DESC", "metrics.a-b", "metrics.acc DESC;",
        "tags.a\x00", "(metrics.acc)", "1",
    ],
)  # fmt: skip
def test_what_is_no_order_is_refused(text: str) -> None:
    with pytest.raises(FilterError, match=r"^Invalid order_by clause at character"):
        parse_candidate_order([text])


def test_an_order_names_each_key_once() -> None:
    for twice in (["metrics.a", "metrics.a DESC"], ["start_time", "attributes.created DESC"]):
        with pytest.raises(Invalid, match="duplicate fields"):
            parse_candidate_order(twice)


def test_an_order_has_a_bounded_number_of_keys() -> None:
    with pytest.raises(Invalid, match="at most 20"):
        parse_candidate_order([f"metrics.m{number}" for number in range(21)])


def test_experiments_are_sorted_by_attributes_only() -> None:
    assert parse_experiment_order(["last_update_time DESC", "experiment_id"]) == (
        Order("attribute", "updated_at", True),
        Order("attribute", "iid"),
    )
    for text in ("tags.x", "attributes.name", "created", "start_time"):
        with pytest.raises(FilterError):
            parse_experiment_order([text])
