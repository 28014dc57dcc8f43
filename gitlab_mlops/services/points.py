"""A metric point as it travels between the wire and the tables."""

from typing import NamedTuple


class Point(NamedTuple):
    """One value of a metric: `timestamp` in milliseconds since 1970, `step` any int64.

    A point that is logged may be one of a logged model too, as measured on a dataset; both are
    noted with the model, and are not part of the candidate's metric.
    """

    key: str
    value: float
    timestamp: int
    step: int
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""
