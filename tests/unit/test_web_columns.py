"""What columns are called, which are offered, and what a client says of its source."""

from __future__ import annotations

import pytest

from gitlab_mlops.blueprints.web.attributes import attributes_of
from gitlab_mlops.blueprints.web.chooser import MAX_OFFERED, groups_of
from gitlab_mlops.blueprints.web.columns import ColumnName, parse_columns
from gitlab_mlops.blueprints.web.source import Source, source_of
from gitlab_mlops.errors import Invalid
from gitlab_mlops.services.records import CandidateRecord


def record(actor_id: str = "ann", **tags: str) -> CandidateRecord:
    pairs = [(key.replace("_", "."), value) for key, value in tags.items()]
    return CandidateRecord(
        1, 1, 1, 1, "eid", "name", 1, "", actor_id, 0, None, 0, None, tags=pairs
    )  # fmt: skip


@pytest.mark.parametrize(
    "text", ["metrics.auc", "params.a.b", "tags.mlflow.user", "metrics.", "params.é `'\"", "author"]
)
def test_a_column_is_read_as_it_is_written(text: str) -> None:
    (name,) = parse_columns([text, text])
    assert name.text == text


@pytest.mark.parametrize("text", ["auc", "metric.auc", "", "Status", ".x", "attributes.status"])
def test_what_names_no_column_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is no column"):
        parse_columns([text])


def test_the_columns_are_offered_in_groups_and_those_shown_are_ticked() -> None:
    known = [ColumnName("metric", "auc"), ColumnName("metric", "system/cpu")]
    shown = [ColumnName("attribute", "status"), *known[:1], ColumnName("param", "elsewhere")]
    groups = groups_of(known, shown, [record(team="red", mlflow_user="ann")])
    assert {each.label: [offer.text for offer in each.offers] for each in groups[1:]} == {
        "Metrics": ["metrics.auc"],
        "System metrics": ["metrics.system/cpu"],
        "Parameters": ["params.elsewhere"],
        "Tags": ["tags.team"],
        "Tags of MLflow's client": ["tags.mlflow.user"],
    }
    ticked = [offer.text for group in groups for offer in group.offers if offer.is_shown]
    assert ticked == ["status", "metrics.auc", "params.elsewhere"]


def test_what_is_shown_is_offered_among_ever_so_many() -> None:
    known = [ColumnName("param", f"p{number:04d}") for number in range(MAX_OFFERED + 10)]
    *_, group = groups_of(known, known[-1:], [])
    assert len(group.offers) == MAX_OFFERED + 1
    assert (group.offers[-1].is_shown, group.left_out) == (True, 9)


def test_the_source_is_what_the_client_says() -> None:
    commit = "0123456789abcdef0123456789abcdef01234567"
    tags = [("mlflow.source.git.commit", commit), ("gitlab.CI_JOB_ID", "17"), ("team", "red")]
    assert source_of(tags) == Source("01234567", "", "17")
    assert source_of([("mlflow.source.git.commit", "v1.0")]) == Source("v1.0", "", "")
    assert source_of([("mlflow.source.git.branch", " ")]) is None
    assert source_of([("team", "red")]) is None


def test_author_and_source_are_columns_if_they_vary() -> None:
    branch = {"mlflow_source_git_branch": "main"}
    same = attributes_of([record(**branch), record(**branch)], ())
    assert [each.key for each in same.names] == ["status", "created", "duration"]
    assert same.author is not None
    assert same.source == Source("", "main", "")
    differ = attributes_of([record(**branch), record("bob")], ())
    assert differ.flags == [True] * 5
    assert (differ.author, differ.source) == (None, None)
    without = attributes_of([record(), record()], ())
    assert (without.flags[4], without.source) == (False, None)
    assert attributes_of([record()], ()).flags == [True, True, True, True, False]
