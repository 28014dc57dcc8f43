"""What somebody who types a reference is offered: by number or name, the newest first."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from gitlab_mlops.access import ReadAccess, grant
from gitlab_mlops.host import Project
from gitlab_mlops.models import ModelAlias, ModelVersion, RegisteredModel, RegisteredModelTag
from gitlab_mlops.services import suggestions
from gitlab_mlops.services.suggestions import (
    suggest_candidates,
    suggest_experiments,
    suggest_models,
    suggest_versions,
)
from gitlab_mlops.settings import Settings
from tests.fakes import FakeForge, actor
from tests.unit.rows import add_candidate, add_candidates, add_experiment, counted

MEMBER = actor("member")


@pytest.fixture
def forge(session: Session) -> FakeForge:
    return FakeForge(lambda project: session)


@pytest.fixture
def project(forge: FakeForge) -> Project:
    return forge.add_project("group/project", MEMBER)


@pytest.fixture
def access(forge: FakeForge, project: Project) -> ReadAccess:
    return grant(ReadAccess, forge.host(), Settings(), MEMBER, project)


def candidates(access: ReadAccess, typed: str) -> list[int]:
    return [each.iid for each in suggest_candidates(access, typed)]


def test_nothing_typed_offers_the_newest(access: ReadAccess, session: Session) -> None:
    add_candidates(session, access.project, range(1, 31))
    assert candidates(access, "") == list(range(30, 20, -1))


@pytest.mark.parametrize("typed", ["owl", "OWL", "bright-ow", "t-o"])
def test_a_part_of_a_name_finds_it(access: ReadAccess, session: Session, typed: str) -> None:
    names = ("bright-owl", "grey-cat", "Bright-Owl-2", "owner")
    for iid, name in enumerate(names, start=1):
        add_candidate(session, access.project, iid, name)
    assert candidates(access, typed) == [3, 1]


@pytest.mark.parametrize("typed", ["%", "_", "a%t", "\\", "'"])
def test_what_is_typed_is_no_pattern(access: ReadAccess, session: Session, typed: str) -> None:
    add_candidate(session, access.project, 1, "a cat")
    assert candidates(access, typed) == []
    add_candidate(session, access.project, 2, f"odd {typed} name")
    assert candidates(access, typed) == [2]


def test_the_beginning_of_a_number_finds_it_and_the_number_itself_is_first(
    access: ReadAccess, session: Session
) -> None:
    add_candidates(session, access.project, [1, 4, 14, 40, 41, 49, 50, 400, 4999, 41_000_000])
    assert candidates(access, "4") == [4, 41_000_000, 4999, 400, 49, 41, 40, 14]
    assert candidates(access, "41") == [41, 41_000_000]
    assert candidates(access, "999999999") == []


@pytest.mark.parametrize("typed", ["04", "4.", "-4", "+4", "４", "4" * 10, "4" * 250, "²"])
def test_what_is_no_number_is_a_name(access: ReadAccess, session: Session, typed: str) -> None:
    add_candidate(session, access.project, 4)
    assert candidates(access, typed) == []


def test_a_number_may_be_in_a_name(access: ReadAccess, session: Session) -> None:
    add_candidate(session, access.project, 1, "resnet-50")
    add_candidate(session, access.project, 50, "other")
    add_candidate(session, access.project, 51, "more")
    assert candidates(access, "50") == [50, 1]


def test_the_trash_and_other_projects_are_left_out(
    forge: FakeForge, access: ReadAccess, session: Session
) -> None:
    add_candidate(session, access.project, 1, "owl", deleted_at=1)
    other = forge.add_project("group/other", MEMBER)
    add_candidate(session, other, 2, "owl")
    for typed in ("", "owl", "1", "2"):
        assert candidates(access, typed) == []


def test_a_candidate_comes_with_its_experiment_and_status(
    access: ReadAccess, session: Session
) -> None:
    add_candidate(session, access.project, 1, "owl")
    (only,) = suggest_candidates(access, "owl")
    assert (only.name, only.experiment_name, only.status) == ("owl", "Experiment 0", 1)


def test_experiments_are_offered_by_number_and_name(access: ReadAccess, session: Session) -> None:
    for iid in (0, 1, 2, 10):
        add_experiment(session, access.project, iid)

    def found(typed: str) -> list[int]:
        return [each.iid for each in suggest_experiments(access, typed)]

    assert found("") == [10, 2, 1, 0]
    assert found("1") == [1, 10]
    assert found("0") == [0, 10]
    assert found("eriment 2") == [2]
    assert found("3") == []


def test_names_are_looked_for_in_the_newest_and_numbers_in_all(
    access: ReadAccess, session: Session, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "LOOKED_AT", 20)
    add_candidates(session, access.project, range(1, 101))
    with counted(engine) as statements:
        assert candidates(access, "try 80") == []
        assert candidates(access, "try 81") == [81]
        assert candidates(access, "7") == [7, 97, 87, 79, 78, 77, 76, 75, 74, 73]
    assert len(statements) == 3


def add_model(
    session: Session, project: Project, name: str, versions: int = 0, changed_at: int = 0
) -> int:
    """A registered model with versions 1, 2, and so on; the last one is `champion`. Its id."""
    times = {"created_at": 0, "updated_at": changed_at}
    model = RegisteredModel(project_id=project.id, name=name, last_version=versions, **times)
    session.add(model)
    session.flush()
    for number in range(1, versions + 1):
        version = ModelVersion(
            project_id=project.id,
            model_id=model.id,
            version=number,
            stage="None",
            status="READY",
            source="x",
            **times,
        )
        session.add(version)
        session.flush()
    if versions:
        session.add(ModelAlias(model_id=model.id, alias="champion", version_id=version.id))
        session.flush()
    return model.id


def models(access: ReadAccess, typed: str) -> list[tuple[str, int]]:
    return [(each.label, each.version) for each in suggest_models(access, typed)]


def test_models_are_offered_by_a_part_of_their_name_the_last_changed_first(
    forge: FakeForge, access: ReadAccess, session: Session
) -> None:
    add_model(session, access.project, "churn", 3, changed_at=1)
    add_model(session, access.project, "Churn of 100%", changed_at=2)
    prompt = add_model(session, access.project, "greet", changed_at=3)
    session.add(RegisteredModelTag(model_id=prompt, key="mlflow.prompt.is_prompt", value="true"))
    add_model(session, forge.add_project("group/other", MEMBER), "churn too")
    session.flush()
    assert models(access, "") == [("greet", 0), ("Churn of 100%", 0), ("churn", 3)]
    assert models(access, "CHURN") == [("Churn of 100%", 0), ("churn", 3)]
    assert models(access, "%") == [("Churn of 100%", 0)]
    assert models(access, "_") == []
    assert [each.is_prompt for each in suggest_models(access, "")] == [True, False, False]


def test_aliases_of_a_model_are_offered(access: ReadAccess, session: Session) -> None:
    add_model(session, access.project, "churn", 3)
    for typed in ("churn@", "churn@ch", "churn@champion"):
        assert models(access, typed) == [("churn@champion", 3)]
    for typed in ("churn@x", "chur@", "@", "churn@champion@", "churn@%"):
        assert models(access, typed) == []


def test_versions_of_a_model_are_offered_by_the_beginning_of_their_number(
    access: ReadAccess, session: Session
) -> None:
    add_model(session, access.project, "churn", 21)

    def found(typed: str, name: str = "churn") -> list[int]:
        return [each.version for each in suggest_versions(access, name, typed)]

    assert found("") == list(range(21, 11, -1))
    assert found("2") == [21, 20, 2]
    assert found("21") == [21]
    for typed in ("x", "0", "%", "²"):
        assert found(typed) == []
    assert found("", "other") == []
    assert suggest_versions(access, "churn", "21")[0].label == "churn/21"
