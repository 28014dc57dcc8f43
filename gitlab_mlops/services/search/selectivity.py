"""How many candidates the metrics in a filter leave: counted a little way, not estimated.

Two plans find the first page. To start from the index of a metric is best if few candidates
match it; to go through the candidates in order and look each one's metrics up is best if many
do. With 100,000 candidates the wrong one takes a hundred times as long, and both databases choose
it often. A count that stops early costs a millisecond.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, islice
from operator import attrgetter
from typing import Any

from sqlalchemy import ScalarSelect, and_, func, literal, select
from sqlalchemy.orm import Session

from gitlab_mlops.models import MetricSeries
from gitlab_mlops.services.expressions import Comparison
from gitlab_mlops.services.search.sources import Key
from gitlab_mlops.services.search.values import compare_metric

# Looking up so many candidates takes as long as finding 100 of 100,000 where so many match.
FEW = 3000
MAX_METRICS = 4
MAX_EXPERIMENTS = 20


def most_selective(
    session: Session,
    experiment_ids: Sequence[int],
    metric_ids: Mapping[str, int],
    required: Sequence[Comparison],
) -> list[Key]:
    """The metric that the fewest candidates match, alone in a list if they are few; or none.

    Many experiments at once are not counted: each is an own range of the index.
    """
    known = sorted((each for each in required if each.key in metric_ids), key=attrgetter("key"))
    groups = islice(groupby(known, attrgetter("key")), MAX_METRICS)
    by_key = {key: list(group) for key, group in groups}
    if not by_key or not 0 < len(experiment_ids) <= MAX_EXPERIMENTS:
        return []
    counts = [_count(experiment_ids, metric_ids[key], group) for key, group in by_key.items()]
    found = zip(session.execute(select(*counts)).one(), by_key, strict=True)
    count, key = min(found)
    return [("metric", key)] if count < FEW else []


def _count(
    experiment_ids: Sequence[int], metric_id: int, group: Sequence[Comparison]
) -> ScalarSelect[Any]:
    """Count series in the experiments that match all the comparisons, up to `FEW`."""
    series = MetricSeries
    matching = select(literal(1).label("one")).where(
        series.experiment_id.in_(experiment_ids),
        series.key_id == metric_id,
        and_(*(compare_metric(series.value.expression, each) for each in group)),
    )
    counted = matching.limit(FEW).subquery()
    return select(func.count()).select_from(counted).scalar_subquery()
