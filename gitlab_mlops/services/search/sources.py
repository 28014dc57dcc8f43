"""Where the values that a search compares and sorts by come from: columns, joins, subqueries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ScalarSelect, Select, String, and_, case, cast, literal, select

from gitlab_mlops.models import (
    Candidate,
    CandidateTag,
    Experiment,
    MetricSeries,
    Param,
    Status,
)
from gitlab_mlops.services.search.values import Column, Condition

Key = tuple[str, str]
"""(entity, key), with the entity metric, param or tag."""

# Tables and not classes, here as in all of a search: SQLAlchemy puts those together twice as fast.
CANDIDATES: Any = Candidate.__table__
_candidate, _experiment = CANDIDATES.c, Experiment.__table__.c

EXPERIMENT_IID: ScalarSelect[int] = (
    select(_experiment.iid)
    .where(_experiment.id == _candidate.experiment_id)
    .correlate(CANDIDATES)
    .scalar_subquery()
)
"""The iid of a candidate's experiment."""

ATTRIBUTES: Mapping[str, Column] = {
    "eid": _candidate.eid,
    "name": _candidate.name,
    "user_id": _candidate.user_id,
    "start_time": _candidate.start_time,
    "end_time": _candidate.end_time,
    # Compared and sorted by name, as MLflow does.
    "status": case(
        {status.value: status.name for status in Status}, value=_candidate.status, else_=""
    ),
    # As `wire/runs.py` shows it.
    "artifact_uri": literal("mlflow-artifacts:/")
    + cast(EXPERIMENT_IID, String)
    + "/"
    + _candidate.eid
    + "/artifacts",
}
TIMES = frozenset({"start_time", "end_time"})

_TABLES: Mapping[str, Any] = {
    "metric": MetricSeries.__table__,
    "param": Param.__table__,
    "tag": CandidateTag.__table__,
}


class Sources:
    """The values of one statement over candidates. `joined` keys are its joined tables.

    A joined table lets the database start from it, and read a metric's index in order. What is
    not joined is looked up per candidate by key, so the plan never depends on statistics.
    """

    def __init__(
        self, experiment_ids: Sequence[int], metric_ids: Mapping[str, int], joined: Iterable[Key]
    ) -> None:
        """`metric_ids` are those of the metrics that the project knows, by name."""
        self.experiment_ids = experiment_ids
        self.metric_ids = metric_ids
        self.joined = {key: _TABLES[key[0]].alias() for key in joined if self.knows(key)}

    def knows(self, key: Key) -> bool:
        """Whether any candidate of the project can have a value."""
        return key[0] != "metric" or key[1] in self.metric_ids

    def join(self, statement: Select[Any], outer: Iterable[Key]) -> Select[Any]:
        """Join the tables of the joined keys, those in `outer` by LEFT JOIN."""
        left = set(outer)
        for key, table in self.joined.items():
            statement = statement.join(table, self._belongs(key, table), isouter=key in left)
        return statement

    def value(self, entity: str, key: str) -> Column | None:
        """The value of an attribute, metric, param or tag; None if nothing can have it."""
        if entity == "attribute":
            return ATTRIBUTES[key]
        if not self.knows((entity, key)):
            return None
        if (entity, key) in self.joined:
            column: Column = self.joined[entity, key].c.value
            return column
        table = _TABLES[entity].alias()
        lookup = select(table.c.value).where(self._belongs((entity, key), table))
        return lookup.correlate(CANDIDATES).scalar_subquery()

    def _belongs(self, key: Key, table: Any) -> Condition:
        mine = table.c.candidate_id == _candidate.id
        if key[0] != "metric":
            return and_(mine, table.c.key == key[1])
        # A constant, where there is one, is the first column of the index by value.
        single = len(self.experiment_ids) == 1
        experiment = self.experiment_ids[0] if single else _candidate.experiment_id
        return and_(
            mine,
            table.c.key_id == self.metric_ids[key[1]],
            table.c.experiment_id == experiment,
        )
