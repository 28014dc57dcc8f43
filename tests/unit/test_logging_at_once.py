"""Two who log to one candidate at the same moment, on PostgreSQL, where both may write."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.orm import Session

from gitlab_mlops.access import WriteAccess
from gitlab_mlops.errors import Invalid
from gitlab_mlops.host import Actor, Project
from gitlab_mlops.models import Base, MetricPoint, MetricSeries, Param
from gitlab_mlops.services import candidates, experiments, logging
from gitlab_mlops.services.points import Point
from tests.postgresql import new_postgresql_database

PROJECT = Project(1, "group/one")
Log = Callable[..., None]


@pytest.fixture(scope="module")
def engine(postgresql_url: str) -> Iterator[Engine]:
    """An empty database with the plugin's tables."""
    engine = create_engine(new_postgresql_database(postgresql_url))
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def eid(engine: Engine) -> str:
    """A candidate of a project that knows the metrics `a` and `b`, in this order."""
    with Session(engine) as session:
        access = WriteAccess(Actor("1", "ann"), PROJECT, session)
        experiments.ensure_default(access)
        for key in ("a", "b"):
            logging.log(access, candidates.create(access, 0).eid, points=[point(key, 0)])
        eid = candidates.create(access, 0).eid
        session.commit()
    return eid


def point(key: str, step: int, value: float | None = None) -> Point:
    return Point(key, float(step) if value is None else value, 1000 + step, step)


class Writer:
    """Somebody with a connection of their own, who has not committed yet."""

    def __init__(self, engine: Engine, eid: str) -> None:
        self.session = Session(engine)
        self.eid = eid
        self.pid = self.session.scalar(text("SELECT pg_backend_pid()"))
        self._pool = ThreadPoolExecutor(1)

    def log(self, *points: Point, **params: str) -> None:
        """Log, and leave the transaction open."""
        access = WriteAccess(Actor("1", "ann"), PROJECT, self.session)
        logging.log(access, self.eid, points=points, params=list(params.items()))

    def start(self, *points: Point, **params: str) -> Future[None]:
        """Log while somebody else has what it takes; returns once the database makes it wait."""
        future = self._pool.submit(self.log, *points, **params)
        waits = text("SELECT count(*) FROM pg_locks WHERE pid = :pid AND NOT granted")
        with self.session.get_bind().connect() as connection:  # type: ignore[union-attr]
            for _ in range(1000):
                if connection.scalar(waits, {"pid": self.pid}):
                    return future
                assert not future.done(), future.result()
                time.sleep(0.01)
        pytest.fail("It does not wait.")

    def close(self) -> None:
        """Undo what is not committed."""
        self._pool.shutdown()
        self.session.close()


@pytest.fixture
def writers(engine: Engine, eid: str) -> Iterator[tuple[Writer, Writer]]:
    """Two of them, for the same candidate."""
    first, second = Writer(engine, eid), Writer(engine, eid)
    yield first, second
    first.session.close()
    first.close()
    second.close()


def latest(engine: Engine, eid: str) -> list[tuple[Any, ...]]:
    """(step, value, lowest, highest, number of points) of each series."""
    with Session(engine) as session:
        access = WriteAccess(Actor("1", "ann"), PROJECT, session)
        candidate_id, *_ = candidates.active_id(access, eid)
        points = (
            select(func.count()).where(MetricPoint.series_id == MetricSeries.id).scalar_subquery()
        )
        rows = session.execute(
            select(
                MetricSeries.step, MetricSeries.value, MetricSeries.lowest, MetricSeries.highest,
                points,
            )
            .where(MetricSeries.candidate_id == candidate_id)
            .order_by(MetricSeries.key_id)
        )  # fmt: skip
        return [tuple(row) for row in rows]


@pytest.mark.parametrize(("first_step", "second_step"), [(5, 7), (7, 5)])
@pytest.mark.parametrize("is_new", [True, False])
def test_both_points_of_a_series_count(
    engine: Engine, eid: str, writers: tuple[Writer, Writer], first_step: int, second_step: int,
    is_new: bool,
) -> None:  # fmt: skip
    first, second = writers
    if not is_new:
        first.log(point("a", 6))
        first.session.commit()
    first.log(point("a", first_step))
    waiting = second.start(point("a", second_step))
    first.session.commit()
    waiting.result(30)
    second.session.commit()
    assert latest(engine, eid) == [(7, 7.0, 5.0, 7.0, 2 if is_new else 3)]


def test_extremes_leave_nan_out_whoever_comes_first(
    engine: Engine, eid: str, writers: tuple[Writer, Writer]
) -> None:
    first, second = writers
    first.log(point("a", 1, math.nan), point("a", 0, math.inf))
    waiting = second.start(point("a", 1, 3.0), point("a", 0, math.nan))
    first.session.commit()
    waiting.result(30)
    second.session.commit()
    ((step, value, lowest, highest, count),) = latest(engine, eid)
    assert (step, math.isnan(value), lowest, highest, count) == (1, True, 3.0, math.inf, 4)


def test_batches_in_different_orders_do_not_deadlock(
    engine: Engine, eid: str, writers: tuple[Writer, Writer]
) -> None:
    """If the second took what it comes to first, each would wait for the other."""
    first, second = writers
    first.log(point("a", 1))
    first.session.commit()
    first.log(point("b", 1))
    first.session.commit()
    first.log(point("a", 2))
    waiting = second.start(point("b", 3), point("a", 3))
    first.log(point("b", 2))
    first.session.commit()
    waiting.result(30)
    second.session.commit()
    assert [row[0] for row in latest(engine, eid)] == [3, 3]


def test_who_waits_for_a_new_name_holds_nothing(
    engine: Engine, eid: str, writers: tuple[Writer, Writer]
) -> None:
    first, second = writers
    first.log(point("a", 1))
    first.session.commit()
    first.log(point(f"new of {eid}", 1))
    waiting = second.start(point("a", 2), point(f"new of {eid}", 2))
    first.log(point("a", 3))
    first.session.commit()
    waiting.result(30)
    second.session.commit()
    assert [row[0] for row in latest(engine, eid)] == [3, 2]


def stored(engine: Engine, eid: str) -> dict[str, str]:
    with Session(engine) as session:
        access = WriteAccess(Actor("1", "ann"), PROJECT, session)
        candidate_id, *_ = candidates.active_id(access, eid)
        rows = select(Param.key, Param.value).where(Param.candidate_id == candidate_id)
        return dict(session.execute(rows).all())  # type: ignore[arg-type]


BATCH = {"lr": "1", "depth": "2"}


@pytest.mark.parametrize("more", [{}, {"depth": "2"}])
def test_the_same_value_of_a_parameter_is_fine_for_both(
    engine: Engine, eid: str, writers: tuple[Writer, Writer], more: dict[str, str]
) -> None:
    first, second = writers
    first.log(lr="1", **more)
    waiting = second.start(lr="1", **more)
    first.session.commit()
    waiting.result(30)
    second.session.commit()
    assert stored(engine, eid) == {"lr": "1", **more}


@pytest.mark.parametrize("more", [{}, {"depth": "2"}])
def test_another_value_of_a_parameter_is_refused_once_the_first_is_there(
    engine: Engine, eid: str, writers: tuple[Writer, Writer], more: dict[str, str]
) -> None:
    first, second = writers
    first.log(lr="1")
    waiting = second.start(lr="2", **more)
    first.session.commit()
    with pytest.raises(Invalid, match="key='lr' was already logged with value='1'"):
        waiting.result(30)
    second.session.rollback()
    assert stored(engine, eid) == {"lr": "1"}


def test_another_value_of_a_parameter_is_stored_if_the_first_is_not(
    engine: Engine, eid: str, writers: tuple[Writer, Writer]
) -> None:
    first, second = writers
    first.log(lr="1")
    waiting = second.start(lr="2")
    first.session.rollback()
    waiting.result(30)
    second.session.commit()
    assert stored(engine, eid) == {"lr": "2"}


def test_parameters_in_different_orders_do_not_deadlock(
    engine: Engine, eid: str, writers: tuple[Writer, Writer]
) -> None:
    first, second = writers
    first.log(a="1")
    waiting = second.start(b="1", a="1")
    first.log(b="1")
    first.session.commit()
    waiting.result(30)
    second.session.commit()
    assert stored(engine, eid) == {"a": "1", "b": "1"}


def test_one_prepared_plan_serves_all_sizes(engine: Engine, eid: str) -> None:
    """Numbers of another size would be arguments of other types, and so another statement."""
    writer = Writer(engine, eid)
    # The driver prepares what comes the sixth time, and PostgreSQL plans that anew five times.
    for number in range(14):
        writer.log(point("a", 7**number))
        writer.log(*(point("b", 7**number + i) for i in range(2 + number * 5)))
        writer.log(**{f"p{number}": "1"})
        writer.log(**{f"q{number}-{i}": "1" for i in range(2 + number)})
    rows = writer.session.execute(
        text(
            "SELECT generic_plans > 0 FROM pg_prepared_statements "
            "WHERE statement ~ 'INSERT INTO mlops_(metric_points|params)'"
        )
    ).all()
    writer.close()
    assert rows == [(True,)] * 4


@pytest.mark.parametrize("count", [1, 3])
def test_points_release_their_series_before_the_disk_has_answered(
    engine: Engine, eid: str, count: int
) -> None:
    writer = Writer(engine, eid)
    writer.session.execute(text("SET LOCAL synchronous_commit = on"))
    writer.log(*(point("a", step) for step in range(count)))
    assert writer.session.scalar(text("SHOW synchronous_commit")) == "off"
    writer.close()
