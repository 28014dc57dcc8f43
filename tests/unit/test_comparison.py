"""Comparing candidates: what differs, by how much, what is better, and what charts draw."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.blueprints.web.differences import (
    MAX_ALL,
    MAX_FULL,
    MAX_ROWS,
    Differences,
    Numbers,
    Texts,
)
from gitlab_mlops.blueprints.web.rewording import MAX_WORDS, Rewording
from gitlab_mlops.errors import NotFound
from gitlab_mlops.host import Actor, Project
from gitlab_mlops.models import Experiment
from gitlab_mlops.services import comparison, inputs, logging, plots
from gitlab_mlops.services.experiment_records import ExperimentRecord
from gitlab_mlops.services.plots import Column
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.records import DatasetInput
from gitlab_mlops.wire.filters import parse_candidate_filter
from tests.unit.rows import add_candidate, add_candidates, add_experiment, counted

PROJECT, OTHER = Project(1, "group/one"), Project(2, "group/two")
NAN, INF = math.nan, math.inf
AUC = Column("metric", "auc")


@pytest.fixture
def access(session: Session) -> WriteAccess:
    return WriteAccess(Actor("1", "ann"), PROJECT, session)


def log(access: WriteAccess, eid: str, *values: float, key: str = "auc", **params: str) -> None:
    points = [Point(key, value, 1000, step) for step, value in enumerate(values)]
    logging.log(access, eid, points=points, params=list(params.items()))


# Rows


def numbers(*values: float | None, baseline: int | None = None, better: bool | None = None):  # type: ignore[no-untyped-def]
    made = Differences(baseline=baseline, shows_all=True)
    return made.number_row(Numbers("auc", "", values), better)


def deltas(*values: float | None, better: bool | None = None) -> list[tuple[str, str, bool | None]]:
    """Those of all values but the first, which is the baseline."""
    cells = numbers(*values, baseline=0, better=better).cells[1:]
    return [
        (each.delta.text, each.delta.percent, each.delta.is_better)
        for each in cells
        if each is not None and each.delta
    ]


def test_differences_have_a_sign_and_a_part_of_the_baseline() -> None:
    assert deltas(0.5, 0.75, 0.25, 0.5, better=True) == [
        ("+0.25", "+50 %", True),
        ("−0.25", "−50 %", False),
        ("±0", "", None),
    ]
    assert deltas(-2.0, -1.0, better=False) == [("+1", "+50 %", False)]
    assert deltas(0.0, 3.0) == [("+3", "", None)]
    assert deltas(0.5, 100.0) == [("+99.5", "+19,900 %", None)]
    assert deltas(1e-300, 1e300) == [("+1e+300", "+∞ %", None)]
    assert deltas(1000.0, 12345.0) == [("+11345", "+1,134 %", None)]


@pytest.mark.parametrize("pair", [(NAN, 1.0), (1.0, NAN), (INF, INF), (None, 1.0), (1e308, -1e308)])
def test_what_cannot_be_subtracted_has_no_difference(pair: tuple[float | None, float]) -> None:
    assert deltas(*pair) == []


@pytest.mark.parametrize(
    ("values", "better", "best"),
    [
        ((0.1, 0.3, 0.2), True, [1]),
        ((0.1, 0.3, 0.1), False, [0, 2]),
        ((0.1, 0.3), None, []),
        ((0.1, 0.1), True, []),
        ((NAN, 0.1, 0.2, None), True, [2]),
        ((NAN, None), True, []),
        ((-INF, 0.0, INF), True, [2]),
    ],
)
def test_the_best_value_is_marked_if_the_direction_is_known(
    values: Sequence[float | None], better: bool | None, best: list[int]
) -> None:
    cells = numbers(*values, better=better).cells
    assert [place for place, cell in enumerate(cells) if cell and cell.is_best] == best


def test_candidates_are_ranked_by_a_metric_with_the_unknown_last() -> None:
    assert numbers(0.1, NAN, 0.3, None, 0.2, better=True).ranking == [2, 4, 0, 1, 3]
    assert numbers(0.1, NAN, 0.3, None, 0.2, better=False).ranking == [0, 4, 2, 1, 3]


def odd(*values: str | None, baseline: int | None = None) -> list[int]:
    made = Differences(baseline=baseline, shows_all=True)
    cells = made.text_row(Texts("lr", "", values)).cells
    return [place for place, cell in enumerate(cells) if cell and cell.is_odd]


def test_texts_are_odd_if_they_are_not_the_baselines_or_what_most_have() -> None:
    assert odd("a", "b", "a", baseline=0) == [1]
    assert odd(None, "b", None, baseline=0) == [1]
    assert odd("a", "a", "b") == [2]
    assert odd(None, None, "b") == [2]
    assert odd("a", "b") == []
    assert odd("a", "b", "c", "a") == []


def test_equal_rows_are_counted_instead_of_shown() -> None:
    lines = [Texts("a", "", ["1", "1"]), Texts("b", "", ["1", "2"]), Texts("c", "", ["1", None])]
    group = Differences(baseline=None, shows_all=False).of_texts("parameter", lines)
    assert ([each.label for each in group.rows], group.equal) == (["b", "c"], 1)
    group = Differences(baseline=None, shows_all=True).of_texts("parameter", lines)
    assert ([each.differs for each in group.rows], group.equal) == ([False, True, True], 0)
    nan = [Numbers("a", "", [NAN, NAN]), Numbers("b", "", [NAN, None])]
    group = Differences(baseline=None, shows_all=False).of_numbers("metric", nan, lambda key: None)
    assert ([each.label for each in group.rows], group.equal) == (["b"], 1)


def test_rows_and_texts_are_bounded() -> None:
    lines = [Texts(str(number), "", ["x" * 6000, str(number)]) for number in range(MAX_ROWS + 7)]
    group = Differences(baseline=None, shows_all=False).of_texts("parameter", lines)
    assert (len(group.rows), group.hidden) == (MAX_ROWS, 7)
    sizes = [len(each.cells[0].full) for each in group.rows if each.cells[0]]
    assert max(sizes) == MAX_FULL
    assert sum(sizes) < 2 * MAX_ALL


# Words


def test_a_long_text_tells_which_words_changed() -> None:
    pieces = Rewording().pieces(
        "answer in at most 80 words.", "answer in at most 50 words, please."
    )
    assert [(kind, text.strip()) for kind, text in pieces] == [
        ("same", "answer in at most"),
        ("gone", "80"),
        ("new", "50"),
        ("same", "words"),
        ("new", ", please"),
        ("same", "."),
    ]
    assert "".join(text for kind, text in pieces if kind != "gone") == (
        "answer in at most 50 words, please."
    )


def test_texts_with_little_in_common_or_too_long_are_not_compared() -> None:
    rewording = Rewording()
    assert rewording.pieces("one two three four", "fünf sechs sieben acht") == []
    assert rewording.pieces("a " * (MAX_WORDS + 1), "a b") == []
    long = "a b " * (MAX_WORDS // 2)
    pieces = [rewording.pieces(long, long + "c") for _ in range(9)]
    assert pieces[-1] == []


# What is compared


def test_candidates_come_in_the_order_asked_for(access: WriteAccess) -> None:
    add_candidates(access.session, PROJECT, range(1, 6))
    found = comparison.find(access, [4, 1, 3])
    assert [each.iid for each in found] == [4, 1, 3]


def test_candidates_that_do_not_exist_are_named(access: WriteAccess) -> None:
    add_candidates(access.session, PROJECT, [1])
    add_candidates(access.session, OTHER, [2])
    with pytest.raises(NotFound, match=r"Candidates 2, 7 and 8 not found in group/one"):
        comparison.find(access, [1, 2, 7, 8])
    with pytest.raises(NotFound, match=r"Candidate 2 not found"):
        comparison.find(access, [2, 1])


def test_datasets_are_found_by_name_and_use(access: WriteAccess) -> None:
    first, second = (add_candidate(access.session, PROJECT, iid) for iid in (1, 2))
    for digest in ("old", "new"):
        used = DatasetInput("iris", digest, "local", "x", None, "p" * 1000)
        used.tags.append(("mlflow.data.context", "training"))
        inputs.log_inputs(access, first.eid, [used])
    inputs.log_inputs(access, second.eid, [DatasetInput("iris", "old", "local", "x", None, None)])
    compared = comparison.find(access, [1, 2])
    assert comparison.digests_of(access, compared) == {
        first.id: {("iris", "training"): "old, new"},
        second.id: {("iris", ""): "old"},
    }
    assert [each.datasets for each in compared] == [[], []]


def test_extremes_are_those_of_each_candidate(access: WriteAccess) -> None:
    first, second = (add_candidate(access.session, PROJECT, iid) for iid in (1, 2))
    log(access, first.eid, 0.5, NAN, 0.1, 0.3)
    log(access, second.eid, NAN)
    compared = comparison.find(access, [1, 2])
    assert comparison.extremes_of(access, compared) == {
        (first.id, "auc"): (0.1, 0.5),
        (second.id, "auc"): (None, None),
    }


def experiment(*tags: tuple[str, str]) -> ExperimentRecord:
    return ExperimentRecord(1, 1, "x", None, 0, 0, None, list(tags))


def test_experiments_that_disagree_know_no_direction() -> None:
    said = ("mlflow.experiment.primaryMetric.name", "score")
    less, more = (
        experiment(said, ("mlflow.experiment.primaryMetric.greaterIsBetter", each))
        for each in ("false", "true")
    )
    assert comparison.direction("score", [less]) is False
    assert comparison.direction("score", [less, more]) is None
    assert comparison.direction("loss", [less, more]) is False
    assert comparison.direction("fun", [less, more]) is None


def test_comparing_more_costs_the_same_number_of_statements(
    access: WriteAccess, engine: Engine
) -> None:
    add_candidates(access.session, PROJECT, range(1, 30))

    def cost(iids: list[int]) -> int:
        with counted(engine) as statements:
            compared = comparison.find(access, iids)
            comparison.experiments_of(access, compared)
            comparison.digests_of(access, compared)
            comparison.extremes_of(access, compared)
        return len(statements)

    assert cost([1, 2]) == cost(list(range(1, 21))) <= 8


# What charts draw


@pytest.fixture
def drawn(access: WriteAccess) -> int:
    """An experiment of four candidates; its id."""
    for iid in range(1, 5):
        row = {"start_time": 1000 * iid, "end_time": 1000 * iid + 50 if iid > 1 else 0}
        eid = add_candidate(access.session, PROJECT, iid, f"try {iid}", **row).eid
        log(access, eid, iid / 4, lr=str(iid), same="x", text="long " * 40 + str(iid))
    log(access, eid, 9.0, key="only the last has it")
    return add_experiment(access.session, PROJECT)


def test_the_newest_candidates_come_first_with_the_wanted_values(
    access: WriteAccess, drawn: int
) -> None:
    columns = [
        Column("attribute", "duration"),
        AUC,
        Column("param", "lr"),
        Column("metric", "nobody has it"),
        Column("attribute", "created"),
        Column("tag", "none"),
    ]
    found = plots.find_dots(access, drawn, columns)
    assert [(each.iid, each.name, list(each.values)) for each in found.dots] == [
        (4, "try 4", [50, 1.0, "4", None, 4000, None]),
        (3, "try 3", [50, 0.75, "3", None, 3000, None]),
        (2, "try 2", [50, 0.5, "2", None, 2000, None]),
        (1, "try 1", [None, 0.25, "1", None, 1000, None]),
    ]
    assert (found.total, found.has_more) == (4, False)
    compared = comparison.find(access, [4, 3, 2, 1])
    assert plots.dots_of(compared, columns).dots == found.dots


def test_charts_show_what_a_filter_finds_of_a_view(access: WriteAccess, drawn: int) -> None:
    where = parse_candidate_filter("metrics.auc > 0.3 and params.lr != '3'")
    assert [each.iid for each in plots.find_dots(access, drawn, [], where=where).dots] == [4, 2]
    assert plots.find_dots(access, drawn, [AUC], view="deleted").dots == []
    elsewhere = ReadAccess(None, OTHER, access.session)
    assert plots.find_dots(elsewhere, drawn, [AUC]).dots == []


def test_more_candidates_than_fit_are_counted_up_to_a_limit(
    access: WriteAccess, drawn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = plots.find_dots(access, drawn, [AUC], limit=2)
    assert ([each.iid for each in found.dots], found.total, found.has_more) == ([4, 3], 4, False)
    monkeypatch.setattr(plots, "MAX_COUNTED", 3)
    found = plots.find_dots(access, drawn, [AUC], limit=2)
    assert (found.total, found.has_more) == (3, True)


@pytest.mark.parametrize(("start", "end"), [(-(2**63), 2**63 - 1), (5, 3), (None, None)])
def test_absurd_times_are_no_error(access: WriteAccess, start: int | None, end: int | None) -> None:
    add_candidate(access.session, PROJECT, 1, start_time=start, end_time=end)
    columns = [Column("attribute", "duration"), Column("attribute", "created")]
    (dot,) = plots.find_dots(access, add_experiment(access.session, PROJECT), columns).dots
    assert list(dot.values) == [2**64 - 1 if start == -(2**63) else None, start or 0]


def test_names_to_choose_from_are_those_of_the_experiment(access: WriteAccess, drawn: int) -> None:
    other = Experiment(project_id=1, iid=9, name="other", created_at=0, updated_at=0)
    access.session.add(other)
    access.session.flush()
    names = plots.find_names(access, drawn)
    assert names.metrics == ["auc", "only the last has it"]
    assert names.params == ["lr", "same", "text"]
    assert names.varying == {"lr"}
    assert plots.find_names(access, other.id) == plots.Names([], [], frozenset())
    assert plots.names_of(comparison.find(access, [1, 2, 4])) == names
