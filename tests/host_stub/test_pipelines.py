"""Pipelines: which commit they are for, what their file says, and when they have ended."""

from __future__ import annotations

import threading
import time

import pytest
from flask import Flask

from host_stub import repositories
from host_stub.ci_file import JobSpec, jobs_of, parse
from host_stub.database import db
from host_stub.merge_requests import create_merge_request
from host_stub.pipelines import (
    Job,
    add_job,
    create_merge_request_pipeline,
    create_pipeline,
    finish_job,
    run_job,
    skip_job,
    start_job,
)
from host_stub.projects import delete_project, fork
from host_stub.users import create_user
from tests.host_stub.conftest import Announced, Code


def test_pipeline_is_for_the_newest_commit_of_its_branch(code: Code) -> None:
    assert len(create_pipeline(code.project, code.user).sha) == 40  # there is none
    main, feature = code.commit(), code.commit("feature")
    assert create_pipeline(code.project, code.user).sha == main
    assert create_pipeline(code.project, code.user, ref="feature").sha == feature
    assert create_pipeline(code.project, code.user, ref="feature", sha=main).sha == main


def test_pipeline_of_a_merge_request_is_for_its_source(code: Code) -> None:
    code.commit()
    feature = code.commit("feature")
    pipeline = create_merge_request_pipeline(
        create_merge_request(code.project, code.user, "T"), code.user
    )
    assert (pipeline.sha, pipeline.ref, pipeline.merge_request_iid) == (feature, "feature", 1)
    assert pipeline.project_id == code.project.id


def test_pipeline_of_a_fork_runs_in_the_fork_and_claims_no_merge_request(code: Code) -> None:
    code.commit()
    stranger = create_user(f"forker-{code.user.id}")
    copy = fork(code.project, stranger, stranger)
    sha = repositories.commit(copy, "fix", {"a": "x"}, "Fix", stranger)
    merge_request = create_merge_request(
        code.project, stranger, "T", source_branch="fix", source_project=copy
    )
    pipeline = create_merge_request_pipeline(merge_request, stranger)
    assert (pipeline.project_id, pipeline.sha) == (copy.id, sha)
    assert pipeline.merge_request_iid is None
    delete_project(copy)
    db.session.commit()
    with pytest.raises(ValueError, match="deleted"):
        create_merge_request_pipeline(merge_request, stranger)


def test_end_of_a_pipeline_is_told_once(code: Code, told: list[Announced]) -> None:
    pipeline = create_pipeline(code.project, code.user, merge_request_iid=3)
    first, second, third = (add_job(pipeline, name) for name in ("a", "b", "c"))
    assert pipeline.status == "created"
    run_job(first)
    assert pipeline.status == "running"
    finish_job(first)
    assert pipeline.status == "running"
    run_job(second)
    finish_job(second, "failed")
    assert told == []
    skip_job(third)
    assert [one.name for one in told] == ["pipeline_finished"]
    assert told[0].in_transaction
    assert told[0].values == {
        "project": code.project.value,
        "pipeline_id": str(pipeline.id),
        "ref": "main",
        "sha": pipeline.sha,
        "status": "failed",
        "merge_request": "3",
    }


def test_of_two_jobs_that_end_at_once_one_is_the_last(
    app: Flask, code: Code, told: list[Announced]
) -> None:
    pipeline = create_pipeline(code.project, code.user)
    jobs = [start_job(pipeline, name)[0].id for name in ("a", "b")]
    db.session.commit()
    both = threading.Barrier(2)

    def end(job_id: int) -> None:
        with app.app_context():
            job = db.session.get_one(Job, job_id)
            both.wait(5)
            finish_job(job)
            # Time for the other one to look.
            time.sleep(0.2)
            db.session.commit()

    threads = [threading.Thread(target=end, args=[job_id]) for job_id in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.name for one in told] == ["pipeline_finished"]


def test_job_has_a_token_only_while_it_runs(code: Code) -> None:
    pipeline = create_pipeline(code.project, code.user)
    job = add_job(pipeline, "train")
    assert job.token_digest is None
    run_job(job)
    assert job.token_digest is not None
    finish_job(job)
    assert job.token_digest is None
    assert start_job(pipeline, "more")[0].token_digest is not None


def test_file_tells_the_jobs_by_stage(code: Code) -> None:
    text = """\
stages: [build, train]
.hidden: {script: [no]}
variables: {A: b}
default: {image: python}
report: {stage: last, script: "one line"}
fit: {stage: train, script: ["a", "b"]}
make: {stage: build, script: ["c"]}
"""
    jobs = [
        JobSpec("make", "build", ("c",)),
        JobSpec("fit", "train", ("a", "b")),
        JobSpec("report", "last", ("one line",)),
    ]
    assert parse(text.encode()) == jobs
    sha = code.commit(files={".gitlab-ci.yml": text})
    assert jobs_of(code.project, sha) == jobs
    sha = code.commit(files={".stub-ci.yml": "only: {script: [x]}"})
    assert jobs_of(code.project, sha) == [JobSpec("only", "test", ("x",))]


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "just text", "a: {stage: x}", "a: {script: []}", "a: {script: [1]}",
        "a: {script: {b: c}}", "a: {script: [!!python/object/apply:os.system ['x']]}", "a: [",
        "a: &a [*a]", "\x00", "a: {script: [\"a\\0b\"]}", "[" * 5000,
        "{" + ", ".join(f"j{n}: {{script: [x]}}" for n in range(51)) + "}",
        "a: {script: ['x'], stage: '" + "s" * 256 + "'}", "1: {script: [x]}",
    ],
)  # fmt: skip
def test_file_that_says_nothing_useful_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"YAML|job|script"):
        parse(text.encode())


def test_commit_without_a_file_has_no_jobs(code: Code) -> None:
    sha = code.commit()
    with pytest.raises(ValueError, match="no file"):
        jobs_of(code.project, sha)
    sha = code.commit(files={".stub-ci.yml": "#" * 70_000})
    with pytest.raises(ValueError, match="larger"):
        jobs_of(code.project, sha)
