"""The runner: real scripts on a real checkout, with a token that lives as long as the job."""

from __future__ import annotations

import json
import shutil
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from host_stub import shell
from host_stub.database import db
from host_stub.merge_requests import create_merge_request
from host_stub.pipelines import Job, Pipeline, create_merge_request_pipeline, create_pipeline
from host_stub.pipelines import finish_job as end_job
from host_stub.runner import run_pipeline
from tests.factories import Forge
from tests.host_stub.conftest import Browser, Code

NOWHERE = "http://127.0.0.1:9"
# What MLflow's client sends, without MLflow: start a candidate, log a metric, finish it.
TRAIN = """\
import json, os, urllib.request

def call(path, **body):
    request = urllib.request.Request(
        os.environ["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/" + path,
        json.dumps(body).encode(),
        {"Authorization": "Bearer " + os.environ["MLFLOW_TRACKING_TOKEN"],
         "Content-Type": "application/json"},
    )
    return json.load(urllib.request.urlopen(request, timeout=30))

run_id = call("create", experiment_id="0", start_time=1)["run"]["info"]["run_id"]
call("log-metric", run_id=run_id, key="auc", value=0.75, timestamp=1)
call("update", run_id=run_id, status="FINISHED")
open("/".join([os.environ["CI_PROJECT_DIR"], "..", "run_id"]), "w").write(run_id)
print("logged", run_id, "with", os.environ["CI_JOB_TOKEN"])
"""
FILES: dict[str, Any] = {
    "train.py": TRAIN,
    ".stub-ci.yml": "train: {script: ['python train.py']}",
}


def ran(app: Flask, code: Code, script: str, base_url: str = NOWHERE, **options: Any) -> list[Job]:
    """Run a pipeline of a commit with this CI file; its jobs."""
    code.commit(files={**FILES, ".stub-ci.yml": script})
    return run(app, create_pipeline(code.project, code.user), base_url, **options)


def run(app: Flask, pipeline: Pipeline, base_url: str = NOWHERE, **options: Any) -> list[Job]:
    db.session.commit()
    status = run_pipeline(app, pipeline.id, base_url, **options)
    db.session.expire_all()
    assert pipeline.status == status
    return list(pipeline.jobs)


def test_job_logs_to_the_project_with_its_token_which_dies_with_it(
    app: Flask, code: Code, forge: Forge, live_url: str
) -> None:
    code.commit()
    code.commit("feature", FILES)
    merge_request = create_merge_request(code.project, code.user, "T")
    pipeline = create_merge_request_pipeline(merge_request, code.user)
    [job] = run(app, pipeline, live_url)
    assert job.status == "success", job.log
    assert job.log is not None
    words = job.log.split()
    run_id = words[words.index("logged") + 1]
    assert words[-1] == "[MASKED]"
    assert job.token_digest is None
    api = forge.api(code.project.id, forge.token(code.user.id))
    data = api.get("runs/get", run_id=run_id)["run"]["data"]
    assert [(one["key"], one["value"]) for one in data["metrics"]] == [("auc", 0.75)]


def test_token_is_refused_when_the_job_has_ended(app: Flask, code: Code, live_url: str) -> None:
    # Written backwards, or the log would hide it.
    [job] = ran(app, code, "a: {script: ['echo ${CI_JOB_TOKEN} | rev']}", live_url)
    secret = (job.log or "").splitlines()[-1][::-1]
    assert secret.startswith("glcbt-")
    url = f"{live_url}/api/v4/projects/{code.project.id}/ml/mlflow/api/2.0/mlflow"
    request = urllib.request.Request(
        f"{url}/experiments/get?experiment_id=0", headers={"Authorization": f"Bearer {secret}"}
    )
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request, timeout=30)


def test_script_gets_ci_variables_and_nothing_of_the_forge(
    app: Flask, code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST_STUB_SECRET_KEY", "hidden")
    script = "a: {script: ['python -c \"import os, json; print(json.dumps(dict(os.environ)))\"']}"
    code.commit()
    sha = code.commit("feature", {".stub-ci.yml": script})
    merge_request = create_merge_request(code.project, code.user, "T")
    pipeline = create_merge_request_pipeline(merge_request, code.user)
    [job] = run(app, pipeline, "https://forge.example/")
    seen = json.loads((job.log or "").splitlines()[-1])
    assert "HOST_STUB_SECRET_KEY" not in seen
    assert seen["CI_JOB_TOKEN"] == seen["MLFLOW_TRACKING_TOKEN"] == "[MASKED]"
    uri = f"https://forge.example/api/v4/projects/{code.project.id}/ml/mlflow"
    assert {name: seen[name] for name in seen if name.startswith(("CI", "MLFLOW"))} == {
        "CI": "true",
        "CI_JOB_ID": str(job.id),
        "CI_JOB_NAME": "a",
        "CI_JOB_TOKEN": "[MASKED]",
        "CI_PIPELINE_ID": str(pipeline.id),
        "CI_COMMIT_SHA": sha,
        "CI_COMMIT_REF_NAME": "feature",
        "CI_MERGE_REQUEST_IID": "1",
        "CI_PROJECT_ID": str(code.project.id),
        "CI_PROJECT_PATH": code.project.full_path,
        "CI_PROJECT_DIR": seen["PWD"],
        "CI_SERVER_URL": "https://forge.example",
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_TRACKING_TOKEN": "[MASKED]",
    }
    assert not seen["HOME"].startswith(seen["PWD"])


def test_script_works_in_a_checkout_of_its_commit(app: Flask, code: Code) -> None:
    if shutil.which("git") is None:
        pytest.skip("there is no git on this machine")
    script = """\
a:
  script:
    - git rev-parse HEAD
    - git rev-parse --abbrev-ref HEAD
    - git status --porcelain
    - git rev-list --count HEAD
    - cat d/e/f
"""
    code.commit("feature/x")
    sha = code.commit("feature/x", {".stub-ci.yml": script, "d/e/f": "deep\n"})
    code.commit("feature/x")
    pipeline = create_pipeline(code.project, code.user, ref="feature/x", sha=sha)
    [job] = run(app, pipeline)
    lines = [line for line in (job.log or "").splitlines() if not line.startswith("$ ")]
    assert lines == [sha, "feature/x", "2", "deep"]


def test_stage_after_a_failure_is_skipped(app: Flask, code: Code) -> None:
    script = """\
stages: [one, two]
bad: {stage: one, script: ["echo said", "false | cat", "echo never"]}
good: {stage: one, script: ["true"]}
late: {stage: two, script: ["true"]}
"""
    jobs = ran(app, code, script)
    assert [(job.name, job.status) for job in jobs] == [
        ("bad", "failed"),
        ("good", "success"),
        ("late", "skipped"),
    ]
    assert jobs[0].log == "$ echo said\nsaid\n$ false | cat\n\nEnded with 1.\n"


def test_file_that_is_no_good_fails_the_pipeline_and_says_why(app: Flask, code: Code) -> None:
    [job] = ran(app, code, "a: [")
    assert job.status == "failed"
    assert "no valid YAML" in (job.log or "")


def test_job_that_takes_too_long_is_ended(app: Flask, code: Code) -> None:
    began = time.monotonic()
    [job] = ran(app, code, "a: {script: ['sleep 60']}", timeout=0.5)
    assert time.monotonic() - began < 30
    assert job.status == "failed"
    assert "took longer than 0.5 s" in (job.log or "")


def test_what_a_job_leaves_running_ends_with_it(app: Flask, code: Code) -> None:
    [job] = ran(app, code, "a: {script: ['sleep 60 & echo $!']}")
    pid = int((job.log or "").splitlines()[-1])
    for _ in range(100):
        if not is_alive(pid):
            break
        time.sleep(0.05)
    else:
        pytest.fail("it still runs")


def is_alive(pid: int) -> bool:
    """Whether the process is there, and no zombie that nobody has buried yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_job_that_is_canceled_is_ended(
    app: Flask, code: Code, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "POLL", 0.05)
    code.commit(files={".stub-ci.yml": "a: {script: ['sleep 60']}"})
    pipeline = create_pipeline(code.project, code.user)
    db.session.commit()
    runner = threading.Thread(target=run_pipeline, args=(app, pipeline.id, NOWHERE))
    runner.start()
    while not (jobs := running(pipeline)):
        time.sleep(0.05)
    end_job(jobs[0], "canceled")
    db.session.commit()
    runner.join(30)
    assert not runner.is_alive()
    db.session.expire_all()
    assert [(job.status, job.log) for job in pipeline.jobs] == [
        ("canceled", "$ sleep 60\n\nThe job was canceled.\n")
    ]


def running(pipeline: Pipeline) -> list[Job]:
    db.session.rollback()
    return [job for job in pipeline.jobs if job.status == "running"]


def test_log_is_bounded_and_printable(app: Flask, code: Code, browser: Browser) -> None:
    script = r"""
a:
  script:
    - printf '\033[31mred\033[0m\000<b>\n'
    - seq 100000
    - printf '\377'
"""
    [job] = ran(app, code, script)
    assert job.log is not None
    assert 200_000 <= len(job.log) < 200_200
    assert "\nred<b>\n" in job.log
    assert "bytes are left out here" in job.log
    assert job.log.endswith("100000\n$ printf '\\377'\n\ufffd")
    page = browser.get(f"/{code.project.full_path}/-/jobs/{job.id}").get_data(as_text=True)
    assert "red&lt;b&gt;" in page


def test_command_line_commits_and_runs(
    app: Flask, code: Code, tmp_path: Path, live_url: str
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".stub-ci.yml").write_text("a: {script: ['cat sub/x', 'python train.py']}")
    (tmp_path / "sub" / "x").write_text("from a file")
    (tmp_path / "train.py").write_text(TRAIN)
    db.session.commit()
    path, user = code.project.full_path, code.user.username

    def say(*words: str, ok: bool = True) -> str:
        result = app.test_cli_runner().invoke(args=list(words))
        assert (result.exit_code == 0) == ok, result.output
        return result.output.strip()

    sha = say("commit-files", path, str(tmp_path), "--user", user, "--message", "From disk")
    number = say("create-pipeline", path, "--user", user)
    assert say("run-pipeline", number, "--base-url", live_url) == "success"
    pipeline = db.session.get_one(Pipeline, int(number))
    assert pipeline.sha == sha
    assert "from a file" in (pipeline.jobs[0].log or "")
    assert "no merge request" in say(
        "create-pipeline", path, "--user", user, "--merge-request", "9", ok=False
    )
    assert "no pipeline" in say("run-pipeline", "999999", ok=False)
