"""What is known of where a candidate comes from, and what is only said."""

from __future__ import annotations

from typing import Any

import pytest

from gitlab_mlops.access import ReadAccess
from gitlab_mlops.blueprints.web.provenance import (
    Origin,
    Pages,
    code_of,
    environment_of,
    pages_of,
    stamped_of,
)
from gitlab_mlops.host import Actor, MergeRequest, Project
from gitlab_mlops.services.stamps import Stamp
from gitlab_mlops.wire.model_history import LoggedModel

SHA = "4f1d2c9a8e7b6a5f4e3d2c1b0a9f8e7d6c5b4a39"
PROJECT = Project(1, "group/one")
STAMP = Stamp(1, "17", "3", SHA, "feature", "5", "/jobs/17", is_from_fork=False)
MERGE_REQUEST = MergeRequest(
    "5", 1, 1, "feature", "main", SHA, "", (SHA,), "opened", "group/one!5", "Better", "/mr/5"
)


class Code:
    """A repository with one commit, whose merge request `ann` alone may see."""

    def commit_url(self, project: Project, sha: str) -> str | None:
        return f"/{project.path}/commit/{sha}" if sha == SHA else None

    def merge_request(self, actor: Actor | None, project: Project, id: str) -> MergeRequest | None:
        is_seen = actor is not None and actor.username == "ann" and (project, id) == (PROJECT, "5")
        return MERGE_REQUEST if is_seen else None


def origins(actor: Actor | None, stamp: Stamp, repository: Any = None) -> dict[str, Origin]:
    access = ReadAccess(actor, PROJECT, None)  # type: ignore[arg-type]
    return {each.label: each for each in stamped_of(stamp, pages_of(access, repository, stamp))}


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


def test_a_stamp_leads_to_what_the_reader_may_see() -> None:
    found = origins(Actor("1", "ann"), STAMP, Code())
    assert found["Commit"].url == f"/group/one/commit/{SHA}"
    merge_request = found["Merge request"]
    assert (merge_request.text, merge_request.title) == ("!5", "Better")
    assert (merge_request.url, found["Job"].url) == ("/mr/5", "/jobs/17")


@pytest.mark.parametrize("actor", [None, Actor("2", "bob")])
def test_a_merge_request_that_is_hidden_is_as_one_that_is_gone(actor: Actor | None) -> None:
    class Gone(Code):
        def merge_request(self, *_: object) -> None:
            return None

    assert origins(actor, STAMP, Code()) == origins(actor, STAMP, Gone())
    assert origins(actor, STAMP, Code())["Merge request"].url == ""


def test_without_a_repository_a_stamp_leads_to_its_job_alone() -> None:
    found = origins(Actor("1", "ann"), STAMP)
    assert [label for label, each in found.items() if each.url] == ["Job"]
    assert list(found) == ["Commit", "Branch", "Job", "Pipeline", "Merge request"]


def test_what_is_not_stamped_is_not_asked_for() -> None:
    bare = Stamp(1, "17", "", "", "main", "", "", is_from_fork=False)
    assert list(origins(None, bare, repository=object())) == ["Branch", "Job"]
    assert stamped_of(None, Pages()) == []
