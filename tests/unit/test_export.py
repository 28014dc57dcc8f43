"""Values of many candidates read at once, and written so that every reader gets them back."""

from __future__ import annotations

import csv
import json
import math
from io import BytesIO, StringIO

import pandas as pd
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.web.columns import ColumnName
from gitlab_mlops.blueprints.web.export_formats import (
    ATTRIBUTES,
    Batch,
    Facts,
    attributes_of,
    csv_pieces,
    json_pieces,
    neutral,
)
from gitlab_mlops.host import Actor, Project
from gitlab_mlops.models import Candidate, CandidateTag, MetricKey, MetricSeries, Param
from gitlab_mlops.services import cells
from gitlab_mlops.services.cells import Value
from gitlab_mlops.services.records import CandidateRecord
from tests.unit.rows import add_candidate, counted

PROJECT, OTHER = Project(91, "a/b"), Project(92, "a/c")
HOSTILE = [
    'a "quoted" text', "a, b", "two\nlines", "two\r\nlines", "a lone\rreturn", " spaces ", "é漢🙂",
    "\u202e", "\\n", "a\tb", "'", '"', "\ufeff", "1; -2", "0012", "1e5", "-0.5", "+3", ".5", "-inf",
]  # fmt: skip
FORMULAS = [
    "=1+1", "+1+cmd|' /C calc'!A0", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "-", "＝1",
    "\tplain",
]  # fmt: skip


@pytest.fixture
def access(session: Session) -> ReadAccess:
    return ReadAccess(None, PROJECT, session)


def log(
    session: Session,
    candidate: Candidate,
    *,
    metrics: dict[str, float] | None = None,
    params: dict[str, str] | None = None,
    tags: dict[str, str] | None = None,
) -> int:
    """Store what a candidate logged; its internal id."""
    for key, value in (metrics or {}).items():
        named = {"project_id": candidate.project_id, "key": key}
        name = session.query(MetricKey).filter_by(**named).one_or_none() or MetricKey(**named)
        session.add(name)
        session.flush()
        session.add(
            MetricSeries(
                candidate_id=candidate.id,
                experiment_id=candidate.experiment_id,
                key_id=name.id,
                step=0,
                timestamp=0,
                value=value,
            )
        )
    of = {"candidate_id": candidate.id}
    for key, text in (params or {}).items():
        session.add(Param(**of, experiment_id=candidate.experiment_id, key=key, value=text))
    for key, text in (tags or {}).items():
        session.add(CandidateTag(**of, key=key, value=text))
    session.flush()
    return candidate.id


def test_columns_have_a_value_or_nothing_for_each_candidate(
    session: Session, access: ReadAccess
) -> None:
    one = log(session, add_candidate(session, PROJECT, 1), metrics={"auc": 0.1}, tags={"t": "x"})
    two = log(session, add_candidate(session, PROJECT, 2), params={"auc": "text"})
    keys = [("metric", "auc"), ("param", "auc"), ("tag", "t"), ("tag", "missing")]
    found = cells.read_columns(access, [two, one], keys)
    assert found == [[None, 0.1], ["text", None], [None, "x"], [None, None]]


@pytest.mark.parametrize("value", [math.inf, -math.inf, 5e-324, 0.1 + 0.2, 2.0**60])
def test_a_metric_is_read_to_the_last_bit(
    session: Session, access: ReadAccess, value: float
) -> None:
    one = log(session, add_candidate(session, PROJECT, 1), metrics={"m": value})
    [[found]] = cells.read_columns(access, [one], [("metric", "m")])
    assert isinstance(found, float)
    assert found.hex() == value.hex()


def test_nan_is_a_value_and_no_gap(session: Session, access: ReadAccess) -> None:
    one = log(session, add_candidate(session, PROJECT, 1), metrics={"m": math.nan})
    [[found]] = cells.read_columns(access, [one], [("metric", "m")])
    assert isinstance(found, float)
    assert math.isnan(found)


def test_long_texts_are_cut_where_that_is_wanted(session: Session, access: ReadAccess) -> None:
    one = log(session, add_candidate(session, PROJECT, 1), params={"p": "é" * 500})
    [[short]] = cells.read_columns(access, [one], [("param", "p")], max_text=7)
    [[whole]] = cells.read_columns(access, [one], [("param", "p")])
    assert (short, whole) == ("é" * 7, "é" * 500)


def test_many_and_few_keys_give_the_same(session: Session, access: ReadAccess) -> None:
    logged = {f"k{number:02}": str(number) for number in range(30)}
    metrics = {key: float(value) for key, value in logged.items()}
    one = log(session, add_candidate(session, PROJECT, 1), metrics=metrics, params=logged)
    keys = [*(("metric", key) for key in logged), *(("param", key) for key in logged)]
    many = cells.read_columns(access, [one], keys)
    assert many == [cells.read_columns(access, [one], [key])[0] for key in keys]


def test_keys_are_metrics_then_parameters_then_tags_without_those_of_mlflow(
    session: Session, access: ReadAccess
) -> None:
    candidate = add_candidate(session, PROJECT, 1)
    tags = {"mlflow.user": "x", "team": "x"}
    log(session, candidate, metrics={"b": 1, "a": 1}, params={"c": ""}, tags=tags)
    other = add_candidate(session, PROJECT, 2)
    log(session, other, params={"of another": ""})
    hidden = add_candidate(session, OTHER, 1)
    log(session, hidden, metrics={"hidden": 1}, params={"hidden": ""}, tags={"hidden": ""})
    mine = [("metric", "a"), ("metric", "b"), ("param", "c"), ("tag", "team")]
    experiment_id = candidate.experiment_id
    assert cells.list_keys(access, experiment_id, [candidate.id]) == mine
    assert set(cells.list_keys(access, experiment_id)) == {*mine, ("param", "of another")}
    assert cells.list_keys(access, hidden.experiment_id) == []


def test_statements_do_not_grow_with_candidates_or_keys(
    engine: Engine, session: Session, access: ReadAccess
) -> None:
    logged = {f"k{number:02}": str(number) for number in range(30)}
    metrics = {key: float(value) for key, value in logged.items()}
    ids = [
        log(session, add_candidate(session, PROJECT, iid), metrics=metrics, params=logged)
        for iid in range(1, 6)
    ]
    keys = [*(("metric", key) for key in logged), *(("param", key) for key in logged)]
    with counted(engine) as few:
        cells.read_columns(access, ids[:1], [keys[0], keys[-1]])
    with counted(engine) as many:
        cells.read_columns(access, ids, keys)
    assert len(many) == len(few) <= 3


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_becomes_a_text(text: str) -> None:
    assert neutral(text) == f"'{text}"


def test_a_formula_after_a_semicolon_becomes_a_text_too() -> None:
    assert neutral("a;=1; @b;-2;c") == "a;'=1;' @b;-2;c"


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_formula_stays_as_it_is(text: str) -> None:
    assert neutral(text) == text


def record(iid: int = 7, **changes: object) -> CandidateRecord:
    given = {
        "id": 1, "experiment_id": 1, "experiment_iid": 0, "iid": iid, "eid": "e" * 32, "name": "a",
        "status": 3, "user_id": "claimed", "actor_id": "5", "start_time": 1_700_000_000_123,
        "end_time": 1_700_000_001_000, "created_at": 1_700_000_000_000, "deleted_at": None,
    } | changes  # fmt: skip
    return CandidateRecord(**given)  # type: ignore[arg-type]


def told(**changes: object) -> dict[str, object]:
    attributes = attributes_of(record(**changes), Actor("5", "mira"), "https://forge/7")
    return dict(zip(ATTRIBUTES, attributes, strict=True))


def test_attributes_tell_who_when_and_where() -> None:
    assert told() == {
        "iid": 7,
        "run_id": "e" * 32,
        "name": "a",
        "status": "FINISHED",
        "author": "mira",
        "user_id": "claimed",
        "created_at": "2023-11-14T22:13:20.000Z",
        "start_time": "2023-11-14T22:13:20.123Z",
        "end_time": "2023-11-14T22:13:21.000Z",
        "duration_ms": 877,
        "reference": "[candidate:7]",
        "url": "https://forge/7",
    }


def test_times_may_be_missing_or_impossible() -> None:
    found = told(start_time=None, end_time=2**62)
    assert (found["start_time"], found["end_time"]) == (None, str(2**62))
    assert told(end_time=None)["duration_ms"] is None


def one_batch(*values: Value) -> tuple[list[ColumnName], Batch]:
    """A candidate of these values, the first a metric and the others parameters."""
    names = [ColumnName("metric", "m"), *(ColumnName("param", f"p{i}") for i in range(1, 99))]
    return names[: len(values)], Batch([facts_of()], [[value] for value in values])


def facts_of() -> Facts:
    return attributes_of(record(), None, "")


def as_csv(*values: Value) -> bytes:
    columns, batch = one_batch(*values)
    return b"".join(csv_pieces(columns, [batch]))


def as_json(*values: Value) -> bytes:
    columns, batch = one_batch(*values)
    return b"".join(json_pieces(columns, [batch]))


def test_a_csv_gives_every_text_back() -> None:
    written = as_csv(0.5, *HOSTILE)
    [head, row] = csv.reader(StringIO(written.decode(), newline=""))
    assert head[-len(HOSTILE) :] == [f"params.p{i + 1}" for i in range(len(HOSTILE))]
    assert row[-len(HOSTILE) :] == HOSTILE
    assert written.startswith(b"iid,")
    assert written.endswith(b"\r\n")


def test_pandas_reads_the_csv_back() -> None:
    written = as_csv(0.1 + 0.2, *HOSTILE)
    texts = dict.fromkeys((f"params.p{i + 1}" for i in range(len(HOSTILE))), str)
    frame = pd.read_csv(BytesIO(written), dtype=texts, keep_default_na=False)
    assert frame["metrics.m"].tolist() == [0.1 + 0.2]
    assert frame.iloc[0, -len(HOSTILE) :].tolist() == HOSTILE


@pytest.mark.parametrize("value", [math.inf, -math.inf, 5e-324, -1.5, 1e300, 3.0])
def test_pandas_reads_the_csv_of_a_metric_as_a_number(value: float) -> None:
    frame = pd.read_csv(BytesIO(as_csv(value)))
    assert frame["metrics.m"].dtype == float
    assert frame["metrics.m"].tolist() == [value]


def test_nan_is_spelled_out_and_a_gap_is_empty() -> None:
    assert as_csv(math.nan).endswith(b",NaN\r\n")
    assert as_csv(None).endswith(b",\r\n")
    assert pd.read_csv(BytesIO(as_csv(math.nan)))["metrics.m"].isna().all()


@pytest.mark.parametrize("key", ["=1", "a;=1", "a,b", '"', "\n"])
def test_a_name_of_a_column_is_as_harmless_as_a_cell(key: str) -> None:
    batch = Batch([facts_of()], [["x"]])
    written = b"".join(csv_pieces([ColumnName("param", key)], [batch]))
    [head, _row] = csv.reader(StringIO(written.decode(), newline=""))
    assert head[-1] == neutral(f"params.{key}")


def test_json_gives_every_value_back() -> None:
    [found] = json.loads(as_json(0.1 + 0.2, *HOSTILE, *FORMULAS))
    assert found["metrics"] == {"m": 0.1 + 0.2}
    assert list(found["params"].values()) == [*HOSTILE, *FORMULAS]
    assert found["iid"] == 7


@pytest.mark.parametrize(
    ("value", "text"), [(math.nan, "NaN"), (math.inf, "Infinity"), (-math.inf, "-Infinity")]
)
def test_json_has_texts_for_what_is_no_number(value: float, text: str) -> None:
    [found] = json.loads(as_json(value))
    assert found["metrics"] == {"m": text}


def test_json_leaves_out_what_a_candidate_lacks() -> None:
    [found] = json.loads(as_json(None, "", None))
    assert (found["metrics"], found["params"], found["tags"]) == ({}, {"p1": ""}, {})


def test_pandas_reads_the_json_into_the_columns_of_the_csv() -> None:
    frame = pd.json_normalize(json.loads(as_json(0.5, "x")))
    assert {*ATTRIBUTES, "metrics.m", "params.p1"} == set(frame.columns)


def test_batches_are_strung_together_and_none_is_still_json() -> None:
    columns, batch = one_batch(0.5)
    assert len(json.loads(b"".join(json_pieces(columns, [batch, batch, batch])))) == 3
    assert json.loads(b"".join(json_pieces(columns, []))) == []
    assert json.loads(b"".join(json_pieces(columns, [Batch([], [[]])]))) == []
    assert len(b"".join(csv_pieces(columns, [batch, batch])).splitlines()) == 3
