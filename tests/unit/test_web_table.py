"""Which metrics and parameters of candidates become columns, and how they are sorted by."""

from __future__ import annotations

import math

import pytest

from gitlab_mlops.blueprints.web.columns import parse_columns
from gitlab_mlops.blueprints.web.ordering import head, order_name
from gitlab_mlops.blueprints.web.table import MAX_CHOSEN, MAX_COLUMNS, make_table
from gitlab_mlops.services.expressions import Order
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.records import CandidateRecord
from gitlab_mlops.wire.order import parse_candidate_order


def record(
    metrics: dict[str, float],
    params: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
) -> CandidateRecord:
    return CandidateRecord(
        1, 1, 1, 1, "eid", "name", 1, "", None, 0, None, 0, None,
        metrics=[Point(key, value, 0, 0) for key, value in metrics.items()],
        params=list((params or {}).items()),
        tags=list((tags or {}).items()),
    )  # fmt: skip


def keys(columns: list[object]) -> list[str]:
    return [each.key for each in columns]  # type: ignore[attr-defined]


def test_an_empty_page_has_no_columns() -> None:
    table = make_table([])
    assert (table.columns, table.rows, table.constants, table.hidden) == ([], [], [], [])


def test_only_what_varies_is_a_column() -> None:
    table = make_table([record({"a": 1, "b": 1}), record({"a": 2, "b": 1})])
    assert keys(table.columns) == ["a"]
    assert [(column.key, cell.text) for column, cell in table.constants] == [("b", "1")]


def test_what_some_lack_varies() -> None:
    table = make_table([record({"a": 1}), record({})])
    assert [[cell and cell.text for cell in cells] for _, cells in table.rows] == [["1"], [None]]


def test_nan_is_the_same_as_nan() -> None:
    table = make_table([record({"a": math.nan}), record({"a": math.nan})])
    assert keys(table.columns) == []


def test_values_that_differ_behind_the_sixth_digit_vary() -> None:
    table = make_table([record({"a": 0.12345678}), record({"a": 0.12345679})])
    assert keys(table.columns) == ["a"]


def test_texts_that_differ_behind_what_is_shown_vary() -> None:
    table = make_table([record({}, {"a": "x" * 100 + end}) for end in "yz"])
    assert keys(table.columns) == ["a"]


def test_texts_that_differ_behind_any_title_vary() -> None:
    table = make_table([record({}, {"a": "x" * 5000 + end}) for end in "yz"])
    assert keys(table.columns) == ["a"]


def test_metrics_come_before_parameters() -> None:
    records = [record({"z": n, "a": n}, {"b": str(n)}) for n in (1.0, 2.0)]
    assert keys(make_table(records).columns) == ["a", "z", "b"]


def test_the_main_metric_comes_first() -> None:
    records = [record({"auc": n, "a": n, "val_loss": n}) for n in (1.0, 2.0)]
    assert keys(make_table(records).columns) == ["val_loss", "a", "auc"]
    tags = {"mlflow.experiment.primaryMetric.name": "auc"}
    assert keys(make_table(records, tags=tags).columns) == ["auc", "a", "val_loss"]


def test_metrics_of_the_machine_are_columns_only_for_who_asks() -> None:
    records = [record({"system/cpu": n, "system/gpu": 1, "a": n}) for n in (1.0, 2.0)]
    table = make_table(records)
    assert (keys(table.columns), table.constants, table.hidden) == (["a"], [], [])
    sorted_by = make_table(records, [Order("metric", "system/cpu")])
    assert keys(sorted_by.columns) == ["a", "system/cpu"]
    chosen = make_table(records, chosen=parse_columns(["metrics.system/gpu"]))
    assert keys(chosen.columns) == ["system/gpu"]


def test_chosen_columns_are_there_whatever_the_rows_have() -> None:
    records = [record({"a": 1, "b": n}, {"c": "x"}, {"team": "red"}) for n in (1.0, 2.0)]
    names = ["tags.team", "params.none", "params.c", "metrics.a", "author"]
    table = make_table(records, chosen=parse_columns(names))
    assert [each.name.text for each in table.columns] == [
        "metrics.a", "params.none", "params.c", "tags.team",
    ]  # fmt: skip
    assert [[cell and cell.text for cell in cells] for _, cells in table.rows] == [
        ["1", None, "x", "red"]
    ] * 2
    assert table.constants == []


def test_what_is_sorted_by_joins_what_was_chosen() -> None:
    table = make_table(
        [record({"a": 1, "b": 2})], [Order("metric", "b")], chosen=parse_columns(["metrics.a"])
    )
    assert keys(table.columns) == ["a", "b"]


def test_more_columns_than_may_be_chosen_are_hidden() -> None:
    names = [f"metrics.m{number:03d}" for number in range(MAX_CHOSEN + 5)]
    table = make_table([record({"m000": 1})], chosen=parse_columns(names))
    assert (len(table.columns), len(table.hidden)) == (MAX_CHOSEN, 5)


def best(key: str, values: list[float], tags: dict[str, str] | None = None) -> list[float]:
    """The values that are marked as the best of the column."""
    table = make_table(
        [record({key: value}) for value in values], [Order("metric", key)], tags=tags
    )
    cells = [cells[0] for _, cells in table.rows]
    return [v for v, cell in zip(values, cells, strict=True) if cell is not None and cell.is_best]


def test_the_best_is_the_largest_score_and_the_smallest_loss() -> None:
    assert best("val_auc", [0.1, 0.9, 0.9, math.nan]) == [0.9, 0.9]
    assert best("val_loss", [0.1, 0.9, math.nan, -math.inf]) == [-math.inf]


def test_nothing_is_the_best_without_something_worse_or_a_direction() -> None:
    assert best("val_auc", [0.9, 0.9, math.nan]) == []
    assert best("val_auc", [0.9]) == []
    assert best("width", [1, 2]) == []
    stated = {
        "mlflow.experiment.primaryMetric.name": "width",
        "mlflow.experiment.primaryMetric.greaterIsBetter": "False",
    }
    assert best("width", [1.0, 2.0], stated) == [1.0]


def test_room_is_shared_and_what_is_sorted_by_is_always_there() -> None:
    records = [
        record(
            {f"m{key:02d}": n for key in range(40)}, {f"p{key:02d}": str(n) for key in range(40)}
        )
        for n in (1.0, 2.0)
    ]
    table = make_table(records, [Order("param", "p39"), Order("metric", "m39", True)])
    shown = keys(table.columns)
    assert len(shown) == MAX_COLUMNS
    assert {"m00", "m39", "p00", "p39"} <= set(shown)
    assert len(table.hidden) == 80 - MAX_COLUMNS
    assert sorted(shown + keys(table.hidden)) == sorted(set(shown) | set(keys(table.hidden)))


@pytest.mark.parametrize(("metrics", "params"), [(40, 2), (2, 40), (25, 0), (0, 60), (13, 12)])
def test_room_is_used_up(metrics: int, params: int) -> None:
    records = [
        record({f"m{k}": n for k in range(metrics)}, {f"p{k}": str(n) for k in range(params)})
        for n in (1.0, 2.0)
    ]
    table = make_table(records)
    assert len(table.columns) == min(MAX_COLUMNS, metrics + params)
    assert min(metrics, 12, MAX_COLUMNS - params) <= len(
        [each for each in table.columns if each.entity == "metric"]
    )


@pytest.mark.parametrize(
    "key", ["auc", "val loss", "a.b", "a/b", "a`b", 'a"b', "a'b", "-", "ünï", "1", "a b`c", ""]
)
def test_a_column_is_sorted_by_under_its_own_name(key: str) -> None:
    name = order_name("metric", key)
    if name:
        assert parse_candidate_order([f"{name} DESC"]) == (Order("metric", key, True),)
    else:
        assert key in ("", "a`b") or "`" in key


def test_common_names_need_no_quotes() -> None:
    assert order_name("metric", "auc") == "metrics.auc"
    assert order_name("param", "val loss") == "params.`val loss`"


def test_the_first_click_sorts_metrics_downwards_and_texts_upwards() -> None:
    assert head((), "metrics.auc", "metric", "auc").order_by == "metrics.auc DESC"
    assert head((), "params.depth", "param", "depth").order_by == "params.depth ASC"
    created = head((), "attributes.start_time", "attribute", "start_time")
    assert (created.order_by, created.state) == ("attributes.start_time ASC", "descending")


def test_the_second_click_turns_it_around() -> None:
    order = (Order("metric", "auc", True),)
    sorted_by = head(order, "metrics.auc", "metric", "auc")
    assert (sorted_by.order_by, sorted_by.state) == ("metrics.auc ASC", "descending")
    assert head(order, "attributes.start_time", "attribute", "start_time").state == ""
