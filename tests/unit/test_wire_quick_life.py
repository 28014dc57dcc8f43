"""What is read by hand is what the schemas would load, whatever comes."""

from __future__ import annotations

import random
from typing import Any

import pytest

from gitlab_mlops.wire import experiments, runs
from gitlab_mlops.wire.schema import Request

PAIR = {"key": "a", "value": "b"}
# Right, wrong and odd values of every kind, for any field.
VALUES: list[Any] = [
    *(None, "", "1", "007", "-1", "+1", " 1", "1_0", "٣", "9" * 9, "9" * 12, "9" * 30),
    *(0, 1, -1, 2**63 - 1, 2**63, -(2**63), 1.0, 1.5, True, False, 3),
    *("FINISHED", "RUNNING", "finished", "x" * 250, "x" * 251, "x" * 500, "x" * 501),
    *([], {}, [{}], [{"key": "a"}], [{"key": "a", "value": None}], [PAIR, {"key": "c"}], ["a"]),
    *([{**PAIR, "key": ""}], [{**PAIR, "value": 1}], [{**PAIR, "key": "x" * 251}]),
    *([{**PAIR, "more": 1}], [PAIR, PAIR], [PAIR, None]),
]
PLAIN: dict[type[Request], dict[str, Any]] = {
    runs.Create: {"experiment_id": "1", "start_time": 5, "user_id": "ada", "tags": [PAIR]},
    runs.Update: {"run_id": "f" * 32, "status": "FINISHED", "end_time": 5},
    runs.DeleteTag: {"run_id": "f" * 32, "key": "a"},
    experiments.Create: {"name": "one"},
    experiments.ById: {"experiment_id": "1"},
    experiments.ByName: {"experiment_name": "one"},
}


@pytest.mark.parametrize("schema", PLAIN)
def test_what_clients_send_is_read_by_hand(schema: type[Request]) -> None:
    assert schema.quick(PLAIN[schema]) == schema().load(PLAIN[schema])


@pytest.mark.parametrize("schema", PLAIN)
def test_whatever_is_read_by_hand_is_what_the_schema_loads(schema: type[Request]) -> None:
    loader, chance = schema(), random.Random(5)
    names = [*(field.data_key or name for name, field in loader.fields.items()), "run_uuid"]
    read = 0
    for _ in range(3000):
        body = dict(PLAIN[schema])
        for name in chance.sample(names, min(len(names), chance.randint(1, 3))):
            body[name] = chance.choice(VALUES)
        found = schema.quick(body)
        if found is not None:
            read += 1
            loaded = loader.load({key: value for key, value in body.items() if value is not None})
            # With their types: True is no 1, and 1.0 is none either.
            assert {key: (type(found[key]), found[key]) for key in found} == {
                key: (type(loaded[key]), loaded[key]) for key in loaded
            }, body
    assert read


def test_a_schema_with_more_fields_reads_none_by_hand() -> None:
    """As `experiments.Update`, which extends what names an experiment."""
    assert experiments.Update.quick({"experiment_id": "1"}) is None
