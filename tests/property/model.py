"""What a tracking server has to remember, in plain dictionaries."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple


class Point(NamedTuple):
    """A point of a metric; NaN is more than any number, and the same as itself."""

    step: int
    timestamp: int
    is_nan: bool
    value: float

    @classmethod
    def of(cls, value: float, timestamp: int, step: int) -> Point:
        """The point that the client sends, or got."""
        nan = math.isnan(value)
        return cls(step, timestamp, nan, 0.0 if nan else value)


@dataclass
class Experiment:
    """An experiment, in the trash or not."""

    id: str
    name: str
    is_deleted: bool = False
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Run:
    """A run, in the trash or not; of each metric the points, each of them once."""

    id: str
    experiment: Experiment
    name: str
    status: str = "RUNNING"
    end_time: int | None = None
    is_deleted: bool = False
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    points: dict[str, set[Point]] = field(default_factory=dict)

    def log(self, key: str, point: Point) -> None:
        """Add a point; one that is there stays as it is."""
        self.points.setdefault(key, set()).add(point)

    def latest(self) -> dict[str, Point]:
        """Of each metric the point of the highest step, then time, then value."""
        return {key: max(points) for key, points in self.points.items()}

    def conflicts(self, params: dict[str, str]) -> bool:
        """Whether one of the parameters has another value already."""
        return any(self.params.get(key, value) != value for key, value in params.items())
