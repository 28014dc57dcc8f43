"""What is known of where a candidate comes from, and what is only said."""

from __future__ import annotations

from gitlab_mlops.blueprints.web.provenance import Origin, code_of, environment_of
from gitlab_mlops.wire.model_history import LoggedModel

SHA = "4f1d2c9a8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a39"


def test_a_commit_is_shortened_only_if_it_is_one() -> None:
    assert code_of({"mlflow.source.git.commit": SHA}) == [Origin("Commit", SHA[:12], SHA)]
    assert code_of({"mlflow.source.git.commit": "main"}) == [Origin("Commit", "main", "main")]
    (long,) = code_of({"gitlab.CI_COMMIT_SHA": "x" * 999})
    assert len(long.text) == 200


def test_the_state_of_the_working_copy_is_said_only_if_a_tag_says_it() -> None:
    dirty, clean = (code_of({"mlflow.source.git.dirty": said}) for said in ("True", "false"))
    assert [each.text for each in (*dirty, *clean)] == ["uncommitted changes", "clean"]
    assert code_of({"mlflow.source.git.dirty": "maybe"}) == []


def test_a_claim_is_never_a_fact_nor_leads_anywhere() -> None:
    tags = {"gitlab.CI_JOB_ID": "17", "mlflow.source.git.repoURL": "https://evil.example"}
    claims = code_of(tags)
    assert [(each.label, each.text) for each in claims] == [
        ("Repository", "https://evil.example"),
        ("Job", "17"),
    ]
    assert not any(each.is_stamped or each.url for each in claims)


def test_what_is_stamped_comes_first_and_a_claim_of_the_same_is_left_out() -> None:
    stamped = [
        Origin("Commit", SHA[:12], SHA, is_stamped=True),
        Origin("Job", "17", is_stamped=True, url="/jobs/17"),
    ]
    tags = {"mlflow.source.git.commit": SHA, "gitlab.CI_JOB_ID": "99"}
    assert code_of(tags, stamped) == [*stamped, Origin("Job", "99")]


def test_models_tell_the_version_of_python_unless_a_tag_does() -> None:
    models = [LoggedModel("a", [], "3.11"), LoggedModel("b", [], "3.12"), LoggedModel("c", [], "")]
    assert environment_of({}, models) == [Origin("Python", "3.11, 3.12")]
    found = environment_of({"mlflow.user": "ann", "python_version": "3.9"}, models)
    assert found == [Origin("User", "ann"), Origin("Python", "3.9")]
