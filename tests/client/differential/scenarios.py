"""All scenarios, area by area."""

from __future__ import annotations

from . import (
    calls_artifacts,
    calls_batches,
    calls_datasets,
    calls_experiment_changes,
    calls_experiment_search,
    calls_experiments,
    calls_filters,
    calls_logged_models,
    calls_metric_bulk,
    calls_metrics,
    calls_model_search,
    calls_probes,
    calls_registry,
    calls_registry_search,
    calls_registry_versions,
    calls_runs,
    calls_search,
)
from .call import Call, Scenario

AREAS = (
    calls_experiments,
    calls_experiment_changes,
    calls_experiment_search,
    calls_runs,
    calls_metrics,
    calls_metric_bulk,
    calls_batches,
    calls_search,
    calls_filters,
    calls_datasets,
    calls_artifacts,
    calls_logged_models,
    calls_model_search,
    calls_registry,
    calls_registry_versions,
    calls_registry_search,
    calls_probes,
)

SCENARIOS: tuple[Scenario, ...] = tuple(scenario for area in AREAS for scenario in area.SCENARIOS)


def all_calls() -> list[Call]:
    return [call for scenario in SCENARIOS for call in scenario.calls]
