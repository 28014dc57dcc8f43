"""What is deleted for ever leaves no row and no file, and nothing else is touched."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gitlab_mlops.access import MaintainAccess
from gitlab_mlops.errors import Invalid, NotFound
from gitlab_mlops.hooks import signals
from gitlab_mlops.host import Actor, Project
from gitlab_mlops.models import Base, Candidate, Experiment
from gitlab_mlops.services import deletion, inputs, logging
from gitlab_mlops.services.deletion import Usage
from gitlab_mlops.services.points import Point
from gitlab_mlops.services.records import DatasetInput
from gitlab_mlops.storage import Storage
from tests.unit.rows import add_candidate, add_experiment, add_logged_model

PROJECT, OTHER = Project(1, "group/one"), Project(2, "group/two")


@pytest.fixture
def access(session: Session) -> MaintainAccess:
    return MaintainAccess(Actor("1", "ann"), PROJECT, session)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage("", default_folder=tmp_path / "artifacts")


@pytest.fixture
def deleted() -> Iterator[list[int]]:
    """The iids of candidates that are announced as deleted."""
    found: list[int] = []

    def note(_sender: object, *, iid: int, **_more: Any) -> None:
        found.append(iid)

    with signals.candidate_deleted.connected_to(note):
        yield found


def add(access: MaintainAccess, storage: Storage, iid: int, *, in_trash: bool = True) -> Candidate:
    """A candidate of 3 + 5 bytes in two files, with something in every table."""
    candidate = add_candidate(access.session, access.project, iid)
    point, param = Point("loss", 0.5, 1, 1), ("depth", "3")
    logging.log(access, candidate.eid, points=[point], params=[param], tags=[("a", "b")])
    used = DatasetInput(f"data-{iid}", "digest", "x", "x", None, None)
    used.tags.append(("mlflow.data.context", "training"))
    inputs.log_inputs(access, candidate.eid, [used])
    for name, size in (("a.txt", 3), ("model/b.bin", 5)):
        storage.put(f"{access.project.id}/0/{candidate.eid}/artifacts/{name}", [b"x" * size], size)
    candidate.deleted_at = 1000 if in_trash else None
    access.session.flush()
    return candidate


def rows(session: Session) -> dict[str, int]:
    """How many rows each table has, but for the names of metrics, which stay."""
    return {
        table.name: session.scalar(select(func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
        if table.name != "mlops_metric_keys"
    }


def files(storage: Storage) -> int:
    return sum(1 for project in (PROJECT, OTHER) for _ in storage.walk(str(project.id)))


def test_candidates_are_measured_and_deleted_with_their_files(
    access: MaintainAccess, storage: Storage, deleted: list[int]
) -> None:
    add(access, storage, 1, in_trash=False)
    before = rows(access.session)
    for iid in (2, 3):
        add(access, storage, iid)
    expected = Usage(candidates=2, files=4, bytes=16)
    assert deletion.measure_candidates(access, storage, [2, 3]) == expected
    assert deletion.delete_candidates(access, storage, [2, 3, 2]) == expected
    assert files(storage) == 6, "files go with the commit"
    access.session.commit()
    assert files(storage) == 2
    assert rows(access.session) == before
    assert deleted == [2, 3]


def test_a_rollback_keeps_rows_and_files(access: MaintainAccess, storage: Storage) -> None:
    add(access, storage, 1)
    before = rows(access.session)
    savepoint = access.session.begin_nested()
    deletion.delete_candidates(access, storage, [1])
    savepoint.rollback()
    access.session.commit()
    assert rows(access.session) == before
    assert files(storage) == 2


def test_what_is_not_in_the_trash_stays(access: MaintainAccess, storage: Storage) -> None:
    add(access, storage, 1)
    add(access, storage, 2, in_trash=False)
    before = rows(access.session)
    for iids in ([1, 2], [2]):
        with pytest.raises(Invalid, match="Candidate 2 is not in the trash"):
            deletion.delete_candidates(access, storage, iids)
        with pytest.raises(Invalid):
            deletion.measure_candidates(access, storage, iids)
    with pytest.raises(NotFound, match="Candidate 99"):
        deletion.delete_candidates(access, storage, [1, 99])
    assert rows(access.session) == before


def test_another_projects_candidates_do_not_exist(
    access: MaintainAccess, storage: Storage, session: Session
) -> None:
    other = MaintainAccess(access.actor, OTHER, session)
    add(other, storage, 1)
    before = rows(session)
    with pytest.raises(NotFound):
        deletion.delete_candidates(access, storage, [1])
    with pytest.raises(NotFound):
        deletion.delete_experiment(access, storage, 0)
    assert rows(session) == before


def test_an_experiment_goes_with_its_candidates_and_frees_its_name(
    access: MaintainAccess, storage: Storage, session: Session, deleted: list[int]
) -> None:
    other = MaintainAccess(access.actor, OTHER, session)
    add(other, storage, 1)
    before = rows(session)
    for iid in (1, 2):
        add(access, storage, iid)
    add_experiment(session, PROJECT, 7)
    with pytest.raises(Invalid, match="not in the trash"):
        deletion.delete_experiment(access, storage, 0)
    for experiment in session.scalars(select(Experiment).where(Experiment.project_id == 1)):
        experiment.deleted_at = 1000
    session.flush()
    expected = Usage(candidates=2, files=4, bytes=16)
    assert deletion.measure_experiment(access, storage, 0) == expected
    assert deletion.delete_experiment(access, storage, 0) == expected
    assert deletion.delete_experiment(access, storage, 7) == Usage(0, 0, 0)
    session.commit()
    assert rows(session) == before
    assert files(storage) == 2
    assert sorted(deleted) == [1, 2]


def test_logged_models_go_with_their_experiment_and_free_their_files(
    access: MaintainAccess, storage: Storage, session: Session
) -> None:
    other = add_candidate(session, PROJECT, 1)
    before = rows(session)
    candidate = add(access, storage, 2)
    candidate.experiment_id = add_experiment(session, PROJECT, 7)
    session.flush()
    model = add_logged_model(session, candidate)
    # Measured by a candidate of another experiment too, which stays.
    point = Point("auc", 0.5, 1, 1, model.model_id)
    logging.log(access, other.eid, points=[point])
    storage.put(f"{PROJECT.id}/models/{model.model_id}/artifacts/MLmodel", [b"x" * 7], 7)
    storage.put(f"{PROJECT.id}/models/m-{'0' * 32}/artifacts/MLmodel", [b"x"], 1)
    session.get_one(Experiment, candidate.experiment_id).deleted_at = 1000
    session.flush()
    expected = Usage(candidates=1, files=1, bytes=7)
    assert deletion.measure_experiment(access, storage, 7) == expected
    assert deletion.delete_experiment(access, storage, 7) == expected
    session.commit()
    after = rows(session)
    assert {name: after[name] for name in after if "logged_model" in name} == {
        name: before[name] for name in before if "logged_model" in name
    }
    assert [entry.name for entry in storage.walk(f"{PROJECT.id}/models")] == [
        f"m-{'0' * 32}/artifacts/MLmodel"
    ]


def test_what_a_deleted_candidate_measured_of_a_model_goes_with_it(
    access: MaintainAccess, storage: Storage, session: Session
) -> None:
    model = add_logged_model(session, add_candidate(session, PROJECT, 1))
    before = rows(session)
    gone = add(access, storage, 2, in_trash=False)
    logging.log(access, gone.eid, points=[Point("auc", 0.5, 1, 1, model.model_id)])
    gone.deleted_at = 1000
    session.flush()
    deletion.delete_candidates(access, storage, [2])
    assert rows(session) == before


def test_a_dataset_that_others_use_stays(access: MaintainAccess, storage: Storage) -> None:
    add(access, storage, 1)
    other = add(access, storage, 2, in_trash=False)
    inputs.log_inputs(access, other.eid, [DatasetInput("data-1", "digest", "x", "x", None, None)])
    datasets = rows(access.session)["mlops_datasets"]
    deletion.delete_candidates(access, storage, [1])
    assert rows(access.session)["mlops_datasets"] == datasets


def test_more_files_than_are_counted_are_said_to_be_more(
    access: MaintainAccess, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "MAX_FILES", 1)
    add(access, storage, 1)
    usage = deletion.delete_candidates(access, storage, [1])
    assert (usage.files, usage.is_whole) == (1, False)
    access.session.commit()
    assert files(storage) == 0
