"""What MLflow lets a search ask about runs, experiments and models: names, operators, values.

From `SearchUtils`, `SearchExperimentsUtils` (mlflow/utils/search_utils.py, 3.17) and the filter
functions of MLflow's SqlAlchemyStore. Names become those of our columns here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from gitlab_mlops.services.expressions import Entity, Operator


class Form(Enum):
    """What kind of value a key compares with."""

    NUMBER = "a number"
    INTEGER = "a whole number"
    TEXT = "a text in quotes"
    ID = "a whole number in quotes"
    COUNT = "a whole number, in quotes or not"


@dataclass(frozen=True, slots=True)
class Rule:
    """How a key may be compared."""

    form: Form
    operators: tuple[Operator, ...]


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column: its name in our models, and how it may be compared."""

    column: str
    rule: Rule


NUMERIC = Rule(Form.NUMBER, ("=", "!=", "<", "<=", ">", ">="))
WHOLE = Rule(Form.INTEGER, NUMERIC.operators)
TEXT = Rule(Form.TEXT, ("=", "!=", "LIKE", "ILIKE"))
LISTED = Rule(Form.TEXT, (*TEXT.operators, "IN", "NOT IN"))
OPTIONAL = Rule(Form.TEXT, (*TEXT.operators, "IS NULL", "IS NOT NULL"))
ID = Rule(Form.ID, ("=", "!=", "IN", "NOT IN"))


@dataclass(frozen=True, slots=True)
class Grammar:
    """A dialect of the language: for each word that MLflow knows, what it stands for here."""

    entities: Mapping[str, Entity]
    attributes: Mapping[str, Attribute]
    order_entities: frozenset[Entity]
    order_attributes: frozenset[str]
    rules: Mapping[Entity, Rule]
    dataset_keys: frozenset[str] = frozenset()

    def rule(self, entity: Entity, key: str) -> Rule:
        """How this key may be compared; an attribute goes by its word on the wire."""
        return self.attributes[key].rule if entity == "attribute" else self.rules[entity]

    def column(self, entity: Entity, key: str) -> str:
        """What services call this key."""
        return self.attributes[key].column if entity == "attribute" else key


_START, _NAME = Attribute("start_time", NUMERIC), Attribute("name", TEXT)

CANDIDATES = Grammar(
    entities={
        "attribute": "attribute",
        "attributes": "attribute",
        "attr": "attribute",
        "run": "attribute",
        "metric": "metric",
        "metrics": "metric",
        "parameter": "param",
        "parameters": "param",
        "param": "param",
        "params": "param",
        "tag": "tag",
        "tags": "tag",
        "dataset": "dataset",
        "datasets": "dataset",
    },
    attributes={
        "run_id": Attribute("eid", LISTED),
        "run_name": _NAME,
        "run name": _NAME,
        "Run name": _NAME,
        "Run Name": _NAME,
        "status": Attribute("status", TEXT),
        "user_id": Attribute("user_id", TEXT),
        "artifact_uri": Attribute("artifact_uri", TEXT),
        "start_time": _START,
        "created": _START,
        "Created": _START,
        "end_time": Attribute("end_time", NUMERIC),
    },
    order_entities=frozenset({"attribute", "metric", "param", "tag"}),
    order_attributes=frozenset(
        {
            "run_id",
            "run_name",
            "status",
            "user_id",
            "artifact_uri",
            "start_time",
            "created",
            "Created",
            "end_time",
        }
    ),
    rules={"metric": NUMERIC, "param": OPTIONAL, "tag": OPTIONAL, "dataset": LISTED},
    dataset_keys=frozenset({"name", "digest", "context"}),
)

EXPERIMENTS = Grammar(
    entities={"attribute": "attribute", "tag": "tag", "tags": "tag"},
    attributes={
        "name": _NAME,
        "experiment_id": Attribute("iid", ID),
        "creation_time": Attribute("created_at", WHOLE),
        "last_update_time": Attribute("updated_at", WHOLE),
    },
    order_entities=frozenset({"attribute"}),
    order_attributes=frozenset({"name", "experiment_id", "creation_time", "last_update_time"}),
    rules={"tag": OPTIONAL},
)

_CREATED, _CHANGED = Attribute("created_at", NUMERIC), Attribute("updated_at", NUMERIC)
_MODEL_ATTRIBUTES = {
    "name": Attribute("name", LISTED),
    "model_id": Attribute("model_id", LISTED),
    "model_type": Attribute("model_type", LISTED),
    "status": Attribute("status", LISTED),
    "source_run_id": Attribute("source_eid", LISTED),
    "creation_time": _CREATED,
    "creation_timestamp": _CREATED,
    "creation_timestamp_ms": _CREATED,
    "last_updated_timestamp": _CHANGED,
    "last_updated_timestamp_ms": _CHANGED,
}
# From `mlflow/utils/search_logged_model_utils.py`.
LOGGED_MODELS = Grammar(
    entities={
        "attributes": "attribute",
        "metrics": "metric",
        "params": "param",
        "tags": "tag",
    },
    attributes=_MODEL_ATTRIBUTES,
    order_entities=frozenset({"attribute", "metric"}),
    order_attributes=frozenset(_MODEL_ATTRIBUTES),
    rules={"metric": NUMERIC, "param": LISTED, "tag": LISTED},
)

_REGISTRY_ENTITIES: dict[str, Entity] = {
    "attribute": "attribute",
    "tag": "tag",
    "tags": "tag",
}
_LISTED_NAME = Attribute("name", LISTED)
# From `SearchModelUtils` and `SearchModelVersionUtils`, and MLflow's SqlAlchemyStore of the
# registry, which sorts by other names than it filters by.
REGISTERED_MODELS = Grammar(
    entities=_REGISTRY_ENTITIES,
    attributes={"name": _LISTED_NAME},
    order_entities=frozenset(),
    order_attributes=frozenset(),
    rules={"tag": TEXT},
)
MODEL_VERSIONS = Grammar(
    entities=_REGISTRY_ENTITIES,
    attributes={
        "name": _LISTED_NAME,
        "version_number": Attribute("version", Rule(Form.COUNT, NUMERIC.operators)),
        "run_id": Attribute("eid", LISTED),
        "source_path": Attribute("source", TEXT),
    },
    order_entities=frozenset(),
    order_attributes=frozenset(),
    rules={"tag": TEXT},
)


def _order(**columns: str) -> Grammar:
    attributes = {name: Attribute(column, TEXT) for name, column in columns.items()}
    return Grammar(
        entities={"attribute": "attribute"},
        attributes=attributes,
        order_entities=frozenset({"attribute"}),
        order_attributes=frozenset(attributes),
        rules={},
    )


REGISTERED_MODEL_ORDER = _order(
    name="name", timestamp="updated_at", last_updated_timestamp="updated_at"
)
MODEL_VERSION_ORDER = _order(
    name="name",
    version_number="version",
    creation_timestamp="created_at",
    last_updated_timestamp="updated_at",
)
