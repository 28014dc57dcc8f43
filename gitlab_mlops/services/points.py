"""A metric point as it travels between the wire and the tables."""

from typing import NamedTuple


class Point(NamedTuple):
    """One value of a metric: `timestamp` in milliseconds since 1970, `step` any int64."""

    key: str
    value: float
    timestamp: int
    step: int
