"""What is read by hand is what the schemas read, and the bodies of MLflow's client are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gitlab_mlops.wire import runs as wire
from gitlab_mlops.wire.schema import Request

RUN = "0" * 32
POINT = {"key": "loss", "value": 0.5, "timestamp": 1_700_000_000_000, "step": 3}
PAIR = {"key": "lr", "value": "0.1"}
# As the client sends them: with the run's name of old servers, if there is one.
PLAIN: list[tuple[type[Request], dict[str, Any]]] = [
    (wire.LogMetric, {"run_id": RUN, "run_uuid": RUN, **POINT}),
    (wire.LogParam, {"run_id": RUN, "run_uuid": RUN, **PAIR}),
    (wire.SetTag, {"run_id": RUN, "run_uuid": RUN, **PAIR}),
    (wire.LogBatch, {"run_id": RUN, "metrics": [POINT, POINT], "params": [PAIR], "tags": [PAIR]}),
    (wire.LogBatch, {"run_id": RUN, "metrics": [POINT]}),
    (wire.LogBatch, {"run_id": RUN}),
]
ODD: list[Any] = [
    None, "", " ", "a", "a//b", "../a", "/a", "é", "a\nb", "a#", "x" * 251, "y" * 7000, "z" * 9000,
    "NaN", "1", "1.5", True, False, 0, 1, -1, 1.0, 1.5, -0.0, 1e300, 2**53, 2**63 - 1, 2**63,
    -(2**63), -(2**63) - 1, 2**64, [], [1], {}, {"key": "a"}, [[]], [{}], [None], "m-1", "-a",
    [PAIR] * 101, [POINT] * 1001, [{**PAIR, "more": 1}], [{**POINT, "model_id": "m-1"}],
]  # fmt: skip
MORE = ["run_uuid", "model_id", "dataset_name", "dataset_digest", "unknown", "metrics", "key"]


def by_schema(schema: type[Request], body: dict[str, Any]) -> dict[str, Any]:
    given = {key: value for key, value in body.items() if value is not None}
    loaded: dict[str, Any] = schema().load(given)
    return {key: value for key, value in loaded.items() if value or key not in NO_MODEL}


NO_MODEL = ("model_id", "dataset_name", "dataset_digest")


def with_odd_values(body: Any) -> Iterator[Any]:
    """The body with one value of it, however deep, replaced, left out or added."""
    if isinstance(body, list):
        for index, item in enumerate(body):
            for odd in [*with_odd_values(item), *ODD]:
                yield [*body[:index], odd, *body[index + 1 :]]
        return
    if not isinstance(body, dict):
        return
    for key in body:
        yield {name: value for name, value in body.items() if name != key}
    for key, value in [*body.items(), *((key, None) for key in MORE if key not in body)]:
        for odd in [*with_odd_values(value), *ODD]:
            yield {**body, key: odd}


@pytest.mark.parametrize(("schema", "body"), PLAIN)
def test_what_the_client_sends_is_read_by_hand(schema: type[Request], body: dict[str, Any]) -> None:
    assert schema.quick(body) is not None


@pytest.mark.parametrize(("schema", "body"), PLAIN)
def test_what_is_read_by_hand_the_schema_reads_in_the_same_way(
    schema: type[Request], body: dict[str, Any]
) -> None:
    bodies = [body, *with_odd_values(body)]
    quick = [(each, loaded) for each in bodies if (loaded := schema.quick(each)) is not None]
    assert len(quick) > 5
    for each, loaded in quick:
        expected = by_schema(schema, each)
        assert repr(sorted(loaded.items())) == repr(sorted(expected.items()))
