"""Deletes everything that the plugin keeps for a project of the forge."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, event, select
from sqlalchemy import delete as sql_delete
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction, scoped_session

from gitlab_mlops.models import (
    AliasMove,
    Candidate,
    CandidateTag,
    Dataset,
    Experiment,
    ExperimentTag,
    Input,
    InputTag,
    JobStamp,
    LoggedModel,
    LoggedModelMetric,
    LoggedModelParam,
    LoggedModelTag,
    Mention,
    MetricKey,
    MetricPoint,
    MetricSeries,
    ModelAlias,
    ModelLink,
    ModelVersion,
    ModelVersionTag,
    Param,
    ProjectCounters,
    ProtectedAlias,
    RegisteredModel,
    RegisteredModelTag,
    Webhook,
    WebhookDelivery,
)

logger = logging.getLogger(__name__)

Part = tuple[type[DeclarativeBase], ColumnElement[bool]]
_OF_CANDIDATE: tuple[Any, ...] = (
    MetricSeries,
    Param,
    CandidateTag,
    InputTag,
    Input,
    ModelLink,
    Mention,
    JobStamp,
    LoggedModelMetric,
)
Action = Callable[[], None]

PENDING = "mlops_when_committed"
"""Where a session keeps what to do after the commit, in its `info`."""


def purge_project(session: Session, project_id: int, delete_files: Callable[[int], object]) -> int:
    """Delete all experiments, candidates and mentions of a project; returns how many candidates.

    `session` is the project's. `delete_files` gets the project's id after the session's
    transaction is committed, since files do not come back in a rollback; what it raises is
    logged. Nothing is committed here.

    There is no access value to ask for: the forge has deleted the project, or an operator does it.
    """
    deleted = delete_parts(session, _parts(project_id))
    when_committed(session, lambda: _delete_files(project_id, delete_files))
    return deleted


def delete_parts(session: Session, parts: Iterable[Part]) -> int:
    """Delete rows, in this order; returns how many candidates were among them."""
    deleted = 0
    for model, condition in parts:
        statement = sql_delete(model).where(condition)
        result = session.execute(statement, execution_options={"synchronize_session": False})
        if model is Candidate:
            deleted = result.rowcount  # type: ignore[attr-defined]
    return deleted


def _parts(project_id: int) -> Iterator[Part]:
    """What to delete, in this order."""
    yield Mention, Mention.source_project_id == project_id
    yield from registry_parts(RegisteredModel.project_id == project_id)
    webhooks = select(Webhook.id).where(Webhook.project_id == project_id)
    yield WebhookDelivery, WebhookDelivery.webhook_id.in_(webhooks)
    yield Webhook, Webhook.project_id == project_id
    yield from candidate_parts(Candidate.project_id == project_id)
    yield from experiment_parts(Experiment.project_id == project_id)
    for of_project in (MetricKey, ProjectCounters):
        yield of_project, of_project.project_id == project_id


def candidate_parts(which: ColumnElement[bool]) -> Iterator[Part]:
    """The candidates that a condition finds, with all that is theirs, in the order to delete it.

    SQLite cascades only if the forge has switched it on.
    """
    candidates = select(Candidate.id).where(which)
    series = select(MetricSeries.id).where(MetricSeries.candidate_id.in_(candidates))
    yield MetricPoint, MetricPoint.series_id.in_(series)
    for of_candidate in _OF_CANDIDATE:
        yield of_candidate, of_candidate.candidate_id.in_(candidates)
    yield Candidate, which


def experiment_parts(which: ColumnElement[bool]) -> Iterator[Part]:
    """As `candidate_parts`, for experiments whose candidates are gone."""
    experiments = select(Experiment.id).where(which)
    models = select(LoggedModel.id).where(LoggedModel.experiment_id.in_(experiments))
    # A candidate of another experiment may have measured them.
    for of_model in (LoggedModelMetric, LoggedModelParam, LoggedModelTag):
        yield of_model, of_model.logged_model_id.in_(models)
    yield LoggedModel, LoggedModel.experiment_id.in_(experiments)
    for of_experiment in (Dataset, ExperimentTag):
        yield of_experiment, of_experiment.experiment_id.in_(experiments)
    yield Experiment, which


def registry_parts(which: ColumnElement[bool]) -> Iterator[Part]:
    """As `candidate_parts`, for registered models with their versions."""
    models = select(RegisteredModel.id).where(which)
    yield from version_parts(ModelVersion.model_id.in_(models))
    for of_model in (AliasMove, ProtectedAlias, RegisteredModelTag):
        yield of_model, of_model.model_id.in_(models)
    yield RegisteredModel, which


def version_parts(which: ColumnElement[bool]) -> Iterator[Part]:
    """As `candidate_parts`, for versions of registered models."""
    versions = select(ModelVersion.id).where(which)
    for of_version in (ModelAlias, ModelVersionTag):
        yield of_version, of_version.version_id.in_(versions)
    yield ModelVersion, which


def _delete_files(project_id: int, delete_files: Callable[[int], object]) -> None:
    try:
        delete_files(project_id)
    except Exception:
        logger.exception(
            "The artifacts of the deleted project %s could not be deleted; "
            "`flask mlops purge-project %s` tries again.",
            project_id,
            project_id,
        )


def when_committed(session: Session | scoped_session[Session], action: Action) -> None:
    """Run `action` when the session's transaction is committed, and not if it is rolled back.

    Nor if only a savepoint is: that may be the one that held what `action` belongs to.
    """
    # Listeners of a scoped session would hear the sessions of all threads.
    own = session() if isinstance(session, scoped_session) else session
    if PENDING not in own.info:
        event.listen(own, "after_commit", _committed)
        event.listen(own, "after_soft_rollback", _forget)
        event.listen(own, "after_transaction_end", _ended)
    own.info.setdefault(PENDING, []).append(action)


def _committed(session: Session) -> None:
    if not session.in_nested_transaction():
        for action in session.info[PENDING]:
            action()


def _ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        _forget(session, transaction)


def _forget(session: Session, _transaction: SessionTransaction) -> None:
    session.info[PENDING].clear()
