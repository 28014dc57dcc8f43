"""Changing several candidates of an experiment at once: all of them or none."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import select, update

from gitlab_mlops.access import ReadAccess, WriteAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.hooks import signals
from gitlab_mlops.models import Candidate, Experiment
from gitlab_mlops.services import candidates
from gitlab_mlops.services.clock import now


class Chosen(NamedTuple):
    """A candidate that a person has ticked."""

    id: int
    iid: int
    name: str
    deleted_at: int | None


def choose(
    access: ReadAccess, experiment_iid: int, iids: Collection[int], *, lock: bool = False
) -> list[Chosen]:
    """The candidates of an experiment with these iids, by iid; `NotFound` if one is missing.

    With `lock`, who changes one of them waits until commit.
    """
    # Always in the same order, or two that lock the same candidates would wait for each other.
    statement = (
        select(Candidate.id, Candidate.iid, Candidate.name, Candidate.deleted_at)
        .join(Experiment, Experiment.id == Candidate.experiment_id)
        .where(
            Candidate.project_id == access.project.id,
            Experiment.iid == experiment_iid,
            Candidate.iid.in_(iids),
        )
        .order_by(Candidate.id)
    )
    if lock:
        statement = statement.with_for_update(of=Candidate)
    found = sorted(map(Chosen._make, access.session.execute(statement)), key=lambda each: each.iid)
    if missing := sorted(set(iids) - {each.iid for each in found}):
        raise NotFound(
            f"Candidate {missing[0]} not found in experiment {experiment_iid} of "
            f"{access.project.path}; nothing was changed."
        )
    return found


def trash(access: WriteAccess, experiment_iid: int, iids: Collection[int]) -> int:
    """Move candidates to the trash; those that are there stay. How many were moved."""
    chosen = choose(access, experiment_iid, iids, lock=True)
    active = [each for each in chosen if each.deleted_at is None]
    _set_deleted_at(access, active, now())
    for each in active:
        signals.announce(signals.candidate_trashed, access, each.iid)
    return len(active)


def restore(access: WriteAccess, experiment_iid: int, iids: Collection[int]) -> int:
    """Take candidates out of the trash; those that are not there stay. How many were taken."""
    chosen = choose(access, experiment_iid, iids, lock=True)
    deleted = [each for each in chosen if each.deleted_at is not None]
    _set_deleted_at(access, deleted, None)
    for each in deleted:
        signals.announce(signals.candidate_restored, access, each.iid)
    return len(deleted)


def tag(
    access: WriteAccess, experiment_iid: int, iids: Collection[int], key: str, value: str
) -> int:
    """Set a tag of candidates; `Invalid` if one is in the trash. How many there are."""
    chosen = choose(access, experiment_iid, iids, lock=True)
    if deleted := [each.iid for each in chosen if each.deleted_at is not None]:
        raise Invalid(f"Candidate {deleted[0]} is in the trash; restore it first.")
    for each in chosen:
        candidates.store_tags(access, each.id, [(key, value)])
    return len(chosen)


def _set_deleted_at(access: WriteAccess, chosen: Sequence[Chosen], moment: int | None) -> None:
    access.session.execute(
        update(Candidate)
        .where(
            Candidate.project_id == access.project.id,
            Candidate.id.in_([each.id for each in chosen]),
        )
        .values(deleted_at=moment)
        .execution_options(synchronize_session=False)
    )
