"""Whatever a client does, in whatever order, the server remembers what plain dictionaries would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

from tests.factories import Forge
from tests.property.model import Experiment, Point, Run

INVALID, MISSING = "INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST"
TAKEN = "RESOURCE_ALREADY_EXISTS"
VIEWS = {
    ViewType.ACTIVE_ONLY: {False},
    ViewType.DELETED_ONLY: {True},
    ViewType.ALL: {True, False},
}

# Few of each, so that things meet: the same name again, another value for a parameter.
NAMES = st.sampled_from(["Default", "a", "A", "Ä/b c", "%s", "a" * 500])
KEYS = st.sampled_from(["loss", "Loss", "val loss/äöü", "a.b-c_d:1", "k" * 250])
TEXTS = st.sampled_from(
    ["", "1", "it's", "a%b_c", "\u00e9", "e\u0301", "\U0001f600\n\t", "x" * 500]
)
VALUES = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, 0.1, float("nan"), float("inf"), float("-inf"), 5e-324]),
    st.floats(),
)
STEPS = st.one_of(st.integers(-2, 2), st.sampled_from([-(2**63), 2**63 - 1]))
TIMES = st.one_of(st.integers(0, 3), st.sampled_from([1_700_000_000_000, 2**63 - 1]))
PARAMS, TAGS = (st.dictionaries(KEYS, TEXTS, max_size=3) for _ in range(2))
POINTS = st.lists(st.tuples(KEYS, VALUES, TIMES, STEPS), max_size=4)
ENDS = st.sampled_from(["FINISHED", "FAILED", "KILLED", "RUNNING", "SCHEDULED"])


@contextmanager
def refused(code: str) -> Iterator[None]:
    """The server must refuse what is done, with this code."""
    with pytest.raises(MlflowException) as refusal:
        yield
    assert refusal.value.error_code == code, refusal.value


class Tracking(RuleBasedStateMachine):
    """One project, a developer with the stock client, and the model of both."""

    experiments, runs = Bundle("experiments"), Bundle("runs")

    def __init__(self, app: Flask, address: str, patch: pytest.MonkeyPatch) -> None:
        super().__init__()
        forge = Forge(app)
        api = forge.developer()
        patch.setenv("MLFLOW_TRACKING_TOKEN", api.headers["Authorization"].partition(" ")[2])
        self.client = MlflowClient(address + api.base)
        self.all_experiments: list[Experiment] = []
        self.all_runs: list[Run] = []

    @initialize(target=experiments)
    def there_is_a_default(self) -> Experiment:
        """As every client expects."""
        return self._add(Experiment("0", "Default"))

    # Experiments

    @rule(target=experiments, name=NAMES, tags=TAGS)
    def create_experiment(self, name: str, tags: dict[str, str]) -> Any:
        """A name is taken also by what is in the trash."""
        there = [each for each in self.all_experiments if each.name == name]
        if there:
            with refused(TAKEN):
                self.client.create_experiment(name, tags=tags)
            return multiple()
        made = self.client.create_experiment(name, tags=tags)
        return self._add(Experiment(made, name, tags=dict(tags)))

    @rule(experiment=experiments)
    def delete_experiment(self, experiment: Experiment) -> None:
        """Its runs go with it."""
        if experiment.is_deleted:
            with refused(MISSING):
                self.client.delete_experiment(experiment.id)
        else:
            self.client.delete_experiment(experiment.id)
            self._set_deleted(experiment, True)

    @rule(experiment=experiments)
    def restore_experiment(self, experiment: Experiment) -> None:
        """Its runs come with it."""
        if not experiment.is_deleted:
            with refused(MISSING):
                self.client.restore_experiment(experiment.id)
        else:
            self.client.restore_experiment(experiment.id)
            self._set_deleted(experiment, False)

    @rule(experiment=experiments, name=NAMES)
    def rename_experiment(self, experiment: Experiment, name: str) -> None:
        """To a name that is free, or its own."""
        others = [each.name for each in self.all_experiments if each is not experiment]
        if experiment.is_deleted or name in others:
            with refused(INVALID if experiment.is_deleted else TAKEN):
                self.client.rename_experiment(experiment.id, name)
        else:
            self.client.rename_experiment(experiment.id, name)
            experiment.name = name

    @rule(experiment=experiments, key=KEYS, value=TEXTS)
    def tag_experiment(self, experiment: Experiment, key: str, value: str) -> None:
        """The last value counts."""
        if experiment.is_deleted:
            with refused(INVALID):
                self.client.set_experiment_tag(experiment.id, key, value)
        else:
            self.client.set_experiment_tag(experiment.id, key, value)
            experiment.tags[key] = value

    # Runs

    @rule(target=runs, experiment=experiments, name=NAMES, tags=TAGS)
    def create_run(self, experiment: Experiment, name: str, tags: dict[str, str]) -> Any:
        """Only in an experiment that is not in the trash."""
        if experiment.is_deleted:
            with refused(INVALID):
                self.client.create_run(experiment.id, 1, tags, name)
            return multiple()
        made = self.client.create_run(experiment.id, 1, tags, name)
        run = Run(made.info.run_id, experiment, name, tags=dict(tags))
        self.all_runs.append(run)
        return run

    @rule(run=runs)
    def delete_run(self, run: Run) -> None:
        """Also twice."""
        self.client.delete_run(run.id)
        run.is_deleted = True

    @rule(run=runs)
    def restore_run(self, run: Run) -> None:
        """Also twice, and without its experiment."""
        self.client.restore_run(run.id)
        run.is_deleted = False

    @rule(run=runs, key=KEYS, value=VALUES, time=TIMES, step=STEPS)
    def log_metric(self, run: Run, key: str, value: float, time: int, step: int) -> None:
        """A point more, or the same again."""
        if run.is_deleted:
            with refused(INVALID):
                self.client.log_metric(run.id, key, value, time, step)
        else:
            self.client.log_metric(run.id, key, value, time, step)
            run.log(key, Point.of(value, time, step))

    @rule(run=runs, key=KEYS, value=TEXTS)
    def log_param(self, run: Run, key: str, value: str) -> None:
        """Once, or with the same value again."""
        if run.is_deleted or run.conflicts({key: value}):
            with refused(INVALID):
                self.client.log_param(run.id, key, value)
        else:
            self.client.log_param(run.id, key, value)
            run.params[key] = value

    @rule(run=runs, key=KEYS, value=TEXTS)
    def set_tag(self, run: Run, key: str, value: str) -> None:
        """The last value counts."""
        if run.is_deleted:
            with refused(INVALID):
                self.client.set_tag(run.id, key, value)
        else:
            self.client.set_tag(run.id, key, value)
            run.tags[key] = value

    @rule(run=runs, key=KEYS)
    def delete_tag(self, run: Run, key: str) -> None:
        """One that is there."""
        if run.is_deleted or key not in run.tags:
            with refused(INVALID if run.is_deleted else MISSING):
                self.client.delete_tag(run.id, key)
        else:
            self.client.delete_tag(run.id, key)
            del run.tags[key]

    @rule(run=runs, points=POINTS, params=PARAMS, tags=TAGS)
    def log_batch(
        self, run: Run, points: Any, params: dict[str, str], tags: dict[str, str]
    ) -> None:
        """All of it, or nothing."""
        batch = {
            "metrics": [Metric(*point) for point in points],
            "params": [Param(*pair) for pair in params.items()],
            "tags": [RunTag(*pair) for pair in tags.items()],
        }
        if not (points or params or tags):
            return  # the client sends nothing
        if run.is_deleted or run.conflicts(params):
            with refused(INVALID):
                self.client.log_batch(run.id, **batch)
            return
        self.client.log_batch(run.id, **batch)
        for key, value, time, step in points:
            run.log(key, Point.of(value, time, step))
        run.params.update(params)
        run.tags.update(tags)

    @rule(run=runs, status=ENDS, time=TIMES.filter(bool))
    def end(self, run: Run, status: str, time: int) -> None:
        """Also again, and otherwise. For 0 the client sends the time of now."""
        if run.is_deleted:
            with refused(INVALID):
                self.client.set_terminated(run.id, status, time)
        else:
            self.client.set_terminated(run.id, status, time)
            run.status, run.end_time = status, time

    # What is found

    @rule(run=runs)
    def read_run(self, run: Run) -> None:
        """Everything that was logged, and nothing else."""
        self._compare(self.client.get_run(run.id), run)

    @rule(run=runs, key=KEYS)
    def read_history(self, run: Run, key: str) -> None:
        """Every point once, in order of time."""
        expected = run.points.get(key, set())
        got = self.client.get_metric_history(run.id, key)
        points = [Point.of(each.value, each.timestamp, each.step) for each in got]
        in_time = sorted(expected, key=lambda each: (each.timestamp, each.step, *each[2:]))
        assert points == in_time

    @rule(name=NAMES)
    def find_experiment(self, name: str) -> None:
        """By its name, in the trash or not."""
        expected = [each for each in self.all_experiments if each.name == name]
        found = self.client.get_experiment_by_name(name)
        assert [found.experiment_id] == [each.id for each in expected] if found else not expected

    @rule(view=st.sampled_from(list(VIEWS)), size=st.integers(1, 3))
    def search_experiments(self, view: int, size: int) -> None:
        """All of a view, in pages."""
        found, token = [], None
        while page := self.client.search_experiments(view, size, page_token=token):
            found += [(each.experiment_id, each.name, dict(each.tags)) for each in page]
            if not (token := page.token):
                break
        wanted = [each for each in self.all_experiments if each.is_deleted in VIEWS[view]]
        assert sorted(found) == sorted((each.id, each.name, each.tags) for each in wanted)

    @rule(view=st.sampled_from(list(VIEWS)), key=KEYS, value=TEXTS)
    def search_by_tag(self, view: int, key: str, value: str) -> None:
        """A tag or parameter with a value."""
        if "'" in value:
            return  # MLflow has no way to write it
        for kind in ("tags", "params"):
            found = self._search(f"{kind}.`{key}` = '{value}'", view)
            assert found == {
                run.id for run in self._seen(view) if getattr(run, kind).get(key) == value
            }

    @rule(view=st.sampled_from(list(VIEWS)), key=KEYS, value=st.sampled_from([-1.0, 0.0, 0.5]))
    def search_by_metric(self, view: int, key: str, value: float) -> None:
        """The latest point of a metric; NaN is not more than a number."""
        found = self._search(f"metrics.`{key}` > {value}", view)
        latest = {run.id: run.latest().get(key) for run in self._seen(view)}
        more = {
            id_
            for id_, point in latest.items()
            if point and not point.is_nan and point.value > value
        }
        assert found == more

    def teardown(self) -> None:
        """In the end all is as the model has it."""
        for run in self.all_runs:
            self._compare(self.client.get_run(run.id), run)

    def _search(self, filter_: str, view: int) -> set[str]:
        """The runs that a filter finds in all experiments, two to a page."""
        found: list[str] = []
        token = None
        ids = [each.id for each in self.all_experiments]
        while True:
            page = self.client.search_runs(ids, filter_, view, 2, page_token=token)
            found += [each.info.run_id for each in page]
            if not (token := page.token):
                break
        assert len(set(found)) == len(found)
        return set(found)

    def _seen(self, view: int) -> list[Run]:
        return [run for run in self.all_runs if run.is_deleted in VIEWS[view]]

    def _add(self, experiment: Experiment) -> Experiment:
        self.all_experiments.append(experiment)
        return experiment

    def _set_deleted(self, experiment: Experiment, is_deleted: bool) -> None:
        experiment.is_deleted = is_deleted
        for run in self.all_runs:
            if run.experiment is experiment:
                run.is_deleted = is_deleted

    def _compare(self, got: Any, run: Run) -> None:
        info, data = got.info, got.data
        assert (info.status, info.end_time, info.run_name) == (run.status, run.end_time, run.name)
        assert info.lifecycle_stage == ("deleted" if run.is_deleted else "active")
        assert info.experiment_id == run.experiment.id
        assert data.params == run.params
        assert data.tags == {**run.tags, "mlflow.runName": run.name}
        latest = {
            each.key: Point.of(each.value, each.timestamp, each.step) for each in data._metric_objs
        }
        assert latest == run.latest()


def test_the_server_remembers_what_a_dictionary_would(
    app: Flask, tracking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_state_machine_as_test(lambda: Tracking(app, tracking, monkeypatch))
