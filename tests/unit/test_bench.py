"""The parts of `make bench` that need no server: what it reads, judges and writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bench import bulk, names, report, table, wrk
from bench.results import Results, Row, Unit
from bench.targets import Verdict, verdicts

WRK = """Running 1s test @ http://127.0.0.1:1
  1 threads and 8 connections
Requests/sec:    100.00
GOOD 90
BAD 10
SECONDS 2.000000
MEDIAN 0.012000
"""


VALUES = {
    "candidates": {"name", "experiment", "count", "steps", "at_once", "start"},
    "history": {"eid", "key", "count", "start"},
}


def rates(name: str, **values: float) -> Row:
    return Row(name, Unit.RATE, values)


def verdict(results: Results, words: str) -> Verdict:
    """The verdict on the one target with these words."""
    [found] = [each for each in verdicts(results) if words in each.target]
    return found


def results_of(*rows: Row) -> Results:
    """Results whose rows are all operations."""
    return Results(rows=list(rows), operations=[row.name for row in rows])


def test_only_good_answers_count_as_speed() -> None:
    assert wrk.parsed(WRK) == wrk.Speed(rate=45.0, median=0.012, failed=0.1)


def test_a_load_without_a_good_answer_ends_the_run() -> None:
    with pytest.raises(SystemExit, match="no good answer"):
        wrk.parsed(WRK.replace("GOOD 90", "GOOD 0"))


def test_more_requests_and_fewer_seconds_are_both_better() -> None:
    assert rates("get", ours=30, stock=10).ratio("stock") == 3
    assert Row("loop", Unit.SECONDS, {"ours": 10, "stock": 30}).ratio("stock") == 3


def test_there_is_no_ratio_to_a_server_that_was_not_measured() -> None:
    assert rates("get", ours=30).ratio("stock") is None


def test_the_worst_operation_decides_and_is_named() -> None:
    results = results_of(rates("get", ours=99, stock=1), rates("create", ours=9.96, stock=1))
    found = verdict(results, "times stock")
    assert found.is_met is False
    assert "1 of 2 operations" in found.found
    assert "create" in found.found


def test_a_ratio_that_only_rounds_to_the_target_misses_it() -> None:
    results = results_of(rates("create", ours=9.999, stock=1))
    assert verdict(results, "times stock").is_met is False


def test_a_target_is_not_met_while_an_operation_is_not_measured() -> None:
    results = results_of(rates("get", ours=99, stock=1), rates("create", ours=99))
    assert verdict(results, "times stock").is_met is None


def test_half_of_fasttrackml_is_enough_for_get_and_for_nothing_else() -> None:
    results = results_of(
        rates(names.GET, ours=6, fasttrackml=10), rates(names.CREATE, ours=11, fasttrackml=10)
    )
    assert verdict(results, "but for get").is_met is True
    assert verdict(results, "get at least 50%").is_met is True


def test_a_figure_at_its_limit_is_met_and_above_it_is_missed() -> None:
    results = Results(figures={names.LOG_FLATNESS: 1.3, names.SEARCH_FLATNESS: 2.01})
    assert verdict(results, "1.3 times").is_met is True
    assert verdict(results, "median of a search").is_met is False


def test_nothing_measured_meets_nothing() -> None:
    assert {each.is_met for each in verdicts(Results())} == {None}


def test_the_table_shows_what_is_there_and_leaves_the_rest_out() -> None:
    shown = table.of_rows(results_of(rates("get", ours=1234.5, floor=5000), rates("a", ours=0.5)))
    assert shown.splitlines() == [
        "|     |       unit |  ours | floor | of the floor |",
        "| --- | ---------: | ----: | ----: | -----------: |",
        "| get | requests/s | 1,234 | 5,000 |          25% |",
        "| a   | requests/s | 0.500 |     - |            - |",
    ]


def test_the_report_replaces_only_what_is_between_its_marks(tmp_path: Path) -> None:
    path = tmp_path / "performance.md"
    path.write_text(f"before\n{report.BEGIN}\nold \\1\n{report.END}\nafter\n")
    report.write(path, "new \\1")
    report.write(path, "newer \\1")
    assert path.read_text() == (
        f"before\n{report.BEGIN}\n\nnewer \\1\n\n{report.END}\nafter\n"
    )  # fmt: skip


def test_the_report_is_not_written_where_the_marks_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "other.md"
    path.write_text("nothing\n")
    with pytest.raises(SystemExit, match="has no lines"):
        report.write(path, "new")
    assert path.read_text() == "nothing\n"


def test_the_document_has_the_marks() -> None:
    document = Path(__file__).parents[2] / "docs" / "performance.md"
    assert document.read_text().count(report.BEGIN) == 1
    assert document.read_text().count(report.END) == 1


@pytest.mark.parametrize("server", ["ours", "stock", "fasttrackml"])
def test_every_server_has_statements_for_the_same_values(server: str) -> None:
    for what, wanted in VALUES.items():
        statements = (bulk.FOLDER / f"{server}_{what}.sql").read_text()
        given = wanted | ({"project", "actor"} if server == "ours" else set())
        assert wanted <= set(re.findall(r"%\((\w+)\)s", statements)) <= given
